package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/target"
)

// The tables of the recorded engine, once more on a real one: shared namespaces, containers
// that vanish or do not run, and the same choice for the same seed. A plan changes nothing.
func TestPlansOnAnEngine(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	one, two, stopped := bed.Start("no", "com.docker.compose.service=web"), bed.Start("no", "com.docker.compose.service=web"), bed.Start("no", "com.docker.compose.service=web")
	bed.StartWith(container.HostConfig{AutoRemove: true}, "com.docker.compose.service=brief")
	if err := bed.Client.ContainerKill(t.Context(), stopped, "KILL"); err != nil {
		t.Fatal(err)
	}
	pod := bed.Start("no")
	bed.Run(container.Config{Labels: bed.Labels("com.docker.compose.service=vault", "gameday.protect=true"), Env: enginetest.Shop("127.0.0.1:0")},
		container.HostConfig{NetworkMode: container.NetworkMode("container:" + pod)})
	lives := func() (all []string) {
		found, err := bed.Env.Find(t.Context(), target.Selector{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range found {
			all = append(all, c.Name+" "+string(c.State)+" "+c.Started.String())
		}
		return all
	}
	name := func(id string) string { return strings.TrimPrefix(bed.Inspect(id).Name, "/") }
	before, drawn := lives(), map[string]bool{}
	for _, c := range []struct{ faults, want string }{
		{"drop: {target: {name: " + name(pod) + "}}", "which is protected and is never touched"},
		{"kill: {target: {name: " + name(pod) + "}}", " has joined its network"}, // case 72
		{"kill: {target: {service: brief}}", "is removed when it stops (--rm)"},
		{"kill: {target: {name: " + name(stopped) + "}}", "is stopped, expected it to be running"},
		{"kill: {target: {service: web, any: 1}}", ""},
		{"kill: {target: {service: web, percent: 100}}", ""},
	} {
		for seed := range uint64(6) {
			request := plan.Request{Scenario: scenarioOf(t, c.faults), Seed: seed}
			p, err := plan.Build(t.Context(), bed.Env, request)
			again, _ := plan.Build(t.Context(), bed.Env, request)
			if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) || plan.Names(p.Steps) != plan.Names(again.Steps) {
				t.Errorf("%s, seed %d: %s, then %s: %v", c.faults, seed, plan.Names(p.Steps), plan.Names(again.Steps), err)
			}
			for _, step := range p.Steps {
				if err == nil && (step.Component.ID == stopped || !slices.Equal(step.LeftOut, []string{name(stopped)})) {
					t.Errorf("%s, seed %d: %s, left out: %v", c.faults, seed, step.Component.Name, step.LeftOut)
				}
				drawn[step.Component.ID] = drawn[step.Component.ID] || err == nil
			}
		}
	}
	if !drawn[one] || !drawn[two] {
		t.Errorf("of two, only one was ever chosen: %v", drawn)
	}
	if after := lives(); !slices.Equal(before, after) {
		t.Errorf("before: %v, after: %v", before, after)
	}
}
