package fault_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// begun is a fault that was prepared and injected in a world.
type begun struct {
	fault.Fault

	t   *testing.T
	w   *world
	h   *memory
	was fault.State
}

func begin(t *testing.T, w *world, kind, spec string) begun {
	t.Helper()
	b := begun{made(t, kind, spec), t, w, w.open(t), nil}
	var err error
	if b.was, err = b.Prepare(t.Context(), b.h); err != nil {
		t.Fatal(err)
	}
	if err := b.Inject(t.Context(), b.h, b.was); err != nil {
		t.Fatal(err)
	}
	return b
}

// revert undoes it in the same process.
func (b begun) revert() {
	b.t.Helper()
	if err := b.Revert(b.t.Context(), b.h, b.was); err != nil {
		b.t.Fatal(err)
	}
}

// lost tells whether it is no longer in force.
func (b begun) lost() bool {
	b.t.Helper()
	v, ok := b.Fault.(fault.Verifier)
	if !ok {
		b.t.Fatalf("%T cannot tell", b.Fault)
	}
	err := v.InForce(b.t.Context(), b.h, b.was)
	if err != nil && !errors.Is(err, fault.ErrNotInForce) {
		b.t.Fatal(err)
	}
	return err != nil
}

func TestInMemoryWhatIsOrdered(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"kill": "kill start", "stop": "stop start", "pause": "pause unpause", "crash": "crash start",
		"restart": "stop start start", "cpu": "limits limits", "memory": "limits limits", "pids": "limits limits",
		"noop": "", "process": "do stop start", "file": "do do", "drop": "apply",
	} {
		w := newWorld()
		begin(t, w, kind, specs()[kind]).revert()
		if got := strings.Join(w.ordered(), " "); got != want {
			t.Errorf("%s: ordered %q, expected %q", kind, got, want)
		}
	}
}

// Undone by the process that has the helper, a fault is undone by that helper.
func TestInMemoryUndoByTheHelperThatDidIt(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		if inert(kind) {
			return
		}
		w := newWorld()
		before := w.snapshot()
		b := begin(t, w, kind, specs()[kind])
		b.revert()
		b.revert()
		if after := w.snapshot(); after != before {
			t.Errorf("%T: undone, it is not as before:\n%s\n%s", f, before, after)
		}
	})
}

// Somebody starts a component that is to stay down: the fault is lost.
func TestInMemorySomebodyElseStartsIt(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"kill", "stop"} {
		w := newWorld()
		b := begin(t, w, kind, `{}`)
		for _, state := range []target.State{target.Running, target.Restarting} {
			w.c.State = state
			if !b.lost() {
				t.Errorf("%s: in force on one that is %s", kind, state)
			}
		}
		w.c.State = target.Paused
		if b.lost() {
			t.Errorf("%s: lost on one that is paused", kind)
		}
		w.gone = true
		if b.lost() {
			t.Errorf("%s: lost on one that is gone, and as down as can be", kind)
		}
	}
}

func TestInMemoryPauseAndOthers(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := begin(t, w, "pause", `{}`)
	w.c.State = target.Stopped // somebody has stopped it meanwhile
	if !b.lost() {
		t.Error("in force on one that is stopped")
	}
	b.revert()
	if w.c.State != target.Stopped || slices.Contains(w.ordered(), "unpause") {
		t.Errorf("it is %s by %v", w.c.State, w.ordered())
	}
}

// A crash is in force once the former process has died, whether or not a restart
// policy brings the component back, and heals when one does.
func TestInMemoryCrashHeals(t *testing.T) {
	t.Parallel()
	for name, healing := range map[string]bool{"with a restart policy": true, "without": false} {
		w := newWorld()
		w.healing = healing
		b := begin(t, w, "crash", `{}`)
		if b.lost() {
			t.Errorf("%s: not in force", name)
		}
		healed, err := b.Fault.(fault.Healer).Healed(t.Context(), b.h, b.was)
		if err != nil || healed != healing {
			t.Errorf("%s: healed is %v (%v)", name, healed, err)
		}
		b.revert()
		if w.c.State != target.Running {
			t.Errorf("%s: undone, it is %s", name, w.c.State)
		}
	}
}

func TestInMemoryWarm(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, _ string, f fault.Fault) {
		t.Helper()
		warmer, ok := f.(fault.Warmer)
		if !ok {
			return
		}
		w := newWorld()
		before := w.snapshot()
		if err := warmer.Warm(t.Context(), w.open(t)); err != nil || w.snapshot() != before || len(w.ordered()) > 0 {
			t.Errorf("it changed something by %v (%v)", w.ordered(), err)
		}
		if err := warmer.Warm(t.Context(), lookOnly{w.open(t)}); !errors.Is(err, target.ErrUnsupported) {
			t.Errorf("one that can be looked at only: %v", err)
		}
		w.broken = errors.New("the engine is away")
		if err := warmer.Warm(t.Context(), w.open(t)); !errors.Is(err, w.broken) {
			t.Errorf("an engine that fails: %v", err)
		}
	})
}

// What cannot be ordered of a handle is an error of every step.
func TestInMemoryAHandleThatCanBeLookedAtOnly(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, kind string, f fault.Fault) {
		t.Helper()
		if inert(kind) {
			return
		}
		w := newWorld()
		was, err := f.Prepare(t.Context(), w.open(t))
		if err != nil {
			t.Fatal(err)
		}
		w.c.State = target.Paused // so that there is something to undo
		if err := f.Inject(t.Context(), lookOnly{w.open(t)}, was); !errors.Is(err, target.ErrUnsupported) {
			t.Errorf("injected: %v", err)
		}
		if err := f.Revert(t.Context(), lookOnly{w.open(t)}, was); !errors.Is(err, target.ErrUnsupported) {
			t.Errorf("reverted: %v", err)
		}
	})
}

func TestInMemoryProcesses(t *testing.T) {
	t.Parallel()
	f := made(t, "process", `{"name": "none"}`)
	w := newWorld()
	if _, err := f.Prepare(t.Context(), w.open(t)); err == nil || !strings.Contains(err.Error(), "no such process") {
		t.Errorf("a process that is not there: %v", err)
	}
	// Where somebody has started the process again, nothing is left to undo.
	b := begin(t, w, "process", `{"name": "walwriter", "signal": "TERM"}`)
	if !slices.Equal(w.processes, []string{"postgres"}) {
		t.Fatalf("processes: %v", w.processes)
	}
	w.processes = append(w.processes, "walwriter")
	b.revert()
	if slices.Contains(w.ordered(), "stop") {
		t.Errorf("ordered %v", w.ordered())
	}
	// Where the component went down with it, it is started, and not stopped first.
	b = begin(t, w, "process", `{"name": "postgres"}`)
	w.c.State = target.Stopped
	b.revert()
	if w.c.State != target.Running || slices.Contains(w.ordered(), "stop") {
		t.Errorf("it is %s by %v", w.c.State, w.ordered())
	}
}

// A helper that cannot be had does not mean that the process is gone: nothing is
// restarted by mistake.
func TestInMemoryAProcessThatCannotBeAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld()
	b := begin(t, w, "process", `{"name": "walwriter"}`)
	w.processes = append(w.processes, "walwriter") // it came back
	away := noHelper{w.open(t)}
	if healed, err := b.Fault.(fault.Healer).Healed(t.Context(), away, b.was); healed || !errors.Is(err, errNoHelper) {
		t.Errorf("healed is %v (%v)", healed, err)
	}
	if err := b.Revert(t.Context(), away, b.was); !errors.Is(err, errNoHelper) || slices.Contains(w.ordered(), "stop") {
		t.Errorf("ordered %v (%v)", w.ordered(), err)
	}
}
