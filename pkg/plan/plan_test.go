package plan_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// components is an environment in which nothing may be done: a plan looks only.
func components(t *testing.T) *toyenv.Env {
	t.Helper()
	all := []target.Component{
		{Name: "db", Service: "db", Protected: true},
		{Name: "lb", Service: "lb", State: target.Paused},
	}
	for _, name := range []string{"app-1", "app-2", "app-3", "app-4"} {
		all = append(all, target.Component{Name: name, Service: "app"})
	}
	env, err := toyenv.New(t.TempDir(), all...)
	if err != nil {
		t.Fatal(err)
	}
	touched := func() error {
		t.Error("a plan touches")
		return errors.New("a plan touches")
	}
	env.OnKill, env.OnStart = touched, touched
	return env
}

func build(t *testing.T, seed uint64, faults ...scenario.Fault) (plan.Plan, error) {
	t.Helper()
	for i := range faults {
		faults[i].Where = "x.yaml:9:5"
	}
	return plan.Build(t.Context(), components(t), plan.Request{
		Scenario:    scenario.Scenario{Faults: faults},
		Environment: scenario.Environment{Name: "staging", MaxTargets: 3},
		Seed:        seed,
	})
}

func kill(s target.Selector) scenario.Fault {
	return scenario.Fault{Kind: "kill", Spec: &fault.Kill{}, Target: s}
}

func TestAPlanNamesItsComponents(t *testing.T) {
	t.Parallel()
	p, err := build(t, 1, kill(target.Selector{Name: "app-2"}))
	if err != nil || plan.Names(p.Steps) != "app-2" {
		t.Errorf("%+v %v", p.Steps, err)
	}
}

func TestWhatStandsInTheWayIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		target target.Selector
		want   string
	}{
		"nobody":    {target.Selector{Service: "cache"}, "x.yaml:9:5: no component of staging matches service cache: expected one of app, db, lb"},
		"protected": {target.Selector{Service: "db"}, "x.yaml:9:5: db is protected: choose another target"},
		"paused":    {target.Selector{Service: "lb"}, "x.yaml:9:5: kill lb: lb is paused, expected it to be running"},
		"too many":  {target.Selector{Service: "app"}, "x.yaml:9:5: 4 components would be touched (app-1, app-2, app-3, app-4), but environment staging allows at most 3"},
	} {
		if _, err := build(t, 1, kill(c.target)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		target target.Selector
		want   string
	}{
		"a slip":             {target.Selector{Service: "ap"}, `no component of staging matches service ap: did you mean "app"?`},
		"of another program": {target.Selector{Name: "app_1"}, `did you mean "app-1"?`},
		"a zone":             {target.Selector{Zone: "a"}, "no component of staging matches zone a: none are available"},
		"a label":            {target.Selector{Label: "tier=db"}, "expected one of app-1, app-2, app-3, app-4, db, lb"},
	} {
		if _, err := build(t, 1, kill(c.target)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
	empty, err := toyenv.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Build(t.Context(), empty, plan.Request{
		Scenario: scenario.Scenario{Faults: []scenario.Fault{kill(target.Selector{Service: "db"})}}, Environment: scenario.Environment{Name: "staging", Settings: &toyenv.Settings{Dir: "shop"}},
	}); err == nil || !strings.Contains(err.Error(), "folder shop has no components: start the environment, or correct the name of the project") {
		t.Error(err)
	}
	_, err = build(t, 1, kill(target.Selector{Service: "db"}), kill(target.Selector{Service: "lb"}))
	if err == nil || strings.Count(err.Error(), "x.yaml") != 2 {
		t.Errorf("not both are told: %v", err)
	}
}

// A zone is one fault on each of its components.
func TestAZoneIsAllOfIt(t *testing.T) {
	t.Parallel()
	env := components(t)
	for name, zone := range map[string]string{"app-1": "a", "app-2": "b", "app-3": "a", "app-4": "b"} {
		if err := env.Put(target.Component{Name: name, Service: "app", Zone: zone}); err != nil {
			t.Fatal(err)
		}
	}
	p, err := plan.Build(t.Context(), env, plan.Request{Scenario: scenario.Scenario{Faults: []scenario.Fault{
		{Kind: "zone", Spec: &fault.Zone{Name: "a"}, Where: "x.yaml:9:5"},
	}}})
	if err != nil || plan.Names(p.Steps) != "app-1, app-3" || p.Steps[0].Kind != "kill" {
		t.Errorf("%+v %v", p.Steps, err)
	}
}

// A part of them is a part, rounded up.
func TestAPercentage(t *testing.T) {
	t.Parallel()
	for percent, want := range map[int]int{1: 1, 25: 1, 26: 2, 50: 2, 75: 3} {
		p, err := build(t, 1, kill(target.Selector{Service: "app", Percent: percent}))
		if err != nil || len(p.Steps) != want {
			t.Errorf("%d%%: %v, %v", percent, plan.Names(p.Steps), err)
		}
	}
}

// A random choice is the same for the same seed, and not always the same one.
// Components that do not run are left out of a choice, and named; they do not keep those
// that run from being chosen.
func TestWhatDoesNotRunIsLeftOut(t *testing.T) {
	t.Parallel()
	env, err := toyenv.New(
		t.TempDir(),
		target.Component{Name: "app-1", Service: "app", Zone: "a"}, target.Component{Name: "app-2", Service: "app", Zone: "a", State: target.Stopped},
		target.Component{Name: "migrate", Service: "migrate", Zone: "a", State: target.Stopped},
	)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		target  target.Selector
		steps   string
		leftOut string
		want    string
	}{
		"a service":      {target.Selector{Service: "app"}, "app-1", "app-2", ""},
		"a zone":         {target.Selector{Zone: "a"}, "app-1", "app-2 migrate", ""},
		"any":            {target.Selector{Service: "app", Any: 1}, "app-1", "app-2", ""},
		"half":           {target.Selector{Service: "app", Percent: 50}, "app-1", "app-2", ""},
		"none that runs": {target.Selector{Service: "migrate"}, "", "", "migrate is stopped"},
		"by its name":    {target.Selector{Name: "app-2"}, "", "", "app-2 is stopped"},
	} {
		for seed := range uint64(6) {
			p, err := plan.Build(t.Context(), env, plan.Request{Scenario: scenario.Scenario{Faults: []scenario.Fault{kill(c.target)}}, Seed: seed})
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", name, err)
			}
			if err == nil && (plan.Names(p.Steps) != c.steps || strings.Join(p.Steps[0].LeftOut, " ") != c.leftOut) {
				t.Errorf("%s: %+v", name, p.Steps)
			}
		}
	}
}

func TestAChoiceCanBeRepeated(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for seed := range uint64(40) {
		first, err := build(t, seed, kill(target.Selector{Service: "app", Any: 1}))
		again, err2 := build(t, seed, kill(target.Selector{Service: "app", Any: 1}))
		if err != nil || err2 != nil || len(first.Steps) != 1 || plan.Names(first.Steps) != plan.Names(again.Steps) {
			t.Fatalf("%v %v %v %v", first.Steps, again.Steps, err, err2)
		}
		seen[plan.Names(first.Steps)] = true
	}
	if len(seen) != 4 {
		t.Errorf("of four components only these were ever chosen: %v", seen)
	}
}

// The roles of several faults are asked for at once: the first answer waits for the
// last question.
func TestFaultsAreBoundAtOnce(t *testing.T) {
	t.Parallel()
	env := components(t)
	var asked sync.WaitGroup
	asked.Add(3)
	env.OnFind = func() error {
		asked.Done()
		asked.Wait()
		return nil
	}
	p, err := plan.Build(t.Context(), env, plan.Request{
		Scenario: scenario.Scenario{Faults: []scenario.Fault{
			kill(target.Selector{Name: "app-3"}), kill(target.Selector{Name: "app-1"}), kill(target.Selector{Name: "app-2"}),
		}},
		Environment: scenario.Environment{MaxTargets: 3},
	})
	if err != nil || plan.Names(p.Steps) != "app-3, app-1, app-2" {
		t.Errorf("%s %v", plan.Names(p.Steps), err)
	}
}
