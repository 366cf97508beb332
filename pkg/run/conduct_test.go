package run_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// world is an environment of one component, and its users.
type world struct{ *toyenv.Env }

func newWorld(t *testing.T) *world {
	t.Helper()
	env, err := toyenv.New(t.TempDir(), target.Component{Name: "db", Service: "db"})
	if err != nil {
		t.Fatal(err)
	}
	return &world{env}
}

func (w *world) state() target.State {
	found, err := w.All()
	if err != nil || len(found) != 1 {
		return "gone"
	}
	return found[0].State
}

func (w *world) set(s target.State) {
	_ = w.Put(target.Component{Name: "db", Service: "db", State: s, Healthy: true, Started: time.Now()})
}

// Run is the load: fifty users a second, served while the component runs.
func (w *world) Run(ctx context.Context, on func(probe.Visit)) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for seq := uint64(0); ; seq++ {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			s := record.Sample{Journey: "checkout", Seq: seq, Sent: now, Latency: time.Millisecond, Code: 200}
			if w.state() != target.Running {
				s.Code, s.Error = 503, "order: status 503"
			}
			v := probe.Visit{Sample: s}
			if s.Error == "" {
				v.Ack = &record.Ack{Journey: "checkout", ID: "1", At: now}
			}
			on(v)
		}
	}
}

// day is a game day in that world.
type day struct {
	world   *world
	dir     string
	journal *journal.Journal
	phases  []run.Phase
	onPhase map[run.Phase]func()
	timing  scenario.Timing
	abort   []scenario.AbortRule
	faults  []scenario.Fault
	undo    scenario.Undo
	confirm int
	change  func(*plan.Plan) // of what would be done, if not nil
	done    scenario.Scenario

	onConfirm func(acks *record.Acked) // once they were looked up
	load      run.Traffic              // instead of the world's, if not nil
	onEvent   func(e record.Event)     // that is shown, if not nil
}

func (d *day) conduct(ctx context.Context, t *testing.T) (run.Account, error) {
	t.Helper()
	var err error
	d.journal, err = journal.Create(filepath.Join(d.dir, "j"+journal.Suffix), journal.Header{Run: "r", Address: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	writer, err := record.Create(filepath.Join(d.dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	s := scenario.Scenario{
		Name: "x", Objective: scenario.Objective{RTO: 30 * time.Second, Good: 0.99, Within: 500 * time.Millisecond, Window: time.Second, Hold: 5 * time.Second},
		Load:   []scenario.JourneyLoad{{Journey: "checkout", Rate: probe.Rate{Users: 50, Per: time.Second}, Critical: true}},
		Faults: d.faults,
		Timing: d.timing, AbortWhen: d.abort, Undo: d.undo,
	}
	c := run.Conductor{
		Env: d.world, Journal: d.journal, Record: writer, Clock: record.NewClock(), Meter: run.NewMeter(s.Objective.Verdict()),
		Loads:   []run.Traffic{cmp.Or(d.load, run.Traffic(d.world))},
		Undoers: run.UndoersOn(d.world, nil),
		Confirm: func(_ context.Context, acks *record.Acked) error {
			d.confirm++
			for range 2 {
				for place := range acks.All("checkout") {
					acks.Found(place, probe.Present)
				}
			}
			if d.onConfirm != nil {
				d.onConfirm(acks)
			}
			return nil
		},
		Observe: func(u run.Update) {
			if u.Event != nil && d.onEvent != nil {
				d.onEvent(*u.Event)
			}
			if u.Phase == "" {
				return
			}
			d.phases = append(d.phases, u.Phase)
			if on := d.onPhase[u.Phase]; on != nil {
				on()
			}
		},
	}
	p := plan.Plan{Scenario: s}
	if d.change != nil {
		d.change(&p)
	}
	d.done = p.Scenario
	account, err := c.Conduct(ctx, p)
	return account, errors.Join(err, writer.Close())
}

func (d *day) marks(t *testing.T) record.Marks {
	t.Helper()
	events, err := record.Events(filepath.Join(d.dir, "run"))
	if err != nil {
		t.Fatal(err)
	}
	return record.MarksOf(events)
}

func killDB() scenario.Fault {
	return scenario.Fault{Kind: "kill", Spec: &fault.Kill{}, Target: target.Selector{Service: "db"}, Where: "x.yaml:1:1"}
}

func newDay(t *testing.T) *day {
	t.Helper()
	return &day{
		world: newWorld(t), dir: t.TempDir(), onPhase: map[run.Phase]func(){},
		faults: []scenario.Fault{killDB()},
		timing: scenario.Timing{Baseline: 10 * time.Second, Watch: 60 * time.Second, Repair: 60 * time.Second},
	}
}

func TestAGameDayFromBaselineToRepair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.timing.Watch = 10 * time.Minute // passes in no time
		began := time.Now()
		account, err := d.conduct(t.Context(), t)
		if err != nil || account.Left != nil || account.Aborted != "" || account.NotInForce {
			t.Fatalf("%+v %v", account, err)
		}
		if d.world.state() != target.Running || d.world.Kills.Load() != 1 || d.world.Starts.Load() != 1 || len(d.journal.Pending()) != 0 || d.confirm != 1 {
			t.Errorf("%+v, pending %v, confirmed %d times", d.world, d.journal.Pending(), d.confirm)
		}
		if took := time.Since(began); took < 10*time.Minute || took > 11*time.Minute {
			t.Errorf("took %v", took)
		}
		marks := d.marks(t)
		if in := marks[record.MarkRevert].Sub(marks[record.MarkFault]); in < 10*time.Minute || in > 10*time.Minute+time.Second {
			t.Errorf("the fault lasted %v", in)
		}
	})
}

// The table of where it dies, and what must be left: nothing.
func TestWhereverItDiesNothingIsLeft(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		arrange func(d *day, cancel func())
		check   func(t *testing.T, d *day, a run.Account, err error)
	}{
		"a person ends it in the baseline": {
			func(d *day, cancel func()) { d.onPhase[run.Baseline] = cancel },
			func(t *testing.T, d *day, a run.Account, err error) {
				t.Helper()
				if a.Aborted == "" || d.world.Kills.Load() != 0 || err != nil {
					t.Errorf("%+v, aborted %q, left %v, %v", a.Steps, a.Aborted, a.Left, err)
				}
			},
		},
		"a person ends it in the watch": {
			func(d *day, cancel func()) { d.onPhase[run.Watch] = cancel },
			func(t *testing.T, d *day, a run.Account, err error) {
				t.Helper()
				if a.Aborted == "" || d.world.Starts.Load() != 1 || d.confirm != 0 {
					t.Errorf("%+v, aborted %q, left %v, %v", a.Steps, a.Aborted, a.Left, err)
				}
			},
		},
		"a person ends it in the undo": {
			func(d *day, cancel func()) { d.onPhase[run.UndoIt] = cancel },
			func(t *testing.T, d *day, a run.Account, _ error) {
				t.Helper()
				if d.world.Starts.Load() != 1 || a.Left != nil {
					t.Errorf("%+v, aborted %q, left %v", a.Steps, a.Aborted, a.Left)
				}
			},
		},
		"a person ends it in the repair": {
			func(d *day, cancel func()) { d.onPhase[run.Repair] = cancel },
			func(t *testing.T, _ *day, a run.Account, err error) {
				t.Helper()
				if a.Left != nil || err != nil {
					t.Errorf("%+v, aborted %q, left %v, %v", a.Steps, a.Aborted, a.Left, err)
				}
			},
		},
		"users are not served before": {
			func(d *day, _ func()) { d.world.set(target.Stopped) },
			func(t *testing.T, d *day, _ run.Account, err error) {
				t.Helper()
				if d.world.Kills.Load() != 0 || err != nil {
					t.Errorf("what is broken was broken further: %v", err)
				}
				d.world.set(target.Running)
			},
		},
		"nobody holds the role any more": {
			func(d *day, _ func()) {
				d.world.OnFind = func() error { return target.ErrNoRole }
			},
			func(t *testing.T, d *day, _ run.Account, err error) {
				t.Helper()
				if err == nil || d.world.Kills.Load() != 0 {
					t.Error("no error")
				}
			},
		},
		"the engine refuses the kill": {
			func(d *day, _ func()) { d.world.OnKill = func() error { return errors.New("engine is busy") } },
			func(t *testing.T, _ *day, a run.Account, err error) {
				t.Helper()
				if !a.NotInForce || !strings.Contains(a.Steps[0].Found, "engine is busy") || err != nil {
					t.Errorf("%+v, aborted %q, left %v, %v", a.Steps, a.Aborted, a.Left, err)
				}
			},
		},
		"the kill works, and its answer is lost": {
			func(d *day, _ func()) {
				d.world.OnKill = func() error {
					d.world.set(target.Stopped)
					return context.DeadlineExceeded
				}
			},
			func(t *testing.T, d *day, a run.Account, _ error) {
				t.Helper()
				if d.world.Starts.Load() < 1 || !a.Steps[0].Undone {
					t.Errorf("%d starts, %+v", d.world.Starts.Load(), a.Steps)
				}
			},
		},
		"somebody else starts it in the watch": {
			func(d *day, _ func()) {
				d.onPhase[run.Watch] = func() { time.AfterFunc(7*time.Second, func() { d.world.set(target.Running) }) }
			},
			func(t *testing.T, d *day, a run.Account, err error) {
				t.Helper()
				marks := d.marks(t)
				in := marks[record.MarkLost].Sub(marks[record.MarkFault])
				if err != nil || !a.NotInForce || in > 7*time.Second || in < 6*time.Second {
					t.Errorf("lost after %v: %+v %v", in, a, err)
				}
			},
		},
		"a stop condition holds": {
			func(d *day, _ func()) {
				d.abort = []scenario.AbortRule{{GoodBelow: 0.5, For: 3 * time.Second}}
			},
			func(t *testing.T, d *day, a run.Account, _ error) {
				t.Helper()
				marks := d.marks(t)
				if in := marks[record.MarkRevert].Sub(marks[record.MarkFault]); !strings.Contains(a.Aborted, "stop condition") || in > 5*time.Second {
					t.Errorf("after %v: %+v", in, a)
				}
			},
		},
		"too many users fail": {
			func(d *day, _ func()) { d.abort = []scenario.AbortRule{{Failed: 100}} },
			func(t *testing.T, _ *day, a run.Account, _ error) {
				t.Helper()
				if a.Aborted == "" {
					t.Errorf("%+v, aborted %q, left %v", a.Steps, a.Aborted, a.Left)
				}
			},
		},
		"the undoing fails at first": {
			func(d *day, _ func()) {
				d.world.OnStart = func() error {
					if d.world.Starts.Load() < 4 {
						return errors.New("engine is busy")
					}
					return nil
				}
			},
			func(t *testing.T, d *day, a run.Account, _ error) {
				t.Helper()
				if a.Left != nil || d.world.Starts.Load() != 4 {
					t.Errorf("%+v, aborted %q, left %v", a.Steps, a.Aborted, a.Left)
				}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDay(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				c.arrange(d, cancel)
				account, err := d.conduct(ctx, t)
				c.check(t, d, account, err)
				if d.world.state() != target.Running {
					t.Errorf("left %s", d.world.state())
				}
				if pending := d.journal.Pending(); len(pending) != 0 {
					t.Errorf("pending: %v", pending)
				}
			})
		})
	}
}

// What cannot be undone is said, stays in the journal, and is undone later by
// the same code.
func TestWhatIsLeftIsToldAndKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.world.OnStart = func() error { return errors.New("no space left on device") }
		account, err := d.conduct(t.Context(), t)
		if err != nil || account.Left == nil || !strings.Contains(account.Left.Error(), "no space left on device") || account.Steps[0].Undone {
			t.Fatalf("%+v %v", account, err)
		}
		if err := d.journal.Close(); err != nil {
			t.Fatal(err)
		}
		d.world.OnStart = nil
		open := func(context.Context, journal.Header) (target.Site, target.Provisioner, error) {
			return d.world, nil, nil
		}
		undone, err := run.Replay{StateDir: d.dir, Open: open, Note: func(string) {}}.One(t.Context(), d.journal.Path())
		if undone != 1 || err != nil || d.world.state() != target.Running {
			t.Errorf("%d undone, %v, %s", undone, err, d.world.state())
		}
	})
}

// No effect without a durable entry: the entry is on disk when the kill begins.
func TestTheUndoingIsDurableBeforeTheEffect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.world.OnKill = func() error {
			if pending := d.journal.Pending(); len(pending) != 1 || pending[0].Kind != "kill" || len(pending[0].State) == 0 {
				t.Errorf("killed with this in the journal: %+v", pending)
			}
			return nil
		}
		if _, err := d.conduct(t.Context(), t); err != nil || d.world.Kills.Load() != 1 {
			t.Error(err)
		}
	})
}

// While helpers are started, the journal knows it; afterwards it need not. If the run is
// killed in between, whoever undoes keeps the lock until the engine's orders have settled.
func TestHelpersThatAreBeingStarted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		kinds := func() (all []string) {
			for _, e := range d.journal.Pending() {
				all = append(all, e.Kind)
			}
			return all
		}
		d.onPhase[run.Baseline] = func() {
			if !slices.Equal(kinds(), []string{run.HelpersKind}) {
				t.Errorf("pending as the baseline begins: %v", kinds())
			}
		}
		d.onPhase[run.Inject] = func() {
			if len(kinds()) > 0 {
				t.Errorf("pending after it: %v", kinds())
			}
		}
		if _, err := d.conduct(t.Context(), t); err != nil {
			t.Error(err)
		}
		if err := d.journal.Begin(journal.Entry{ID: "1", Kind: run.HelpersKind, Settle: fault.Settle}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := run.Undo(t.Context(), d.journal, run.UndoersOn(nil, nil), func(string) {}); err != nil || len(kinds()) > 0 {
			t.Errorf("%v, pending %v", err, kinds())
		}
		if took := time.Since(began); took != fault.Settle {
			t.Errorf("undone after %v, expected %v", took, fault.Settle)
		}
	})
}

func TestAPanicIsFollowedByTheUndoing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.onPhase[run.Watch] = func() { panic("a bug of ours") }
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, _ = d.conduct(t.Context(), t)
		}()
		if d.world.state() != target.Running || len(d.journal.Pending()) != 0 {
			t.Errorf("left %s, pending %v", d.world.state(), d.journal.Pending())
		}
	})
}

// After the revert, a component is held to what it was before the fault, and nothing else
// counts as left broken.
func TestRepairHoldsToWhatWasBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after target.Component
		left          string
		atLimit       bool // the repair takes all its time
	}{
		"healthy, and again":             {target.Component{Healthy: true}, target.Component{Healthy: true}, "", false},
		"healthy, and ill after it":      {target.Component{Healthy: true}, target.Component{}, "db is not up 1m0s after it was started again", true},
		"ill before, as well as after":   {target.Component{}, target.Component{}, "", false},
		"healthy, its check comes later": {target.Component{Healthy: true}, target.Component{Checking: true}, "", true},
		"its check had not come before":  {target.Component{Checking: true}, target.Component{Checking: true}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDay(t)
				d.timing.Watch = 20 * time.Second
				put := func(c target.Component) {
					c.Name, c.Service, c.State, c.Started = "db", "db", target.Running, time.Now()
					if err := d.world.Put(c); err != nil {
						t.Error(err)
					}
				}
				put(c.before)
				var began time.Time
				d.onPhase[run.Repair] = func() { began = time.Now(); put(c.after) }
				account, err := d.conduct(t.Context(), t)
				if err != nil || (account.Left != nil) != (c.left != "") || account.Left != nil && account.Left.Error() != c.left {
					t.Errorf("left %v, %v", account.Left, err)
				}
				if took := time.Since(began); (took >= time.Minute) != c.atLimit {
					t.Errorf("the repair took %v", took)
				}
			})
		})
	}
}

// A component that was paused before a fault which leaves it so is not missed afterwards.
func TestRepairWantsNoMoreThanWasBefore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		if err := d.world.Put(target.Component{Name: "lb", Service: "lb", State: target.Paused, Healthy: true}); err != nil {
			t.Fatal(err)
		}
		env := d.world.Env
		p := plan.Plan{Scenario: scenario.Scenario{
			Objective: scenario.Objective{RTO: time.Second, Hold: time.Second, Window: time.Second, Good: 0.9, Within: time.Second},
			Load:      []scenario.JourneyLoad{{Journey: "checkout", Critical: true}},
			Faults:    []scenario.Fault{{Kind: "noop", Spec: &fault.Noop{}, Target: target.Selector{Name: "lb"}, Where: "x.yaml:1:1"}},
			Timing:    scenario.Timing{Baseline: time.Second, Watch: 2 * time.Second, Repair: 5 * time.Second},
		}}
		if account, broken, err := conductOn(t, env, p); err != nil || len(broken) > 0 || len(account.Steps) != 1 {
			t.Errorf("%v %+v, %v", broken, account, err)
		}
	})
}

func TestMeterForgetsAndCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := run.NewMeter(verdict.Objective{RTO: time.Second}.WithDefaults())
		for range 10 {
			m.Add(record.Sample{Code: 200, Latency: time.Millisecond})
			m.Add(record.Sample{Error: "x"})
			m.Add(record.Sample{Void: true, Error: "ours"})
			<-time.After(time.Second)
		}
		if m.Failed() != 10 || m.Steady(5*time.Second) || !m.Holds(scenario.AbortRule{GoodBelow: 0.6, For: 5 * time.Second}) {
			t.Errorf("%d failed, last: %+v", m.Failed(), m.Last(5))
		}
		<-time.After(5 * time.Minute)
		if last := m.Last(100); last[0].Users != 0 || m.Steady(time.Second) {
			t.Errorf("what is five minutes old is still there: %+v", last)
		}
	})
}

// A second that has just begun, and in which nobody has come yet, is no outage.
func TestMeterLooksPastTheSecondThatHasJustBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := run.NewMeter(verdict.Objective{RTO: time.Second}.WithDefaults())
		m.Add(record.Sample{Code: 200, Latency: time.Millisecond})
		<-time.After(time.Second)
		if !m.Steady(time.Second) {
			t.Error("users of the second before do not count")
		}
		<-time.After(time.Second)
		if m.Steady(time.Second) {
			t.Error("users of two seconds before do")
		}
	})
}

// A fault begins when it was declared to, and is taken back when it was declared
// to: the system has then to recover by itself, and nothing is left to undo.
func TestFaultsHaveTheirMoments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		noop, kill := killDB(), killDB()
		noop.Kind, noop.Spec, noop.For = "noop", &fault.Noop{}, time.Second
		kill.At, kill.For = 5*time.Second, 20*time.Second
		d.faults = []scenario.Fault{kill, noop}
		account, err := d.conduct(t.Context(), t)
		if err != nil || account.Left != nil || account.NotInForce || len(account.Steps) != 2 {
			t.Fatalf("%+v %v", account.Steps, err)
		}
		first, second := account.Steps[0], account.Steps[1]
		if first.Kind != "noop" || second.Kind != "kill" {
			t.Fatalf("%+v", account.Steps)
		}
		if after := second.Ordered.Sub(*first.Ordered); after < 5*time.Second || after > 5*time.Second+beat {
			t.Errorf("the second fault began %v after the first", after)
		}
		if lasted := second.TakenBack.Sub(*second.Ordered); lasted < 20*time.Second-beat || lasted > 20*time.Second+beat {
			t.Errorf("it lasted %v", lasted)
		}
		if d.world.Kills.Load() != 1 || d.world.Starts.Load() != 1 || len(d.journal.Pending()) != 0 {
			t.Errorf("%d kills, %d starts, %v", d.world.Kills.Load(), d.world.Starts.Load(), d.journal.Pending())
		}
		if marks := d.marks(t); !marks[record.MarkRevert].IsZero() {
			t.Errorf("an undoing was ordered at %v, and nothing was left to undo", marks[record.MarkRevert])
		}
	})
}

// beat is how often a run looks whether something is due.
const beat = 250 * time.Millisecond
