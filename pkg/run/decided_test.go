package run_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A watch that lasts until it is decided ends as soon as it has what the contract demands,
// and never before all that was declared has happened. Without until: decided, it lasts as
// long as it was declared to.
func TestAWatchEndsOnceItIsDecided(t *testing.T) {
	t.Parallel()
	later, brief := killDB(), killDB()
	later.Kind, later.Spec, later.At = "noop", &fault.Noop{}, 20*time.Second
	brief.For = 5 * time.Second
	noop := later
	noop.At = 0
	for name, c := range map[string]struct {
		faults   []scenario.Fault
		until    string
		by       verdict.Outcome
		from, to time.Duration // how long the fault lasts
	}{
		"an outage longer than the RTO": {[]scenario.Fault{killDB()}, scenario.UntilDecided, verdict.Proven, 30 * time.Second, 32 * time.Second},
		"no outage":                     {[]scenario.Fault{noop}, scenario.UntilDecided, verdict.Disproved, 30 * time.Second, 32 * time.Second},
		"no outage, and a later fault":  {[]scenario.Fault{noop, later}, scenario.UntilDecided, verdict.Disproved, 50 * time.Second, 52 * time.Second},
		"recovery after for:":           {[]scenario.Fault{noop, brief}, scenario.UntilDecided, verdict.Disproved, 35 * time.Second, 37 * time.Second},
		"the whole watch":               {[]scenario.Fault{noop}, "", "", 120 * time.Second, 121 * time.Second},
		"the whole watch, as it says":   {[]scenario.Fault{killDB()}, scenario.UntilWatch, "", 120 * time.Second, 121 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newDay(t)
				d.faults, d.timing.Watch, d.timing.Until = c.faults, 2*time.Minute, c.until
				account, err := d.conduct(t.Context(), t)
				if err != nil || account.Left != nil || account.Aborted != "" || d.world.state() != target.Running {
					t.Fatalf("%v, left %v, aborted %q", err, account.Left, account.Aborted)
				}
				if account.Decided != c.by {
					t.Errorf("ended by %q, expected %q", account.Decided, c.by)
				}
				marks := d.marks(t)
				if lasted := marks[record.MarkRevert].Sub(marks[record.MarkFault]); lasted < c.from || lasted > c.to {
					t.Errorf("the fault lasted %v, expected %v to %v", lasted, c.from, c.to)
				}
				if got := d.judge(t); c.by != "" && got.Outcome != c.by {
					t.Errorf("ended by %s, and judged %s %s", c.by, got.Outcome, got.Reason)
				}
			})
		})
	}
}

// judge judges the samples of a day as they were recorded.
func (d *day) judge(t *testing.T) verdict.Verdict {
	t.Helper()
	marks := d.marks(t)
	origin := marks[record.MarkBaseline]
	c := verdict.Case{
		Objective: verdict.Objective{RTO: 30 * time.Second}.WithDefaults(), Rate: 50,
		Marks: verdict.Marks{Fault: marks[record.MarkFault].Sub(origin), Reverted: true, Revert: marks[record.MarkRevert].Sub(origin)},
	}
	for s, err := range record.Samples(d.dir+"/run", record.SamplesFile) {
		if err != nil {
			t.Fatal(err)
		}
		c.Samples = append(c.Samples, verdict.Sample{Seq: uint32(s.Seq), Sent: s.Sent.Sub(origin), Latency: s.Latency, Failed: s.Failed()})
	}
	return verdict.Judge(c)
}

// The stored run says by what its watch was ended, and is judged so.
func TestTheRecordSaysByWhatTheWatchWasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		day := p.day(t, "staging")
		day.Scenario.Timing.Until, day.Scenario.Timing.Watch = scenario.UntilDecided, 10*time.Minute
		dir, err := day.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f, v := judged(t, dir)
		if v.Outcome != verdict.Proven || f.Meta.Decided != verdict.Proven || f.Scenario.Timing.Until != scenario.UntilDecided {
			t.Errorf("%s %s, ended by %q, until %q", v.Outcome, v.Reason, f.Meta.Decided, f.Scenario.Timing.Until)
		}
		if lasted := f.Marks[record.MarkRevert].Sub(f.Marks[record.MarkFault]); lasted > day.Scenario.Objective.RTO+5*time.Second {
			t.Errorf("the fault lasted %v", lasted)
		}
		if p.said.index("(until: decided): proven") < 0 {
			t.Errorf("%q", p.said.lines)
		}
	})
}
