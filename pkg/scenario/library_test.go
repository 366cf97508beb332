package scenario_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// tree writes files below a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// titled is a scenario of a name that loads, with a title to tell it from others.
func titled(name, title string) string {
	return "version: 1\nname: " + name + "\ntitle: " + title + "\n" + goodObjective + goodLoad + goodFaults
}

// ownLibrary is one whose bundled part is known: the scenarios both and bundled,
// the lab one.
func ownLibrary(dir string) scenario.Library {
	bundle := fstest.MapFS{
		"both.yaml":    {Data: []byte(titled("both", "bundled"))},
		"bundled.yaml": {Data: []byte(titled("bundled", "bundled"))},
	}
	labs := fstest.MapFS{
		"one/gameday.yaml":      {Data: []byte("version: 1\nenvironments: {lab/one: {docker: {project: p}, entry: 'http://lab'}}")},
		"one/journeys/buy.yaml": {Data: []byte("version: 1\nname: buy\nsteps: [{get: /lab}]")},
		"bad/gameday.yaml":      {Data: []byte("version: 1\nenvironments: {x: {docker: {project: p}, entry: 'http://lab'}}")},
		"broken/gameday.yaml":   {Data: []byte("version: 1")},
	}
	return scenario.Library{Scenarios: bundle, Labs: labs, Dir: dir, Kinds: fault.Specs(), Drivers: drivers()}
}

func TestAScenarioIsFound(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"scenarios/both.yaml": titled("both", "own"), "scenarios/own.yaml": titled("own", "own"), "elsewhere/far.yaml": titled("far", "far"),
		"near.yml": titled("near", "near"),
	})
	l := ownLibrary(dir)
	if diff := cmp.Diff([]string{"both", "bundled"}, l.Bundled()); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]struct{ title, file string }{
		"both":                                   {"own", filepath.Join("scenarios", "both.yaml")}, // one's own hides a bundled one
		"own":                                    {"own", filepath.Join("scenarios", "own.yaml")},
		"bundled":                                {"bundled", "scenarios/bundled.yaml"},
		"elsewhere/far.yaml":                     {"far", "elsewhere/far.yaml"},
		"near.yml":                               {"near", "near.yml"},
		filepath.Join(dir, "elsewhere/far.yaml"): {"far", filepath.Join(dir, "elsewhere/far.yaml")},
	} {
		s, err := l.Scenario(name)
		if err != nil || s.Title != want.title || s.File != want.file {
			t.Errorf("%s: found %q of %q (%v), expected %v", name, s.Title, s.File, err, want)
		}
	}
	for name, want := range map[string]string{
		"bundle": `did you mean "bundled"`, "zzzzzzzz": "both, bundled", "no/such.yaml": "no/such.yaml", "elsewhere/none.yml": "no such file",
	} {
		if _, err := l.Scenario(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %q", name, err, want)
		}
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	l := ownLibrary(t.TempDir())
	s, err := l.Scenario("bundled", scenario.Override{Path: "title", Value: "another"}, scenario.Override{Path: "load[0].rate", Value: "90/s"})
	if err != nil || s.Title != "another" || s.Load[0].Rate.Users != 90 {
		t.Errorf("%+v %v", s, err)
	}
	for path, want := range map[string]string{"load[3].rate": "load has no item 3", "titel": `unknown key "titel"`, "objective.rto": "objective.rto"} {
		if _, err := l.Scenario("bundled", scenario.Override{Path: path, Value: "x"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %q", path, err, want)
		}
	}
}

const ownEnvironments = `version: 1
environments:
  staging: {docker: {project: s}, entry: 'http://staging', max_targets: 7}
  testing: {docker: {labels: [k=v]}, entry: 'http://testing'}
`

func TestAnEnvironmentIsFound(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"gameday.yaml": ownEnvironments, "a/b/c.txt": ""})
	for _, from := range []string{dir, filepath.Join(dir, "a"), filepath.Join(dir, "a", "b")} { // the nearest one upwards
		env, err := ownLibrary(from).Environment("staging")
		if err != nil || env.Name != "staging" || env.Entry != "http://staging" || env.MaxTargets != 7 {
			t.Errorf("from %s: %+v %v", from, env, err)
		}
		all, err := ownLibrary(from).Environments()
		if err != nil || len(all) != 2 || all["testing"].MaxTargets != scenario.DefaultMaxTargets {
			t.Errorf("from %s: %+v %v", from, all, err)
		}
	}
	l := ownLibrary(dir)
	for name, want := range map[string]string{
		"lab/one": "http://lab", "lab/one+variant+another": "http://lab",
	} {
		if env, err := l.Environment(name); err != nil || env.Entry != want || env.Name != name {
			t.Errorf("%s: %+v %v", name, env, err)
		}
	}
	for name, want := range map[string]string{
		"stagin": `did you mean "staging"`, "lab/on": `did you mean "one"`, "lab/bad": "lab/bad", "lab/broken": "labs/broken/gameday.yaml:1:1",
	} {
		if _, err := l.Environment(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %q", name, err, want)
		}
	}
	for _, name := range []string{"staging", "testing", "lab/one", "lab/one+variant"} {
		if err := l.Known(name); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{
		"stagin": `expected one of lab/bad, lab/broken, lab/one, staging, testing: did you mean "staging"?`, "lab/on": `did you mean "lab/one"?`, "nobodys-env": "lab/one, staging, testing", "": "staging", "\x1b[2J": `"\\x1b[2J"`,
	} {
		if err := l.Known(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: found %v, expected %q", name, err, want)
		}
	}
	if names := l.LabNames(); !slices.Equal(names, []string{"bad", "broken", "one"}) {
		t.Errorf("%v", names)
	}
}

func TestNoEnvironmentsAtAll(t *testing.T) {
	t.Parallel()
	l := ownLibrary(t.TempDir())
	if _, err := l.Environment("staging"); err == nil || !strings.Contains(err.Error(), "gameday.yaml") || !strings.Contains(err.Error(), `"staging"`) {
		t.Errorf("%v", err)
	}
	if all, err := l.Environments(); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
	if all, err := l.Schedules(); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
}

// A gameday.yaml that is wrong is told with its path, whatever is asked of it.
func TestWrongEnvironmentsAreTold(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"gameday.yaml": "version: 1\nenvironmnts: {}"})
	l := ownLibrary(dir)
	_, one := l.Environment("staging")
	_, all := l.Environments()
	_, schedules := l.Schedules()
	for _, err := range []error{one, all, schedules} {
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "gameday.yaml")+`:2:1: unknown key "environmnts"`) {
			t.Errorf("found %v", err)
		}
	}
	// One that is a folder cannot be read.
	if err := os.MkdirAll(filepath.Join(dir, "sub", "gameday.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ownLibrary(filepath.Join(dir, "sub")).Environments(); err == nil || !strings.Contains(err.Error(), "read environments") {
		t.Errorf("found %v", err)
	}
}

func TestAJourneyIsFound(t *testing.T) {
	t.Parallel()
	journey := func(name, path string) string { return "version: 1\nname: " + name + "\nsteps: [{get: " + path + "}]" }
	dir := tree(t, map[string]string{
		"gameday.yaml": ownEnvironments, "journeys/buy.yaml": journey("buy", "/own"), "journeys/browse.yaml": journey("browse", "/own"),
		"sub/journeys/deep.yaml": journey("deep", "/deep"), "sub/journeys/buy.yaml": journey("buy", "/deep"), "journeys/bad.yaml": journey("other", "/own"),
	})
	for _, c := range []struct{ dir, environment, name, path string }{
		{"", "staging", "buy", "/own"},
		{"", "lab/one", "buy", "/lab"},
		{"", "lab/one+variant", "buy", "/lab"},
		{"", "lab/one", "browse", "/own"}, // one's own, where the lab has none
		{"", "lab/none", "buy", "/own"},
		{"sub", "staging", "buy", "/own"}, // beside gameday.yaml before the present folder
		{"sub", "staging", "deep", "/deep"},
	} {
		j, err := ownLibrary(filepath.Join(dir, c.dir)).Journey(c.environment, c.name)
		if err != nil || len(j.Steps) != 1 || j.Steps[0].Get != c.path {
			t.Errorf("%+v: %+v %v", c, j, err)
		}
	}
	for name, want := range map[string]string{"none": "journeys/none.yaml", "bad": `name: found "other"`} {
		if _, err := ownLibrary(dir).Journey("staging", name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, expected %q", name, err, want)
		}
	}
	if j, err := ownLibrary(t.TempDir()).Journey("", "buy"); err == nil {
		t.Errorf("found %+v where there is none", j)
	}
}

func TestSchedulesHaveTheirCalendars(t *testing.T) {
	t.Parallel()
	elsewhere := filepath.Join(tree(t, map[string]string{"b.ics": "B"}), "b.ics")
	text := ownEnvironments + "schedules:\n  - {name: n, cron: '@daily', scenario: s, blackout: [{ical: cal/a.ics}, {from: 2026-12-24}, {ical: '" + elsewhere + "'}]}\n"
	dir := tree(t, map[string]string{"gameday.yaml": text, "cal/a.ics": "A", "sub/x": ""})
	for _, from := range []string{dir, filepath.Join(dir, "sub")} { // beside gameday.yaml, from wherever
		all, err := ownLibrary(from).Schedules()
		if err != nil || len(all) != 1 || string(all[0].Blackout[0].Calendar) != "A" || all[0].Blackout[1].Calendar != nil || string(all[0].Blackout[2].Calendar) != "B" {
			t.Errorf("%+v %v", all, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "cal/a.ics")); err != nil {
		t.Fatal(err)
	}
	if _, err := ownLibrary(dir).Schedules(); err == nil || !strings.Contains(err.Error(), "schedule n") || !strings.Contains(err.Error(), "a.ics") {
		t.Errorf("found %v", err)
	}
}

func TestWhereUsersSetOut(t *testing.T) {
	t.Parallel()
	outside := scenario.Environment{Name: "a", Entry: "http://out"}
	inside := scenario.Environment{Name: "b", Entry: "http://out", Inside: &scenario.Inside{Network: "n", Entry: "http://in", CA: "ca", DNS: []string{"10.0.0.1"}}}
	bare := scenario.Environment{Name: "c", Entry: "http://out", Inside: &scenario.Inside{Network: "n"}}
	for name, c := range map[string]struct {
		env   scenario.Environment
		from  string
		comes string
		way   probe.Way
	}{
		"outside":            {outside, "", "outside", probe.Way{Entry: "http://out"}},
		"inside":             {inside, "", "inside", probe.Way{Entry: "http://in", CA: "ca", DNS: []string{"10.0.0.1"}}},
		"inside, as asked":   {inside, "inside", "inside", probe.Way{Entry: "http://in", CA: "ca", DNS: []string{"10.0.0.1"}}},
		"outside, as asked":  {inside, "outside", "outside", probe.Way{Entry: "http://out"}},
		"inside, same entry": {bare, "", "inside", probe.Way{Entry: "http://out"}},
		"no inside there is": {outside, "inside", "inside", probe.Way{Entry: "http://out"}},
	} {
		l := scenario.JourneyLoad{Journey: "buy", From: c.from}
		if got := c.env.Comes(l); got != c.comes {
			t.Errorf("%s: comes from %s, expected %s", name, got, c.comes)
		}
		if diff := cmp.Diff(c.way, c.env.Way(l), cmpopts.IgnoreUnexported(probe.Way{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		err := scenario.Scenario{Load: []scenario.JourneyLoad{l}}.CheckLoad(c.env)
		if refused := c.from == "inside" && c.env.Inside == nil; refused != (err != nil) || refused && !strings.Contains(err.Error(), "journey buy") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRolesAreHeldAgainstTheEnvironment(t *testing.T) {
	t.Parallel()
	s, err := scenario.Load("x.yaml", []byte(header+goodObjective+goodLoad+"faults:\n  - kill: {target: {role: primary}}\n  - kill: {target: {role: leadr}}\n  - kill: {target: {service: db}}\n"), fault.Specs())
	if err != nil {
		t.Fatal(err)
	}
	all, err := scenario.LoadEnvironments("gameday.yaml", []byte(withEnvironment("roles: {leader: {label: k}}")), drivers())
	if err != nil {
		t.Fatal(err)
	}
	err = s.CheckRoles(all.Environments["a"])
	if err == nil {
		t.Fatal("roles that nothing declares are fine")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "x.yaml:6:5") || !strings.Contains(lines[0], `"primary"`) || !strings.Contains(lines[1], `did you mean "leader"`) {
		t.Errorf("%q", lines)
	}
}
