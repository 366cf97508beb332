package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// place is an environment, and the state folder of a user who runs game days in it.
type place struct {
	*world

	home string
	said *said
}

// said is what runs have told, in its order.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) add(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

// index is the place of the first line that contains a text, or -1.
func (s *said) index(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.IndexFunc(s.lines, func(l string) bool { return strings.Contains(l, text) })
}

func newPlace(t *testing.T) *place {
	t.Helper()
	return &place{newWorld(t), t.TempDir(), &said{}}
}

// Confirm implements [run.Walk].
func (w *world) Confirm(context.Context, *record.Acked, func(done, all int)) error { return nil }

// open is the opener of a user who has only the journal.
func open(_ context.Context, h journal.Header) (target.Site, target.Provisioner, error) {
	settings := &toyenv.Settings{}
	if err := json.Unmarshal(h.Address, settings); err != nil {
		return nil, nil, err
	}
	env := &toyenv.Env{Dir: settings.Dir}
	labs, err := labs().On(env, quiet())
	return env, labs, err
}

func labs() toyenv.Labs { return toyenv.Labs{{Name: "db", Service: "db"}} }

func quiet() target.Progress {
	return target.Progress{Step: func(string) {}, Detail: func(string) {}}
}

// day is a whole game day at the place, with a guard in this process.
func (p *place) day(t *testing.T, environment string) run.Day {
	t.Helper()
	labs, err := labs().On(p.Env, quiet())
	if err != nil {
		t.Fatal(err)
	}
	s := scenario.Scenario{
		Name: "db-loss", Objective: scenario.Objective{RTO: 30 * time.Second, Good: 0.99, Within: 500 * time.Millisecond, Window: time.Second, Hold: 5 * time.Second},
		Load:   []scenario.JourneyLoad{{Journey: "checkout", Rate: probe.Rate{Users: 50, Per: time.Second}, Critical: true}},
		Faults: []scenario.Fault{killDB()},
		Timing: scenario.Timing{Baseline: 10 * time.Second, Watch: 40 * time.Second, Repair: 60 * time.Second},
	}
	return run.Day{
		Scenario: s, Environment: scenario.Environment{Name: environment, Kind: toyenv.Kind, Settings: &toyenv.Settings{Dir: p.Dir}},
		Journeys: []probe.Journey{{Name: "checkout"}}, Site: p.Env, Labs: labs, Open: open,
		StateDir: p.home, Out: filepath.Join(p.home, "runs"), Meter: run.NewMeter(s.Objective.Verdict()),
		Guard: p.guard(t), Report: func(string) error { return nil },
		Walks: func(int, uint64) run.Walk { return p.world },
		Observe: func(u run.Update) {
			switch {
			case u.Phase != "":
				p.said.add("phase " + string(u.Phase))
			case u.Event != nil:
				p.said.add(u.Event.What)
			default:
				p.said.add(u.Text)
			}
		},
	}
}

// guard starts guards as goroutines. They have an environment of their own, as another
// process has.
func (p *place) guard(t *testing.T) func(string) (run.Guardian, error) {
	t.Helper()
	return func(path string) (run.Guardian, error) {
		ready, gone, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		var err error
		go func() {
			defer close(ended)
			err = run.Replay{StateDir: p.home, Open: open, Note: p.said.add}.Guard(context.WithoutCancel(t.Context()), path, func() error {
				close(ready)
				return nil
			}, gone)
		}()
		select {
		case <-ready:
		case <-ended:
			return run.Guardian{}, err
		}
		return run.Guardian{Leave: func() { close(gone) }, Ended: ended}, nil
	}
}

// journals are those that are left.
func (p *place) journals(t *testing.T) []string {
	t.Helper()
	paths, err := journal.List(run.JournalDir(p.home))
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// left writes the journal of a run that has killed the database and has died.
func (p *place) left(t *testing.T) string {
	t.Helper()
	h, err := p.Open(t.Context(), "db")
	if err != nil {
		t.Fatal(err)
	}
	was, err := (&fault.Kill{}).Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	component, err := h.Look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	entry, err := fault.Entry("fault-0", "kill", &fault.Kill{}, component, was)
	if err != nil {
		t.Fatal(err)
	}
	address, err := json.Marshal(toyenv.Settings{Dir: p.Dir})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Create(filepath.Join(run.JournalDir(p.home), "dead"+journal.Suffix), journal.Header{
		Run: "dead", Environment: "staging", Kind: toyenv.Kind, Address: address, Lock: p.ID(), PID: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Begin(entry), j.Done(entry.ID), h.(target.Killer).Kill(t.Context()), j.Close()); err != nil {
		t.Fatal(err)
	}
	return j.Path()
}

// A whole game day in a bubble: a lab is brought up, a fault is injected and reverted,
// and what was brought up is taken down.
func TestAWholeDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		if err := p.Remove("db"); err != nil {
			t.Fatal(err)
		}
		day := p.day(t, "lab/toy")
		day.Lab = target.Lab{Name: "toy"}
		began := time.Now()
		dir, err := day.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f, err := run.Open(dir)
		if err != nil || !f.Meta.Steps[0].Undone || f.Meta.Environment != "lab/toy" {
			t.Errorf("%+v %v", f.Meta, err)
		}
		if p.state() != "gone" || len(p.journals(t)) != 0 || p.Kills.Load() != 1 || p.Starts.Load() != 1 {
			t.Errorf("the lab is %s, journals %v, %d kills, %d starts", p.state(), p.journals(t), p.Kills.Load(), p.Starts.Load())
		}
		if took := time.Since(began); took < 50*time.Second || took > 70*time.Second {
			t.Errorf("took %v", took)
		}
		if _, err := os.Stat(filepath.Join(p.Dir, "lock")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the lock is left: %v", err)
		}
	})
}

// What a dead run has left is undone where it was done, whatever the environment is
// called: not on another engine whose environment has the same name (H1), and on the
// same one under another name (H1c).
func TestLeftoversBelongToAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		there, here := newPlace(t), newPlace(t)
		here.home, here.said = there.home, there.said // one user, two engines
		path := there.left(t)
		if _, err := here.day(t, "staging").Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if there.state() != target.Stopped || !slices.Contains(there.journals(t), path) {
			t.Fatalf("a run elsewhere has ended the journal of another engine: %s, journals %v", there.state(), there.journals(t))
		}
		if _, err := there.day(t, "staging-again").Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if there.state() != target.Running || len(there.journals(t)) != 0 {
			t.Errorf("what was left here is still there: %s, journals %v", there.state(), there.journals(t))
		}
		if undone, phase := here.said.index("undoing the remaining faults of run dead"), there.said.index("phase baseline"); undone < 0 || phase < 0 {
			t.Errorf("%q", here.said.lines)
		}
	})
}

// gameday undo plays every journal on its own engine, though all are called the same.
func TestUndoOpensEachByItsOwnAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := newPlace(t), newPlace(t)
		pathA := a.left(t)
		data, err := os.ReadFile(b.left(t))
		if err == nil {
			err = os.WriteFile(strings.Replace(pathA, "dead", "dead-b", 1), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		done, err := run.Replay{StateDir: a.home, Open: open, Note: a.said.add}.All(t.Context())
		if done.Undone != 2 || done.Left != nil || err != nil || a.state() != target.Running || b.state() != target.Running {
			t.Errorf("%d undone, left %v, %v; %s and %s", done.Undone, done.Left, err, a.state(), b.state())
		}
	})
}

// An address that leads to another engine by now undoes nothing there (H1b).
func TestAnAddressThatLeadsElsewhere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		there, here := newPlace(t), newPlace(t)
		path := there.left(t)
		elsewhere := func(context.Context, journal.Header) (target.Site, target.Provisioner, error) {
			return here.Env, nil, nil
		}
		done, err := run.Replay{StateDir: there.home, Open: elsewhere, Note: there.said.add}.All(t.Context())
		if done.Undone != 0 || err != nil || done.Left == nil || !strings.Contains(done.Left.Error(), "its address now leads to") {
			t.Errorf("%d undone, left %v, %v", done.Undone, done.Left, err)
		}
		if !slices.Contains(there.journals(t), path) {
			t.Error("the journal is gone")
		}
	})
}

// A journal that was written before journals named their lock is undone if its
// component is there; that it is not found proves nothing.
func TestAJournalWithoutALock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		path := p.left(t)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		old := strings.Replace(string(data), `"lock":"`+p.ID()+`",`, "", 1)
		if old == string(data) {
			t.Fatal("the header has no lock to take out")
		}
		if err := errors.Join(os.WriteFile(path, []byte(old), 0o600), os.Rename(filepath.Join(p.Dir, "db.component"), filepath.Join(p.Dir, "hidden"))); err != nil {
			t.Fatal(err)
		}
		replay := run.Replay{StateDir: p.home, Open: open, Note: p.said.add}
		done, err := replay.All(t.Context())
		if done.Undone != 0 || err != nil || done.Left == nil || !strings.Contains(done.Left.Error(), "does not name the engine") {
			t.Errorf("%d undone, left %v, %v", done.Undone, done.Left, err)
		}
		if err := os.Rename(filepath.Join(p.Dir, "hidden"), filepath.Join(p.Dir, "db.component")); err != nil {
			t.Fatal(err)
		}
		if done, err = replay.All(t.Context()); done.Undone != 1 || done.Left != nil || err != nil || p.state() != target.Running {
			t.Errorf("%d undone, left %v, %v, %s", done.Undone, done.Left, err, p.state())
		}
	})
}

// Two users of one environment, each with a state folder of their own: the second is
// refused, and told who is there.
func TestTheLockLivesInTheEnvironment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ann := newPlace(t)
		bob := &place{ann.world, t.TempDir(), &said{}}
		first := make(chan error, 1)
		go func() { _, err := ann.day(t, "staging").Run(t.Context()); first <- err }()
		<-time.After(20 * time.Second) // in the watch
		_, err := bob.day(t, "staging").Run(t.Context())
		var busy *journal.BusyError
		if !errors.As(err, &busy) || !strings.Contains(busy.Holder.Run, "db-loss") || busy.Holder.PID != os.Getpid() || busy.Holder.Host == "" {
			t.Errorf("%v", err)
		}
		if bob.Kills.Load() != 1 {
			t.Errorf("%d kills", bob.Kills.Load())
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
		if _, err := bob.day(t, "staging").Run(t.Context()); err != nil {
			t.Errorf("after the first one: %v", err)
		}
	})
}

// A run that loses its lock ends, and undoes what it did.
func TestALostLockEndsTheRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		ended := make(chan struct{})
		var dir string
		var err error
		go func() { defer close(ended); dir, err = p.day(t, "staging").Run(t.Context()) }()
		<-time.After(20 * time.Second)
		if err := os.Remove(filepath.Join(p.Dir, "lock")); err != nil {
			t.Fatal(err)
		}
		<-ended
		f, openErr := run.Open(dir)
		if err != nil || openErr != nil || !strings.Contains(f.Meta.Aborted, "lock of the environment was lost") || p.state() != target.Running {
			t.Errorf("aborted %q, %v %v, %s", f.Meta.Aborted, err, openErr, p.state())
		}
	})
}

// A run that is killed leaves the environment to its guard: no other run begins before
// the guard has put it back.
func TestAGuardHoldsTheEnvironment(t *testing.T) {
	t.Parallel()
	dead := exec.CommandContext(t.Context(), "true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		path := p.left(t)
		// The guard of the dead run is still at work: its engine is slow.
		slow := func(ctx context.Context, h journal.Header) (target.Site, target.Provisioner, error) {
			site, labs, err := open(ctx, h)
			site.(*toyenv.Env).OnStart = func() error { <-time.After(7 * time.Second); p.said.add("the guard has started it"); return nil }
			return site, labs, err
		}
		ready, gone, guarded := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		run1, err := journal.Acquire(run.LockDir(p.home), p.ID(), journal.Holder{Run: "dead", PID: dead.Process.Pid})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			guarded <- run.Replay{StateDir: p.home, Open: slow, Note: p.said.add}.Guard(t.Context(), path, func() error { close(ready); return nil }, gone)
		}()
		<-ready
		close(gone) // kill -9
		if err := run1.Release(); err != nil {
			t.Fatal(err)
		}
		undo := run.Replay{StateDir: p.home, Open: open, Note: p.said.add}
		if _, err := undo.One(t.Context(), path); err != nil { // waits for the guard too
			t.Error(err)
		}
		if _, err := p.day(t, "staging").Run(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-guarded; err != nil {
			t.Error(err)
		}
		waiting, started, baseline := p.said.index("has died and still holds"), p.said.index("the guard has started it"), p.said.index("phase baseline")
		if waiting < 0 || started < waiting || baseline < started {
			t.Errorf("%q", p.said.lines)
		}
		if p.state() != target.Running || len(p.journals(t)) != 0 {
			t.Errorf("%s, %v", p.state(), p.journals(t))
		}
	})
}

// gameday undo leaves a living run alone, and names it.
func TestUndoNamesTheRunThatLives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		ended := make(chan error, 1)
		go func() { _, err := p.day(t, "staging").Run(t.Context()); ended <- err }()
		for _, at := range []time.Duration{5 * time.Second, 20 * time.Second} { // in the baseline, in the watch
			<-time.After(at)
			done, err := run.Replay{StateDir: p.home, Open: open, Note: p.said.add}.All(t.Context())
			if done.Undone != 0 || done.Left != nil || err != nil || done.Busy != 1 {
				t.Errorf("%d undone, left %v, %v", done.Undone, done.Left, err)
			}
		}
		if n := p.said.index("skipped: environment staging is in use by run"); n < 0 {
			t.Errorf("%q", p.said.lines)
		}
		if err := <-ended; err != nil || p.Starts.Load() != 1 {
			t.Errorf("%v, started %d times", err, p.Starts.Load())
		}
	})
}

// A component that was replaced meanwhile is put back in the place of the former one.
func TestUndoFindsWhatTookAComponentsPlace(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	if err := p.Put(target.Component{Name: "db", ID: "first", Identity: "db/1", State: target.Running, Healthy: true}); err != nil {
		t.Fatal(err)
	}
	entry, err := fault.Entry("fault-0", "kill", &fault.Kill{}, target.Component{ID: "first", Identity: "db/1", Name: "db"}, fault.State(`{"state":"running"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		successor target.Component
		starts    int64
	}{
		"one with the same identity": {target.Component{Name: "db", ID: "second", Identity: "db/1", State: target.Stopped}, 1},
		"another one":                {target.Component{Name: "db", ID: "third", Identity: "db/2", State: target.Stopped}, 0},
	} {
		if err := p.Put(c.successor); err != nil {
			t.Fatal(err)
		}
		before := p.Starts.Load()
		if err := fault.Undo(t.Context(), p.Env, entry); err != nil || p.Starts.Load()-before != c.starts {
			t.Errorf("%s: %v, started %d times", name, err, p.Starts.Load()-before)
		}
	}
}
