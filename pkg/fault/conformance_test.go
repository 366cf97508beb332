package fault_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// conformance is what every kind is held to, on a real engine. A kind that is
// not in the table fails [TestEveryKindIsHeldToTheSuite].
type conformance struct {
	fault   fault.Fault
	restart container.RestartPolicyMode
	// felt is how a client and the engine see it while it is in force.
	felt func(b *enginetest.Bed, id string) bool
	// refusesRepeat tells whether a component under the fault is refused.
	refusesRepeat bool
}

func suite() map[string]conformance {
	down := func(b *enginetest.Bed, id string) bool {
		return !b.Inspect(id).State.Running && !b.Serves(id)
	}
	return map[string]conformance{
		"kill": {fault: &fault.Kill{}, restart: "always", felt: down, refusesRepeat: true},
		"stop": {fault: &fault.Stop{}, restart: "always", felt: down, refusesRepeat: true},
		"pause": {fault: &fault.Pause{}, restart: "no", refusesRepeat: true, felt: func(b *enginetest.Bed, id string) bool {
			return b.Inspect(id).State.Paused && !b.Serves(id)
		}},
		"crash": {fault: &fault.Crash{}, restart: "no", refusesRepeat: true, felt: down},
		"restart": {fault: &fault.Restart{}, restart: "no", felt: func(b *enginetest.Bed, id string) bool {
			return b.Inspect(id).State.Running
		}},
		"noop": {fault: &fault.Noop{}, restart: "no", felt: (*enginetest.Bed).Serves},
	}
}

func TestEveryKindIsHeldToTheSuite(t *testing.T) {
	t.Parallel()
	cases := suite()
	for _, k := range fault.Kinds() {
		if _, ok := cases[k.Name]; !ok {
			t.Errorf("kind %s has no conformance case", k.Name)
		}
		if k.Doc == "" {
			t.Errorf("kind %s has no doc", k.Name)
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, c := range suite() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.run(t, name)
		})
	}
}

func (c conformance) run(t *testing.T, name string) {
	t.Helper()
	ctx := t.Context()
	b := enginetest.New(t)
	id := b.Start(c.restart)
	h := b.Open(id)
	before := b.Inspect(id)

	was, err := c.fault.Prepare(ctx, h)
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	if !sameLife(before, b.Inspect(id)) {
		t.Fatal("prepare changed the component")
	}
	component, err := h.Look(ctx)
	if err != nil {
		t.Fatal(err)
	}
	entry := throughDisk(t, name, c.fault, component, was)

	// Undone before it was done.
	undo(t, b, entry)
	if !sameLife(before, b.Inspect(id)) {
		t.Fatal("undoing what was never done changed the component")
	}

	if err := c.fault.Inject(ctx, h, was); err != nil {
		t.Fatalf("inject: %v", err)
	}
	b.Eventually("it is felt", func() bool { return c.felt(b, id) })
	if verifier, ok := c.fault.(fault.Verifier); ok {
		b.Eventually("its own check holds", func() bool { return verifier.InForce(ctx, h, was) == nil })
	}
	if c.refusesRepeat {
		if _, err := c.fault.Prepare(ctx, h); err == nil {
			t.Error("a component that is broken already was accepted")
		}
	}

	for range 2 { // safe to repeat
		undo(t, b, entry)
	}
	b.Eventually("users are served again", func() bool { return b.Serves(id) })
	after := b.Inspect(id)
	if after.State.Paused || !after.State.Running || !reflect.DeepEqual(before.HostConfig, after.HostConfig) {
		t.Errorf("not as before: %+v", after.State)
	}
	if verifier, ok := c.fault.(fault.Verifier); ok && name != "noop" && name != "crash" && name != "restart" {
		if err := verifier.InForce(ctx, h, was); !errors.Is(err, fault.ErrNotInForce) {
			t.Errorf("in force after it was undone: %v", err)
		}
	}

	b.Remove(id)
	undo(t, b, entry) // the component is gone: nothing left to mend
}

func sameLife(a, b container.InspectResponse) bool {
	return a.State.Pid == b.State.Pid && a.State.StartedAt == b.State.StartedAt && a.State.Status == b.State.Status
}

// throughDisk is an entry as another process finds it.
func throughDisk(t *testing.T, kind string, f fault.Fault, c target.Component, was fault.State) journal.Entry {
	t.Helper()
	entry, err := fault.Entry("1", kind, f, c, was)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(entry)
	if err != nil {
		t.Fatal(err)
	}
	var again journal.Entry
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	decoded, err := fault.Decode(again)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(decoded, f) {
		t.Fatalf("decoded %+v, encoded %+v", decoded, f)
	}
	return again
}

func undo(t *testing.T, b *enginetest.Bed, e journal.Entry) {
	t.Helper()
	if err := fault.Undo(t.Context(), b.Env, e); err != nil {
		t.Fatalf("undo: %v", err)
	}
}

// The difference between the loss of a host and a crash: the same container
// with the same restart policy stays down after one, and comes back after the
// other.
func TestCrashMayHealAndKillMayNot(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	ctx := t.Context()
	crashed, killed := b.Start("always"), b.Start("always")
	crash, kill := &fault.Crash{}, &fault.Kill{}
	was, err := crash.Prepare(ctx, b.Open(crashed))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(crash.Inject(ctx, b.Open(crashed), was), kill.Inject(ctx, b.Open(killed), nil)); err != nil {
		t.Fatal(err)
	}
	b.Eventually("the crashed one is back by its restart policy", func() bool {
		return b.Inspect(crashed).RestartCount == 1 && b.Serves(crashed)
	})
	if err := crash.InForce(ctx, b.Open(crashed), was); err != nil {
		t.Errorf("a crash that healed counts as one that never was: %v", err)
	}
	if healed, err := crash.Healed(ctx, b.Open(crashed), was); !healed || err != nil {
		t.Errorf("healed is %v, %v", healed, err)
	}
	if s := b.Inspect(killed).State; s.Running || s.ExitCode != 137 {
		t.Errorf("the killed one: %+v", s)
	}
}

// What was paused or stopped before is neither broken nor mended.
func TestWhatWasSoBeforeStaysSo(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	ctx := t.Context()
	id := b.Start("no")
	if err := b.Client.ContainerPause(ctx, id); err != nil {
		t.Fatal(err)
	}
	for _, k := range fault.Kinds() {
		if k.Name == "noop" {
			continue
		}
		if _, err := k.New().Prepare(ctx, b.Open(id)); err == nil {
			t.Errorf("%s accepts a component that somebody else has paused", k.Name)
		}
	}
	stopped := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	was, _ := json.Marshal(map[string]any{"state": "exited", "started": stopped})
	for _, f := range []fault.Fault{&fault.Kill{}, &fault.Stop{}, &fault.Crash{}, &fault.Restart{}} {
		if err := f.Revert(ctx, b.Open(id), was); err != nil {
			t.Error(err)
		}
	}
	if s := b.Inspect(id).State; !s.Paused {
		t.Errorf("it was unpaused: %+v", s)
	}
}
