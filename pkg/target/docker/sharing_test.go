package docker_test

import (
	"slices"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

func mode(of, value string) rig.Edit { return rig.Set(value, "HostConfig", of) }

func stranger(name string, edits ...rig.Edit) rig.Object {
	return rig.Box(name, append([]rig.Edit{rig.With("com.docker.compose.project=blog")}, edits...)...)
}

// Who lives in the namespace of a container, whoever has joined whom.
func TestSharers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		boxes []rig.Object
		what  target.Namespace
		want  target.Sharers
	}{
		"nobody":                     {[]rig.Object{rig.Box("app"), rig.Box("web")}, target.NetworkNamespace, target.Sharers{}},
		"the host":                   {[]rig.Object{rig.Box("app", mode("NetworkMode", "host")), rig.Box("web", mode("NetworkMode", "host"))}, target.NetworkNamespace, target.Sharers{Host: true}},
		"the host's processes only":  {[]rig.Object{rig.Box("app", mode("PidMode", "host"))}, target.NetworkNamespace, target.Sharers{}},
		"the host's processes":       {[]rig.Object{rig.Box("app", mode("PidMode", "host"))}, target.ProcessNamespace, target.Sharers{Host: true}},
		"one that joined it":         {[]rig.Object{rig.Box("app"), rig.Box("mesh", mode("NetworkMode", "container:app"))}, target.NetworkNamespace, target.Sharers{Inside: []target.Component{{Name: "mesh"}}}},
		"one that joined its name":   {[]rig.Object{rig.Box("app", rig.Set("abc", "Id"), rig.Set("/app", "Name")), rig.Box("mesh", mode("NetworkMode", "container:app"))}, target.NetworkNamespace, target.Sharers{Inside: []target.Component{{Name: "mesh"}}}},
		"a stranger that joined it":  {[]rig.Object{rig.Box("app"), stranger("vpn", mode("NetworkMode", "container:app"))}, target.NetworkNamespace, target.Sharers{Outside: []string{"vpn"}}},
		"it joined another":          {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:web")), rig.Box("web"), rig.Box("mesh", mode("NetworkMode", "container:web"))}, target.NetworkNamespace, target.Sharers{Owner: "web", Inside: []target.Component{{Name: "mesh"}, {Name: "web"}}}},
		"it joined a stranger":       {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:vpn")), stranger("vpn")}, target.NetworkNamespace, target.Sharers{Owner: "vpn", Outside: []string{"vpn"}}},
		"it joined one on the host":  {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:web")), rig.Box("web", mode("NetworkMode", "host"))}, target.NetworkNamespace, target.Sharers{Host: true}},
		"its processes":              {[]rig.Object{rig.Box("app"), rig.Box("debug", mode("PidMode", "container:app"))}, target.ProcessNamespace, target.Sharers{Inside: []target.Component{{Name: "debug"}}}},
		"its helpers":                {[]rig.Object{rig.Box("app"), rig.Box("helper", rig.With("gameday.helper=x"), mode("NetworkMode", "container:app"))}, target.NetworkNamespace, target.Sharers{}},
		"it joined one that is gone": {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:gone"))}, target.NetworkNamespace, target.Sharers{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(c.boxes...)
			id := "app"
			if c.boxes[0]["Id"] == "abc" {
				id = "abc"
			}
			got, err := opened[target.Sharing](t, e.open(), id).Shares(t.Context(), c.what)
			same := func(a, b target.Component) bool { return a.Name == b.Name }
			if err != nil || got.Host != c.want.Host || got.Owner != c.want.Owner || !slices.Equal(got.Outside, c.want.Outside) || !slices.EqualFunc(got.Inside, c.want.Inside, same) {
				t.Errorf("%+v %v, expected %+v", got, err, c.want)
			}
		})
	}
}

// The same on a real engine, in whose answers a joined container stands with its ID.
func TestSharersOnAnEngine(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	owner := bed.Start(container.RestartPolicyDisabled)
	start := func(host container.HostConfig, labels map[string]string) string {
		return bed.Run(container.Config{Labels: labels, Env: enginetest.Shop("127.0.0.1:0")}, host)
	}
	joiner := start(container.HostConfig{NetworkMode: container.NetworkMode("container:" + owner)}, bed.Labels())
	onHost := start(container.HostConfig{NetworkMode: "host", PidMode: "host"}, bed.Labels())
	enginetest.Guard(t, "gameday.test=stranger")
	stranger := start(container.HostConfig{NetworkMode: container.NetworkMode("container:" + owner)}, map[string]string{"gameday.test": "stranger"})
	name := func(id string) string { return bed.Inspect(id).Name[1:] }
	for id, want := range map[string]target.Sharers{
		owner:  {Inside: []target.Component{{Name: name(joiner)}}, Outside: []string{name(stranger)}},
		joiner: {Owner: name(owner), Inside: []target.Component{{Name: name(owner)}}, Outside: []string{name(stranger)}},
		onHost: {Host: true},
	} {
		got, err := bed.Open(id).(target.Sharing).Shares(t.Context(), target.NetworkNamespace)
		if err != nil || got.Host != want.Host || got.Owner != want.Owner || !slices.Equal(got.Outside, want.Outside) || len(got.Inside) != len(want.Inside) || len(got.Inside) > 0 && got.Inside[0].Name != want.Inside[0].Name {
			t.Errorf("%s: %+v %v, expected %+v", name(id), got, err, want)
		}
	}
	if got, err := bed.Open(onHost).(target.Sharing).Shares(t.Context(), target.ProcessNamespace); err != nil || !got.Host {
		t.Errorf("%+v %v", got, err)
	}
}
