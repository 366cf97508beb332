package fault_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// specs are settings of every kind, as the journal has them.
func specs() map[string]string {
	return map[string]string{
		"bandwidth":   `{"rate": "10mbit"}`,
		"command":     `{"inject": ["true"], "undo": ["true"]}`,
		"connections": `{"max": 5, "ports": [80]}`,
		"corrupt":     `{"share": "1%"}`,
		"cpu":         `{"cores": 0.5}`,
		"crash":       `{}`,
		"delay":       `{"by": 1000000, "peer": {"service": "app"}}`,
		"dns":         `{"answer": "refused"}`,
		"drop":        `{"share": "10%", "ports": [5432], "protocol": "tcp"}`,
		"duplicate":   `{"share": "5%"}`,
		"file":        `{"path": "/etc/cert.pem", "do": "corrupt"}`,
		"fill":        `{"path": "/data", "leave": "1MiB"}`,
		"hang":        `{"process": "postgres"}`,
		"isolate":     `{"keep_probe": true}`,
		"kill":        `{}`,
		"manual":      `{"do": "pull the plug", "undo": "put it back"}`,
		"memory":      `{"limit": "64MiB"}`,
		"noop":        `{}`,
		"partition":   `{"from": {"service": "app"}}`,
		"pause":       `{}`,
		"pids":        `{"max": 10}`,
		"process":     `{"name": "walwriter"}`,
		"readonly":    `{"path": "/data"}`,
		"reject":      `{"ports": [8080], "with": "reset", "protocol": "tcp"}`,
		"reorder":     `{"share": "25%", "by": 20000000}`,
		"restart":     `{}`,
		"stop":        `{}`,
	}
}

// made is the fault of a kind with these settings, which are right.
func made(t *testing.T, kind, spec string) fault.Fault {
	t.Helper()
	k, ok := fault.Specs().Find(kind)
	if !ok {
		t.Fatalf("no kind %s", kind)
	}
	s := k.New()
	if err := json.Unmarshal([]byte(spec), s); err != nil {
		t.Fatal(err)
	}
	if c, ok := s.(fault.Checker); ok {
		if err := c.Check(); err != nil {
			t.Fatal(err)
		}
	}
	f, ok := fault.Of(s)
	if !ok {
		t.Fatalf("%T is no fault", s)
	}
	return f
}

// eachKind runs a test of every kind.
func eachKind(t *testing.T, test func(t *testing.T, kind string, f fault.Fault)) {
	t.Helper()
	all := specs()
	for _, k := range fault.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			spec, ok := all[k.Name]
			if !ok {
				t.Fatalf("no settings of %s: add some to specs", k.Name)
			}
			test(t, k.Name, made(t, k.Name, spec))
		})
	}
}

// inert are the kinds that do nothing to the component by themselves.
func inert(kind string) bool { return slices.Contains([]string{"noop", "command", "manual"}, kind) }

func TestInMemoryPrepareChangesNothing(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, _ string, f fault.Fault) {
		t.Helper()
		w := newWorld()
		before := w.snapshot()
		was, err := f.Prepare(withPerson(t), w.open(t))
		if err != nil {
			t.Fatal(err)
		}
		if len(was) > 0 && !json.Valid(was) {
			t.Errorf("the state is no JSON: %s", was)
		}
		if after := w.snapshot(); after != before || len(w.ordered()) > 0 {
			t.Errorf("it changed the component by %v:\n%s\n%s", w.ordered(), before, after)
		}
	})
}

// A component that does not run is refused, and one that is gone, and one that
// lacks what the kind needs.
func TestInMemoryPrepareRefuses(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		ctx := withPerson(t)
		for _, state := range []target.State{target.Stopped, target.Paused, target.Restarting} {
			w := newWorld()
			w.c.State = state
			if _, err := f.Prepare(ctx, w.open(t)); (err == nil) != inert(kind) {
				t.Errorf("of one that is %s: %v", state, err)
			}
		}
		if kind == "command" || kind == "manual" {
			return // not about the component
		}
		w := newWorld()
		w.gone = true
		if _, err := f.Prepare(ctx, w.open(t)); !errors.Is(err, target.ErrGone) {
			t.Errorf("of one that is gone: %v", err)
		}
		w = newWorld()
		if _, err := f.Prepare(ctx, lookOnly{w.open(t)}); kind != "noop" && !errors.Is(err, target.ErrUnsupported) {
			t.Errorf("of one that can be looked at only: %v", err)
		}
	})
}

// The whole life of a fault: not in force before, in force until it is undone by
// another process from the journal alone, twice, and then all is as before.
func TestInMemoryInjectAndUndo(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		ctx := withPerson(t)
		w := newWorld()
		h := w.open(t)
		before := w.snapshot()
		was, err := f.Prepare(ctx, h)
		if err != nil {
			t.Fatal(err)
		}
		entry := throughDisk(t, kind, f, w.c, was)
		verifier, verifies := f.(fault.Verifier)
		if verifies && !inert(kind) && kind != "process" {
			if err := verifier.InForce(ctx, h, was); !errors.Is(err, fault.ErrNotInForce) {
				t.Errorf("in force before it was ordered: %v", err)
			}
		}
		if err := f.Inject(ctx, h, was); err != nil {
			t.Fatal(err)
		}
		if (len(w.ordered()) == 0) != inert(kind) {
			t.Errorf("ordered %v", w.ordered())
		}
		if verifies {
			if err := verifier.InForce(ctx, h, was); err != nil {
				t.Errorf("not in force: %v", err)
			}
		}
		if after := w.snapshot(); after == before && !inert(kind) && kind != "restart" {
			t.Errorf("it has no effect")
		}
		env := elsewhere{w, t}
		for range 2 {
			if err := fault.Undo(ctx, env, entry); err != nil {
				t.Fatal(err)
			}
			if after := w.snapshot(); after != before {
				t.Errorf("undone, it is not as before:\n%s\n%s", before, after)
			}
		}
		if healer, heals := f.(fault.Healer); heals {
			if healed, err := healer.Healed(ctx, w.open(t), was); err != nil || !healed {
				t.Errorf("undone, it is not healed: %v", err)
			}
		}
		if verifies && !inert(kind) && !slices.Contains([]string{"process", "crash", "restart"}, kind) {
			if err := verifier.InForce(ctx, w.open(t), was); !errors.Is(err, fault.ErrNotInForce) {
				t.Errorf("in force after it was undone: %v", err)
			}
		}
	})
}

// Where Inject never ran, undoing changes nothing.
func TestInMemoryUndoOfWhatWasNeverDone(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		ctx := withPerson(t)
		w := newWorld()
		before := w.snapshot()
		was, err := f.Prepare(ctx, w.open(t))
		if err != nil {
			t.Fatal(err)
		}
		started := w.c.Started
		if err := fault.Undo(ctx, elsewhere{w, t}, throughDisk(t, kind, f, w.c, was)); err != nil {
			t.Fatal(err)
		}
		if after := w.snapshot(); after != before || !w.c.Started.Equal(started) || slices.Contains(w.ordered(), "stop") {
			t.Errorf("it changed something by %v:\n%s\n%s", w.ordered(), before, after)
		}
	})
}

// A component that is gone has nothing left to undo.
func TestInMemoryUndoOfWhatIsGone(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		ctx := withPerson(t)
		w := newWorld()
		was, err := f.Prepare(ctx, w.open(t))
		if err != nil {
			t.Fatal(err)
		}
		entry := throughDisk(t, kind, f, w.c, was)
		w.gone = true
		if err := fault.Undo(ctx, elsewhere{w, t}, entry); err != nil {
			t.Errorf("where the component cannot be opened: %v", err)
		}
		if err := f.Revert(ctx, w.open(t), was); err != nil && !errors.Is(err, target.ErrGone) {
			t.Errorf("where it goes meanwhile: %v", err)
		}
	})
}

// An engine that fails is an error, and neither "in force" nor "undone".
func TestInMemoryAnEngineThatFails(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		if kind == "command" || kind == "manual" {
			return // not about the engine
		}
		ctx := withPerson(t)
		w := newWorld()
		h := w.open(t)
		was, err := f.Prepare(ctx, h)
		if err != nil {
			t.Fatal(err)
		}
		broken := errors.New("the engine is away")
		w.broken = broken
		if _, err := f.Prepare(ctx, h); !errors.Is(err, broken) {
			t.Errorf("prepared: %v", err)
		}
		if kind == "noop" {
			return
		}
		if err := f.Inject(ctx, w.open(t), was); !errors.Is(err, broken) {
			t.Errorf("injected: %v", err)
		}
		if err := f.Revert(ctx, w.open(t), was); !errors.Is(err, broken) {
			t.Errorf("reverted: %v", err)
		}
		if healer, ok := f.(fault.Healer); ok {
			if healed, err := healer.Healed(ctx, w.open(t), was); healed || !errors.Is(err, broken) {
				t.Errorf("healed: %v %v", healed, err)
			}
		}
		err = fault.Undo(ctx, elsewhere{w, t}, throughDisk(t, kind, f, w.c, was))
		if !errors.Is(err, broken) || len(w.ordered()) > 0 {
			t.Errorf("undone: %v, by %v", err, w.ordered())
		}
	})
}
