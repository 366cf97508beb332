package run_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// troubled are users who are served badly at times before the fault.
type troubled struct {
	*world

	bad func(since time.Duration) bool
}

func (w troubled) Run(ctx context.Context, on func(probe.Visit)) error {
	began := time.Now()
	return w.world.Run(ctx, func(v probe.Visit) {
		if w.bad(time.Since(began)) {
			v.Sample.Code, v.Sample.Error = 503, "order: status 503"
		}
		on(v)
	})
}

// A fault is ordered only if the rule by which the run is judged finds the baseline steady,
// all of it. If it is not, the baseline goes on, and begins at the moment from which it
// is; if it never is, nothing is broken.
func TestABaselineThatIsNotSteady(t *testing.T) {
	t.Parallel()
	const second = time.Second
	between := func(from, to time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool { return at >= from && at < to }
	}
	for name, c := range map[string]struct {
		bad    func(time.Duration) bool
		kills  int64
		least  time.Duration // from the first user to the fault
		most   time.Duration
		reason verdict.Reason
	}{
		"always steady":                  {func(time.Duration) bool { return false }, 1, 10 * second, 11 * second, ""},
		"bad at its beginning only":      {between(0, 3*second), 1, 33 * second, 34 * second, ""},
		"bad at its end":                 {between(9*second, 10*second), 1, 40 * second, 41 * second, ""},
		"bad until the extension's half": {between(0, 20*second), 1, 50 * second, 51 * second, ""},
		"down five of every 25 seconds":  {func(at time.Duration) bool { return at%(25*second) >= 8*second && at%(25*second) < 13*second }, 0, 0, 0, verdict.BaselineNotSteady},
		"always bad":                     {func(time.Duration) bool { return true }, 0, 0, 0, verdict.BaselineNotSteady},
		"bad now and then, as no second is by the latest ones": {
			func(at time.Duration) bool { return at%(4*second) < 200*time.Millisecond }, 0, 0, 0, verdict.BaselineNotSteady,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				users := troubled{p.world, c.bad}
				day := p.day(t, "staging")
				day.Walks = func(int, uint64) run.Walk { return users }
				var first, struck time.Time
				p.OnKill = func() error { struck = time.Now(); return nil }
				observe := day.Observe
				day.Observe = func(u run.Update) {
					if u.Phase == run.Baseline && first.IsZero() {
						first = time.Now()
					}
					observe(u)
				}
				dir, err := day.Run(t.Context())
				if err != nil || p.Kills.Load() != c.kills || p.state() != target.Running {
					t.Fatalf("%v, %d kills, %s", err, p.Kills.Load(), p.state())
				}
				f, err := run.Open(dir)
				if err != nil {
					t.Fatal(err)
				}
				v, cases, err := f.Judge(nil)
				if err != nil || v.Reason != c.reason {
					t.Errorf("%s %s %v", v.Outcome, v.Reason, err)
				}
				if c.kills == 0 {
					if p.said.index("no fault is injected into an environment that is already failing") < 0 {
						t.Errorf("%q", p.said.lines)
					}
					return
				}
				if took := struck.Sub(first); took < c.least || took > c.most {
					t.Errorf("the fault came after %v, expected %v to %v", took, c.least, c.most)
				}
				if lasted := f.Marks[record.MarkFault].Sub(f.Marks[record.MarkBaseline]); lasted < 10*second {
					t.Errorf("the baseline lasted %v", lasted)
				}
				if s := cases[0].Samples[0]; s.Done() <= 0 {
					t.Errorf("a user of before the baseline is judged: %+v", s)
				}
			})
		})
	}
}

// Ending a run while its baseline goes on breaks nothing.
func TestABaselineThatIsEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		day := p.day(t, "staging")
		day.Walks = func(int, uint64) run.Walk { return troubled{p.world, func(time.Duration) bool { return true }} }
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(15*time.Second, cancel)
		dir, err := day.Run(ctx)
		f, openErr := run.Open(dir)
		if err != nil || openErr != nil || f.Meta.Aborted == "" || p.Kills.Load() != 0 {
			t.Errorf("%v %v, aborted %q, %d kills", err, openErr, f.Meta.Aborted, p.Kills.Load())
		}
	})
}
