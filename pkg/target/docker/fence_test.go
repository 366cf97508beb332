package docker_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// behind is a fence of labels in place of a compose project.
func behind(labels ...string) func(*opening) {
	return func(o *opening) { o.Config.Project, o.Config.Labels = "", labels }
}

// What the engine is asked for is what is inside the fence, in any state.
func TestFenceFilters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options func(*opening)
		want    []string
	}{
		"a project":            {func(*opening) {}, []string{"com.docker.compose.project=shop"}},
		"a label":              {behind("team=shop"), []string{"team=shop"}},
		"a label of any value": {behind("team"), []string{"team"}},
		"all of several":       {behind("team=shop", "stage=test"), []string{"stage=test", "team=shop"}},
		"a project and a label": {
			func(o *opening) { o.Config.Labels = []string{"stage=test"} },
			[]string{"com.docker.compose.project=shop", "stage=test"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			if _, err := e.open(c.options).Find(t.Context(), target.Selector{}); err != nil {
				t.Fatal(err)
			}
			query, err := url.ParseQuery(e.Questions("GET", "/containers/json")[0].Query)
			if err != nil || query.Get("all") != "1" {
				t.Errorf("asked for %v %v", query, err)
			}
			var filters map[string]map[string]bool
			decode(t, query.Get("filters"), &filters)
			var got []string
			for label := range filters["label"] {
				got = append(got, label)
			}
			slices.Sort(got)
			if diff := cmp.Diff(c.want, got); diff != "" || len(filters) != 1 {
				t.Errorf("%v %s", filters, diff)
			}
		})
	}
}

func TestWhatIsFound(t *testing.T) {
	t.Parallel()
	helper := rig.With("gameday.helper=db", "gameday.fence=shop")
	for name, c := range map[string]struct {
		options func(*opening)
		box     rig.Object
		found   bool
	}{
		"of the project":              {nil, rig.Box("x"), true},
		"of another project":          {nil, rig.Box("x", rig.With("com.docker.compose.project=bank")), false},
		"of no project":               {nil, rig.Box("x", rig.Set(rig.Object{}, "Config", "Labels")), false},
		"of a project named alike":    {nil, rig.Box("x", rig.With("com.docker.compose.project=shop2")), false},
		"a helper":                    {nil, rig.Box("x", helper), false},
		"a worker":                    {nil, rig.Box("x", rig.With("gameday.helper=load")), false},
		"a one-off":                   {nil, rig.Box("x", rig.With("com.docker.compose.oneoff=True")), false},
		"a one-off, in small letters": {nil, rig.Box("x", rig.With("com.docker.compose.oneoff=true")), false},
		"no one-off":                  {nil, rig.Box("x", rig.With("com.docker.compose.oneoff=False")), true},
		"with the label":              {behind("team=shop"), rig.Box("x", rig.With("team=shop")), true},
		"with another value":          {behind("team=shop"), rig.Box("x", rig.With("team=bank")), false},
		"with any value":              {behind("team"), rig.Box("x", rig.With("team=bank")), true},
		"with an empty value":         {behind("team"), rig.Box("x", rig.With("team=")), true},
		"without the label":           {behind("team"), rig.Box("x"), false},
		"with one label of two":       {behind("team", "stage=test"), rig.Box("x", rig.With("team=shop")), false},
		"with both":                   {behind("team", "stage=test"), rig.Box("x", rig.With("team=shop", "stage=test")), true},
		"stopped":                     {nil, rig.Box("x", rig.State("exited")), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(c.box)
			options := func(*opening) {}
			if c.options != nil {
				options = c.options
			}
			env := e.open(options)
			all, err := env.Find(t.Context(), target.Selector{})
			if err != nil || (len(all) == 1) != c.found {
				t.Errorf("found %s %v", ids(all), err)
			}
		})
	}
}

// Whatever lists it, what lies outside the fence is not opened.
func TestOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options func(*opening)
		edit    rig.Edit
		says    string // in the error, if there is one
	}{
		"inside":              {nil, rig.With(), ""},
		"of another project":  {nil, rig.With("com.docker.compose.project=bank"), "container x lies outside the fence (compose project shop)"},
		"of no project":       {nil, rig.Set(rig.Object{}, "Config", "Labels"), "container x lies outside the fence (compose project shop)"},
		"without any label":   {nil, rig.Set(nil, "Config", "Labels"), "container x lies outside the fence (compose project shop)"},
		"with the labels":     {behind("team=shop", "stage"), rig.With("team=shop", "stage=test"), ""},
		"without one of them": {behind("team=shop", "stage"), rig.With("team=shop"), "container x lies outside the fence (labels team=shop, stage)"},
		"with another value":  {behind("team=shop"), rig.With("team=bank"), "container x lies outside the fence (labels team=shop)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("x", c.edit))
			options := func(*opening) {}
			if c.options != nil {
				options = c.options
			}
			h, err := e.open(options).Open(t.Context(), "x")
			if (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
				t.Fatalf("%v, expected %q", err, c.says)
			}
			if err != nil {
				return
			}
			if seen, err := h.Look(t.Context()); err != nil || seen.ID != "x" {
				t.Errorf("%+v %v", seen, err)
			}
		})
	}
}

func TestOpenWithoutAFence(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	if _, err := docker.Open(t.Context(), &docker.Config{Host: e.Host()}, target.Options{}); err == nil || !strings.Contains(err.Error(), "no fence") {
		t.Errorf("an environment of the whole engine: %v", err)
	}
	if len(e.Questions("GET", "/info")) > 0 {
		t.Error("the engine was asked before the fence was looked for")
	}
}

func TestSelectors(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(
		rig.Box("db-2", rig.Service("db"), rig.With("gameday.zone=b", "role=replica")),
		rig.Box("app-1", rig.Service("app"), rig.With("gameday.zone=a")),
		rig.Box("db-1", rig.Service("db"), rig.With("gameday.zone=a", "role=primary")),
		rig.Box("lone", rig.With("role=")),
	)
	env := e.open(roles(map[string]target.Role{"primary": {Label: "role=primary"}}))
	for name, c := range map[string]struct {
		selector target.Selector
		want     string
	}{
		"all, by name":        {target.Selector{}, "app-1 db-1 db-2 lone"},
		"a service":           {target.Selector{Service: "db"}, "db-1 db-2"},
		"a name":              {target.Selector{Name: "app-1"}, "app-1"},
		"a zone":              {target.Selector{Zone: "a"}, "app-1 db-1"},
		"a label":             {target.Selector{Label: "role"}, "db-1 db-2 lone"},
		"a label's value":     {target.Selector{Label: "role=replica"}, "db-2"},
		"a label's no value":  {target.Selector{Label: "role="}, "lone"},
		"a role":              {target.Selector{Role: "primary"}, "db-1"},
		"a service in a zone": {target.Selector{Service: "db", Zone: "b"}, "db-2"},
		"all that there is":   {target.Selector{Service: "db", Zone: "a", Name: "db-1", Label: "role=primary", Role: "primary"}, "db-1"},
		"a role elsewhere":    {target.Selector{Role: "primary", Zone: "b"}, ""},
		"nothing":             {target.Selector{Service: "cache"}, ""},
		"any does not choose": {target.Selector{Service: "db", Any: 1}, "db-1 db-2"}, // that is for Pick
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := env.Find(t.Context(), c.selector)
			if err != nil || ids(all) != c.want {
				t.Errorf("%q %v, expected %q", ids(all), err, c.want)
			}
		})
	}
}

func TestProtected(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(
		rig.Box("a", rig.Service("app"), rig.With("gameday.zone=x")),
		rig.Box("b", rig.Service("db")),
		rig.Box("c", rig.Service("app"), rig.With("gameday.protect=true")),
		rig.Box("d", rig.Service("app"), rig.With("gameday.protect=false")),
		rig.Box("e", rig.Service("app"), rig.With("keep=this", "gameday.zone=y")),
	)
	for name, c := range map[string]struct {
		protect []target.Selector
		want    string
	}{
		"by label alone":  {nil, "c"},
		"a service":       {[]target.Selector{{Service: "db"}}, "b c"},
		"several":         {[]target.Selector{{Name: "a"}, {Label: "keep=this"}}, "a c e"},
		"all fields hold": {[]target.Selector{{Service: "app", Zone: "y"}}, "c e"},
		"all":             {[]target.Selector{{}}, "a b c d e"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all, err := e.open(func(o *opening) { o.Protect = c.protect }).Find(t.Context(), target.Selector{})
			got := ids(slices.DeleteFunc(all, func(c target.Component) bool { return !c.Protected }))
			if err != nil || got != c.want {
				t.Errorf("%q %v, expected %q", got, err, c.want)
			}
		})
	}
}

// Two engines that have one ID are two places: the engines of one machine share the key
// that it comes from, and so do cloned machines.
func TestEnginesWithOneID(t *testing.T) {
	t.Parallel()
	ids := map[string]string{}
	for name, info := range map[string]string{
		"an engine":         `{"ID": "SS5V", "Name": "build-1", "DockerRootDir": "/var/lib/docker"}`,
		"another data root": `{"ID": "SS5V", "Name": "build-1", "DockerRootDir": "/mnt/docker"}`,
		"a cloned machine":  `{"ID": "SS5V", "Name": "build-2", "DockerRootDir": "/var/lib/docker"}`,
		"another ID":        `{"ID": "7QY7", "Name": "build-1", "DockerRootDir": "/var/lib/docker"}`,
	} {
		e := newFakeEngine(t)
		e.Answer("GET /info", http.StatusOK, info)
		id := e.open().ID()
		if other, known := ids[id]; known {
			t.Errorf("%s and %s have the identity %s", name, other, id)
		}
		ids[id] = name
		if again := e.open().ID(); again != id {
			t.Errorf("%s: %s, and then %s", name, id, again)
		}
	}
}
