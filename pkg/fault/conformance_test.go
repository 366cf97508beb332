package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
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
	fault fault.Fault
	host  container.HostConfig
	// network tells whether it takes a network of its own, with a peer on it.
	network bool
	// felt is how a client and the engine or its kernel see it while it is in
	// force.
	felt func(s scene) bool
	// notFelt must hold all the while: what the fault must leave alone.
	notFelt func(s scene) bool
	// refusesRepeat tells whether a component under the fault is refused.
	refusesRepeat bool
	// moment tells that the effect is over at once, and InForce holds for ever.
	moment bool
}

// scene is where a kind is tried.
type scene struct {
	*enginetest.Bed

	id   string // the component
	peer string // another one on its network, if there is one
}

func always() container.HostConfig {
	return container.HostConfig{RestartPolicy: container.RestartPolicy{Name: "always"}}
}

func suite() map[string]conformance {
	all := lifecycleSuite()
	maps.Copy(all, packetSuite())
	maps.Copy(all, diskSuite())
	maps.Copy(all, insideSuite())
	return all
}

func lifecycleSuite() map[string]conformance {
	down := func(s scene) bool { return !s.Inspect(s.id).State.Running && !s.Serves(s.id) }
	return map[string]conformance{
		"kill": {fault: &fault.Kill{}, host: always(), felt: down, refusesRepeat: true},
		"stop": {fault: &fault.Stop{}, host: always(), felt: down, refusesRepeat: true},
		"pause": {fault: &fault.Pause{}, refusesRepeat: true, felt: func(s scene) bool {
			return s.Inspect(s.id).State.Paused && !s.Serves(s.id)
		}},
		"crash":   {fault: &fault.Crash{}, refusesRepeat: true, felt: down, moment: true},
		"restart": {fault: &fault.Restart{}, felt: func(s scene) bool { return s.Inspect(s.id).State.Running }, moment: true},
		"noop":    {fault: &fault.Noop{}, felt: func(s scene) bool { return s.Serves(s.id) }, moment: true},
	}
}

func TestEveryKindIsHeldToTheSuite(t *testing.T) {
	t.Parallel()
	cases := suite()
	for _, k := range fault.Kinds() {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(cases)), func(name string) bool {
			return kindOf(name) == k.Name
		}) {
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
			enginetest.Shared(t)
			c.run(t, name)
		})
	}
}

// begin sets the scene.
func (c conformance) begin(tb testing.TB) scene {
	tb.Helper()
	s := scene{Bed: enginetest.New(tb)}
	host := c.host
	if c.network {
		host.NetworkMode = container.NetworkMode(s.Network())
	}
	s.id = s.StartWith(host)
	if c.network {
		s.peer = s.StartWith(container.HostConfig{NetworkMode: host.NetworkMode}, "gameday.test.peer=yes")
		s.Echo(s.id)
	}
	return s
}

func (c conformance) run(t *testing.T, name string) {
	t.Helper()
	ctx := withPerson(t)
	s := c.begin(t)
	h := s.Open(s.id)
	before, kernel := s.Inspect(s.id), s.Kernel(s.id)

	was, err := c.fault.Prepare(ctx, h)
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	if !sameLife(before, s.Inspect(s.id)) {
		t.Fatal("prepare changed the component")
	}
	component, err := h.Look(ctx)
	if err != nil {
		t.Fatal(err)
	}
	entry := throughDisk(t, kindOf(name), c.fault, component, was)

	// Undone before it was done.
	undo(t, s.Bed, entry)
	if !sameLife(before, s.Inspect(s.id)) {
		t.Fatal("undoing what was never done changed the component")
	}

	if warmer, ok := c.fault.(fault.Warmer); ok {
		if err := warmer.Warm(ctx, h); err != nil {
			t.Fatalf("warm: %v", err)
		}
		if c.felt(s) && c.notFelt != nil {
			t.Fatal("what is ready already has its effect")
		}
	}
	if err := c.fault.Inject(ctx, h, was); err != nil {
		t.Fatalf("inject: %v", err)
	}
	s.Eventually("it is felt", func() bool { return c.felt(s) })
	if c.notFelt != nil && !c.notFelt(s) {
		t.Error("it is felt by those whom it is not about")
	}
	if verifier, ok := c.fault.(fault.Verifier); ok {
		s.Eventually("its own check holds", func() bool { return verifier.InForce(ctx, h, was) == nil })
	}
	if feeler, ok := c.fault.(fault.Feeler); ok && c.network {
		if n, known, err := feeler.Felt(ctx, h, was); err != nil || !known || n == 0 {
			t.Errorf("it has met %d packets (%v, %v)", n, known, err)
		}
	}
	if c.refusesRepeat {
		if _, err := c.fault.Prepare(ctx, h); err == nil {
			t.Error("a component that is broken already was accepted")
		}
	}

	for range 2 { // safe to repeat
		undo(t, s.Bed, entry)
	}
	s.Eventually("users are served again", func() bool { return s.Serves(s.id) })
	after := s.Inspect(s.id)
	if after.State.Paused || !after.State.Running || !reflect.DeepEqual(settings(before), settings(after)) {
		t.Errorf("not as before: %+v", after.State)
	}
	if got := s.Kernel(s.id); got != kernel {
		t.Errorf("the kernel had\n%s\nand has\n%s", kernel, got)
	}
	if verifier, ok := c.fault.(fault.Verifier); ok && !c.moment {
		if err := verifier.InForce(ctx, h, was); !errors.Is(err, fault.ErrNotInForce) {
			t.Errorf("in force after it was undone: %v", err)
		}
	}

	s.Remove(s.id)
	undo(t, s.Bed, entry) // the component is gone: nothing left to mend
	if err := s.Env.Close(); err != nil {
		t.Errorf("let go of the engine: %v", err)
	}
	if left := s.Helpers(s.id); len(left) > 0 {
		t.Errorf("helpers are left: %v", left)
	}
}

// settings are what a container was given, with one way to write "no limit".
func settings(c container.InspectResponse) container.HostConfig {
	host := *c.HostConfig
	if host.CPUQuota <= 0 {
		host.CPUQuota, host.CPUPeriod = 0, 0
	}
	if host.PidsLimit != nil && *host.PidsLimit <= 0 {
		host.PidsLimit = nil
	}
	return host
}

// willing is a person who does whatever they are told.
type willing struct{}

func (willing) Do(context.Context, string) error { return nil }

func withPerson(t *testing.T) context.Context {
	t.Helper()
	return fault.WithPerson(t.Context(), willing{})
}

// kindOf is the kind of a case: "drop, a share" is one of drop.
func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, ", ")
	return kind
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
	if err := fault.Undo(withPerson(t), b.Env, e); err != nil {
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
		if _, free := k.New().(interface{ Targetless() }); free || k.Name == "noop" {
			continue // not about the component
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
