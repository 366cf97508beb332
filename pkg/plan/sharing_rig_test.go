package plan_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/plan"
)

// A component in whose namespace another one lives is not ended: the other one would not get
// the namespace back when it is started again, and would stay broken (case 72).
func TestAComponentThatOthersHaveJoinedIsNotEnded(t *testing.T) {
	t.Parallel()
	ending := []string{"kill: {target: {name: app}}", "stop: {target: {name: app}}", "crash: {target: {name: app}}", "restart: {target: {name: app}}", "process: {target: {name: app}, name: worker}"}
	others := []string{"pause: {target: {name: app}}", "noop: {target: {name: app}}"}
	joins := func(what string, edits ...rig.Edit) rig.Object {
		return rig.Box("mesh", append(edits, mode(what, "container:app"))...)
	}
	for name, c := range map[string]struct {
		boxes []rig.Object
		want  string // of the refusal, or nothing
	}{
		"its network":                   {[]rig.Object{rig.Box("app"), joins("NetworkMode")}, "mesh has joined its network"},
		"its processes":                 {[]rig.Object{rig.Box("app"), joins("PidMode")}, "mesh has joined its processes"},
		"its shared memory":             {[]rig.Object{rig.Box("app"), joins("IpcMode")}, "mesh has joined its shared memory"},
		"by its name":                   {[]rig.Object{rig.Box("app", rig.Set("abc", "Id"), rig.Set("/app", "Name")), joins("NetworkMode")}, "mesh has joined its network"},
		"a stranger":                    {[]rig.Object{rig.Box("app"), stranger("vpn", mode("NetworkMode", "container:app"))}, "vpn has joined its network"},
		"a protected one":               {[]rig.Object{rig.Box("app"), joins("NetworkMode", rig.With("gameday.protect=true"))}, "mesh has joined its network"},
		"a chain":                       {[]rig.Object{rig.Box("app"), joins("NetworkMode"), rig.Box("far", mode("NetworkMode", "container:mesh"))}, "far, mesh have joined its network"},
		"it is paused":                  {[]rig.Object{rig.Box("app"), joins("NetworkMode", rig.In("paused"))}, "mesh has joined its network"},
		"it restarts":                   {[]rig.Object{rig.Box("app"), joins("NetworkMode", rig.State("restarting", "Running", "Restarting"))}, "mesh has joined its network"},
		"it has ended":                  {[]rig.Object{rig.Box("app"), joins("NetworkMode", rig.In("exited"))}, ""},
		"a helper of gameday":           {[]rig.Object{rig.Box("app"), joins("NetworkMode", rig.With("gameday.helper=x"))}, ""},
		"it is the one that has joined": {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:web")), rig.Box("web")}, ""},
		"both have joined another":      {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:web")), rig.Box("web"), rig.Box("mesh", mode("NetworkMode", "container:web"))}, ""},
		"both are on the machine's":     {[]rig.Object{rig.Box("app", mode("NetworkMode", "host")), rig.Box("web", mode("NetworkMode", "host"))}, ""},
		"of another one":                {[]rig.Object{rig.Box("app"), rig.Box("web"), rig.Box("mesh", mode("NetworkMode", "container:web"))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := rig.New(t, c.boxes...)
			env := onRig(t, e)
			for i, f := range append(others, ending...) {
				if strings.HasPrefix(f, "process") && name == "its processes" {
					continue // it is refused for that it reaches them
				}
				_, err := plan.Build(t.Context(), env, plan.Request{Scenario: scenarioOf(t, f)})
				if refused := c.want != "" && i >= len(others); (err != nil) != refused || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: %v, expected %q", f, err, c.want)
				}
			}
			if orders := e.Orders(); len(orders) > 0 {
				t.Errorf("a plan has ordered %v", orders)
			}
		})
	}
}

// Names that engines and compose give, with capitals, dots and underscores, are found as they
// stand (case 79).
func TestNamesOfAllKinds(t *testing.T) {
	t.Parallel()
	names := []string{"shop_db_1", "shop-db-1", "Shop.Web", "DB", "a.b_c-d", "x1"}
	var boxes []rig.Object
	for _, name := range names {
		boxes = append(boxes, rig.Box(name, rig.Service("s."+name)))
	}
	env := onRig(t, rig.New(t, boxes...))
	for _, name := range names {
		for _, selector := range []string{"{name: " + name + "}", "{service: s." + name + "}"} {
			p, err := plan.Build(t.Context(), env, plan.Request{Scenario: scenarioOf(t, "kill: {target: "+selector+"}")})
			if err != nil || plan.Names(p.Steps) != name {
				t.Errorf("%s: %s, %v", selector, plan.Names(p.Steps), err)
			}
		}
	}
}
