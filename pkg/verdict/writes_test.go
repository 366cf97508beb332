package verdict_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A lost write that was acknowledged before the fault was in force is no split brain.
func TestSplitBrainIsNamedAfterTheFaultOnly(t *testing.T) {
	t.Parallel()
	const fault, inForce = 10 * time.Second, 11 * time.Second
	for name, c := range map[string]struct {
		at    time.Duration
		split bool
	}{
		"before":             {9500 * time.Millisecond, false},
		"not yet in force":   {10500 * time.Millisecond, false},
		"after it was":       {11500 * time.Millisecond, true},
		"at the very moment": {inForce, false},
	} {
		w := verdict.JudgeWrites(slices.Values([]verdict.Ack{{At: 9900 * time.Millisecond, Presence: verdict.Present}, {At: c.at, Presence: verdict.Absent}}), fault, inForce, 0)
		if w.SplitBrain != c.split || w.Lost != 1 || !w.Missed || !w.Observed {
			t.Errorf("%s: %+v", name, w)
		}
	}
}

// A look-up must be shown to work on writes of well before the fault; else nothing that it
// denies is a loss.
func TestALookUpIsShownToWork(t *testing.T) {
	t.Parallel()
	const fault = 60 * time.Second
	// acks are ten writes a second up to the fault and ten seconds past it.
	acks := func(of func(at time.Duration) verdict.Presence) (all []verdict.Ack) {
		for at := time.Duration(0); at < fault+10*time.Second; at += 100 * time.Millisecond {
			all = append(all, verdict.Ack{At: at, Presence: of(at)})
		}
		return all
	}
	is := func(p verdict.Presence) func(time.Duration) verdict.Presence {
		return func(time.Duration) verdict.Presence { return p }
	}
	from := func(start time.Duration) func(time.Duration) verdict.Presence {
		return func(at time.Duration) verdict.Presence {
			if at >= start {
				return verdict.Absent
			}
			return verdict.Present
		}
	}
	every := func(n int) func(time.Duration) verdict.Presence {
		i := 0
		return func(time.Duration) verdict.Presence {
			if i++; i%n == 0 {
				return verdict.Absent
			}
			return verdict.Present
		}
	}
	short := func(all []verdict.Ack) []verdict.Ack { return all[550:] } // five seconds of baseline
	for name, c := range map[string]struct {
		acks     []verdict.Ack
		lost     int
		unproven bool
	}{
		"all are there":                    {acks(is(verdict.Present)), 0, false},
		"none is: a wrong path":            {acks(is(verdict.Absent)), 0, true},
		"no answer is definite":            {acks(is(verdict.Unconfirmed)), 0, false},
		"one of nine: a replica lags":      {acks(every(9)), 0, true},
		"those after the fault are gone":   {acks(from(fault)), 100, false},
		"those of a second before it, too": {acks(from(fault - time.Second)), 110, false},
		"those of half a minute before it": {acks(from(fault - 30*time.Second)), 0, true},
		"a short baseline, gone after it":  {short(acks(from(fault))), 100, false},
		"a short baseline, gone before it": {short(acks(from(fault - 2*time.Second))), 0, true},
		"all writes were after the fault":  {acks(from(fault))[600:], 0, true},
		"one of many of long before it":    {append(acks(from(fault)), verdict.Ack{At: time.Second, Presence: verdict.Absent}), 101, false},
	} {
		w := verdict.JudgeWrites(slices.Values(c.acks), fault, fault, 0)
		if w.Lost != c.lost || w.Unproven != c.unproven || w.Missed != (c.lost > 0) || c.unproven && (w.Observed || w.Unconfirmed == 0) {
			t.Errorf("%s: %+v", name, w)
		}
		run := verdict.Combine([]verdict.Journey{{Name: "j", Critical: true, Verdict: verdict.Verdict{Outcome: verdict.Disproved}}}, verdict.Evidence{Writes: &w})
		want := verdict.Disproved
		switch {
		case c.lost > 0:
			want = verdict.Proven
		case c.unproven || !w.Observed:
			want = verdict.Inconclusive
		}
		if run.Outcome != want || (run.Reason == verdict.LookUpUnproven) != c.unproven {
			t.Errorf("%s: %s %s", name, run.Outcome, run.Reason)
		}
	}
}
