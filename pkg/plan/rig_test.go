package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// onRig is the environment of compose project shop on an engine.
func onRig(t *testing.T, e *rig.Engine) target.Site {
	t.Helper()
	env, err := docker.Open(t.Context(), &docker.Config{Host: e.Host(), Project: "shop"}, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = env.Close() })
	return env
}

// scenarioOf is a scenario file with these faults.
func scenarioOf(t *testing.T, faults string) scenario.Scenario {
	t.Helper()
	s, err := loadScenario(faults)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func loadScenario(faults string) (scenario.Scenario, error) {
	return scenario.Load("x.yaml", []byte("version: 1\nname: x\nenvironment: staging\nobjective: {rto: 30s}\n"+
		"load: [{journey: checkout, rate: 50/s, critical: true}]\nfaults: ["+faults+"]\n"), fault.Specs())
}

func mode(of, value string) rig.Edit { return rig.Set(value, "HostConfig", of) }

func stranger(name string, edits ...rig.Edit) rig.Object {
	return rig.Box(name, append([]rig.Edit{rig.With("com.docker.compose.project=blog")}, edits...)...)
}

// Every kind that works in a namespace is refused if the namespace is the machine's, or is
// shared with what is protected or outside the fence. It touches nothing until then (case 70).
func TestNoFaultReachesOthersThroughANamespace(t *testing.T) {
	t.Parallel()
	const protected = "gameday.protect=true"
	web := func() rig.Object { return rig.Box("web", rig.Networks("shop_back 172.19.0.3")) }
	network := []string{
		"drop: {target: {name: app}}", "isolate: {target: {name: app}}", "delay: {target: {name: app}, by: 50ms}",
		"bandwidth: {target: {name: app}, rate: 1mbit}", "reject: {target: {name: app}}", "duplicate: {target: {name: app}, share: 10%}",
		"partition: {target: {name: app}, from: {name: web}}",
	}
	processes := []string{"hang: {target: {name: app}, process: postgres}", "process: {target: {name: app}, name: worker}"}
	for name, c := range map[string]struct {
		boxes  []rig.Object
		faults []string
		want   string // of the refusal, or nothing
		also   []string
	}{
		"the machine's network":         {[]rig.Object{rig.Box("app", mode("NetworkMode", "host")), web()}, network, "it uses the network of its host", nil},
		"of one that has joined it":     {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:mesh")), rig.Box("mesh", mode("NetworkMode", "host")), web()}, network, "it uses the network of its host", nil},
		"the machine's processes":       {[]rig.Object{rig.Box("app", mode("PidMode", "host")), web()}, processes, "it uses the processes of its host", nil},
		"another one's processes":       {[]rig.Object{rig.Box("app", mode("PidMode", "container:web")), web()}, processes, "it lives among the processes of web", nil},
		"a protected one's network":     {[]rig.Object{rig.Box("app", mode("NetworkMode", "container:vault")), rig.Box("vault", rig.With(protected)), web()}, network, "vault, which is protected", nil},
		"a protected one joined it":     {[]rig.Object{rig.Box("app"), rig.Box("vault", rig.With(protected), mode("NetworkMode", "container:app")), web()}, network, "vault, which is protected", nil},
		"a protected one among its own": {[]rig.Object{rig.Box("app"), rig.Box("vault", rig.With(protected), mode("PidMode", "container:app"))}, processes, "vault, which is protected", nil},
		"a stranger joined it":          {[]rig.Object{rig.Box("app"), stranger("vpn", mode("NetworkMode", "container:app")), web()}, network, "vpn outside the fence", nil},
		"a stranger among its own":      {[]rig.Object{rig.Box("app"), stranger("agent", mode("PidMode", "container:app"))}, processes, "agent outside the fence", nil},
		"one of its own joined it":      {[]rig.Object{rig.Box("app"), rig.Box("mesh", mode("NetworkMode", "container:app")), web()}, network, "", []string{"mesh"}},
		"a stranger that has ended":     {[]rig.Object{rig.Box("app"), stranger("vpn", rig.In("exited"), mode("NetworkMode", "container:app")), web()}, network, "", nil},
		"nothing is shared":             {[]rig.Object{rig.Box("app"), web()}, slices.Concat(network, processes), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := rig.New(t, c.boxes...)
			env := onRig(t, e)
			for _, f := range c.faults {
				p, err := plan.Build(t.Context(), env, plan.Request{Scenario: scenarioOf(t, f), Environment: scenario.Environment{Name: "staging"}})
				if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) || err == nil && !slices.Equal(p.Steps[0].Also, c.also) {
					t.Errorf("%s: %v %v, expected %q", f, p.Steps, err, c.want)
				}
			}
			if orders := e.Orders(); len(orders) > 0 {
				t.Errorf("a plan has ordered %v", orders)
			}
			if made := e.Questions("POST", "/containers/create"); c.want != "" && len(made) > 0 {
				t.Errorf("%d helpers were started in a namespace in which nothing may be done", len(made))
			}
		})
	}
}

// Kinds that end a container which the engine then removes are refused, since it could not be
// put back; the others are not (cases 15, 84).
func TestAContainerThatVanishesIsNotEnded(t *testing.T) {
	t.Parallel()
	for f, refused := range map[string]bool{
		"kill": true, "stop": true, "crash": true, "restart": true, "pause": false, "isolate": false, "noop": false,
	} {
		t.Run(f, func(t *testing.T) {
			t.Parallel()
			e := rig.New(t, rig.Box("app-1", rig.Service("app"), rig.Set(true, "HostConfig", "AutoRemove")), rig.Box("app-2", rig.Service("app"), rig.Set(true, "HostConfig", "AutoRemove")))
			_, err := plan.Build(t.Context(), onRig(t, e), plan.Request{Scenario: scenarioOf(t, f+": {target: {service: app, any: 1}}")})
			if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "is removed when it stops (--rm)") {
				t.Errorf("%v", err)
			}
			if orders := e.Orders(); len(orders) > 0 {
				t.Errorf("a plan has ordered %v", orders)
			}
		})
	}
}

// Of what is selected, that which does not run is left out, and named; it is never what is
// drawn (case 17, and a finished one-shot beside a service).
func TestStoppedOnesAreLeftOut(t *testing.T) {
	t.Parallel()
	zone, tier := rig.With("gameday.zone=a"), rig.With("tier=web")
	boxes := []rig.Object{
		rig.Box("shop-web-1", rig.Service("web"), zone, tier), rig.Box("shop-web-2", rig.Service("web"), zone, tier),
		rig.Box("shop-web-3", rig.Service("web"), zone, tier, rig.In("exited")), rig.Box("shop-migrate-1", rig.Service("migrate"), zone, tier, rig.In("exited")),
		rig.Box("shop-web-run-1", rig.Service("web"), zone, tier, rig.With("com.docker.compose.oneoff=True")),
		rig.Box("shop-new-1", rig.Service("new"), rig.In("created")),
	}
	const web, both = "shop-web-3", "shop-migrate-1 shop-web-3"
	for selector, c := range map[string]struct {
		n       int
		leftOut string
		want    string // of a refusal
	}{
		"{service: web}":               {2, web, ""},
		"{service: web, any: 1}":       {1, web, ""},
		"{service: web, any: 3}":       {2, web, ""},
		"{service: web, percent: 50}":  {1, web, ""},
		"{service: web, percent: 100}": {2, web, ""},
		"{zone: a}":                    {2, both, ""},
		"{zone: a, any: 1}":            {1, both, ""},
		"{label: tier=web}":            {2, both, ""},
		"{label: tier, percent: 34}":   {1, both, ""},
		"{name: shop-web-3}":           {0, "", "shop-web-3 is stopped"},
		"{service: migrate}":           {0, "", "shop-migrate-1 is stopped"},
		"{service: new}":               {0, "", "shop-new-1 is stopped"},
	} {
		t.Run(selector, func(t *testing.T) {
			t.Parallel()
			env := onRig(t, rig.New(t, boxes...))
			s := scenarioOf(t, "kill: {target: "+selector+"}")
			for seed := range uint64(8) {
				p, err := plan.Build(t.Context(), env, plan.Request{Scenario: s, Seed: seed})
				if c.want != "" {
					if err == nil || !strings.Contains(err.Error(), c.want) {
						t.Errorf("seed %d: %v, expected %q", seed, err, c.want)
					}
					continue
				}
				if err != nil || len(p.Steps) != c.n {
					t.Fatalf("seed %d: %s %v", seed, plan.Names(p.Steps), err)
				}
				for _, step := range p.Steps {
					if step.Component.State != target.Running || strings.Contains(step.Component.Name, "run") || strings.Join(step.LeftOut, " ") != c.leftOut {
						t.Errorf("seed %d: %s, which is %s; left out: %v", seed, step.Component.Name, step.Component.State, step.LeftOut)
					}
				}
			}
		})
	}
}

// A target that says nothing is refused where the file is read (case 20).
func TestATargetThatSaysNothing(t *testing.T) {
	t.Parallel()
	for _, f := range []string{"kill: {target: {}}", "kill: {target: }", "kill: {target: ~}", "kill: {}", "isolate: {target: {}}", "noop: {target: {}}"} {
		if _, err := loadScenario(f); err == nil || !strings.Contains(err.Error(), "target") {
			t.Errorf("%s: %v", f, err)
		}
	}
}
