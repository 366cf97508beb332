package verdict_test

import (
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// beat is how often a watch looks whether it is decided.
const beat = 250 * time.Millisecond

// decidedAt is when a watch of the case would have ended, and by which outcome. It is the
// revert, or the last send, if the case was never decided.
func decidedAt(c verdict.Case, first time.Duration) (at time.Duration, by verdict.Outcome) {
	end := c.Marks.Revert
	if !c.Marks.Reverted {
		for _, s := range c.Samples {
			end = max(end, s.Sent)
		}
	}
	next := time.Duration(0)
	for at = c.Marks.Fault + first; at < end; at += beat {
		if at < next {
			continue
		}
		known := slices.DeleteFunc(slices.Clone(c.Samples), func(s verdict.Sample) bool { return s.Done() > at })
		seen := c
		seen.Samples, seen.Marks = known, verdict.Marks{Fault: c.Marks.Fault}
		d := seen.Decided(at)
		if d.Outcome != "" {
			return at, d.Outcome
		}
		next = d.Next
	}
	return end, ""
}

// cut is the record of a case whose watch ended at a moment: who came later is not in it.
func cut(c verdict.Case, at time.Duration) verdict.Case {
	c.Samples = slices.DeleteFunc(slices.Clone(c.Samples), func(s verdict.Sample) bool { return s.Sent >= at })
	c.Marks.Reverted, c.Marks.Revert = true, at
	return c
}

// afterwards are the vectors in which something happens after the watch could have ended: the
// state of the record that was cut, and what happens later.
func afterwards() map[string]struct {
	state verdict.State
	later string
} {
	return map[string]struct {
		state verdict.State
		later string
	}{
		"just-too-late": {verdict.Down, "service recovers after the RTO"},
		"recovers-late": {verdict.Down, "service recovers after the RTO"},
	}
}

// The record cut where until: decided would have ended the watch has the verdict of the
// whole record, but for the vectors in which something happens afterwards.
func TestADecidedWatchHasTheVerdictOfTheWhole(t *testing.T) {
	t.Parallel()
	var ended atomic.Int64
	t.Run("vectors", func(t *testing.T) {
		t.Parallel()
		for _, path := range vectorPaths(t) {
			name := strings.TrimSuffix(filepath.Base(path), ".json")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				v, samples := readVector(t, path)
				whole := v.vectorCase(samples)
				for first := time.Duration(0); first < beat; first += beat / 5 {
					at, by := decidedAt(whole, first)
					if by == "" {
						continue
					}
					ended.Add(1)
					want, got := v.Truth, verdict.Judge(cut(whole, at))
					// Who came later was counted, and a failback is that of the later revert.
					want.Samples, want.Bad, want.Severity, want.Failback = got.Samples, got.Bad, got.Severity, got.Failback
					later, changes := afterwards()[name]
					if changes {
						want.State, want.Recovery, want.RecoveryLo, want.RecoveryHi, want.SinceFault = later.state, nil, nil, nil, nil
					}
					if by == verdict.Proven {
						want.AtLeast = got.AtLeast // as far as it was watched
					}
					if diff := cmp.Diff(want, got); diff != "" || got.Outcome != by {
						t.Errorf("ended by %s at %v: whole (-), cut (+):\n%s", by, at-whole.Marks.Fault, diff)
					}
					if changes && v.Truth.State == got.State {
						t.Errorf("nothing happens later, expected: %s", later.later)
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		if n := ended.Load(); n < 100 {
			t.Errorf("%d watches were ended, expected 100 or more", n)
		}
	})
}

// A watch that was ended has the verdict by which it was, whatever becomes of who was under
// way and young enough to be good; and the next look is never announced for later than the
// watch could end.
func TestADecisionHolds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		c.Stages = nil
		c.Marks.Reverted = true
		at, by := decidedAt(c, time.Duration(rapid.IntRange(0, 249).Draw(t, "first"))*time.Millisecond)
		if by == "" {
			return
		}
		ended := cut(c, at)
		young := rapid.SampledFrom([]string{"as they were", "good"}).Draw(t, "under way")
		for i, s := range ended.Samples {
			if young == "good" && s.Done() > at && s.Sent > at-c.Objective.Within {
				ended.Samples[i] = verdict.Sample{Seq: s.Seq, Sent: s.Sent, Latency: c.Objective.Within}
			}
		}
		if got := verdict.Judge(ended); got.Outcome != by && (by == verdict.Proven || young == "good") {
			t.Fatalf("ended by %s %v after the fault, and judged %s %s %s", by, at-c.Marks.Fault, got.Outcome, got.Reason, got.State)
		}
		now := c.Marks.Fault + time.Duration(rapid.Float64Range(0, 1).Draw(t, "earlier")*float64(at-c.Marks.Fault))
		earlier := c
		earlier.Samples = slices.DeleteFunc(slices.Clone(c.Samples), func(s verdict.Sample) bool { return s.Done() > now })
		if d := earlier.Decided(now); d.Next > at {
			t.Fatalf("at %v the next look is announced for %v, and the watch ended at %v", now, d.Next, at)
		}
	})
}

// Who is under way may be the first of another outage: the watch goes on until they are
// served, or too late to be good.
func TestUsersUnderWayDelayADecision(t *testing.T) {
	t.Parallel()
	c := verdict.Case{Marks: verdict.Marks{Fault: 5 * time.Second}, Objective: verdict.Objective{RTO: 3 * time.Second}.WithDefaults()}
	for i := range 1000 {
		s := verdict.Sample{Seq: uint32(i), Sent: time.Duration(i) * 20 * time.Millisecond, Latency: 10 * time.Millisecond}
		if s.Sent > 7*time.Second && i%3 == 0 { // one of three servers holds its users
			s.Latency, s.Failed = 5*time.Second, true
		}
		c.Samples = append(c.Samples, s)
	}
	if at, by := decidedAt(c, 0); by != "" {
		t.Errorf("ended by %s at %v, while a third of the users is held", by, at)
	}
}

// The next look whether users are served again is never announced for later than they are.
func TestNoLookForServiceComesTooLate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		served := func(at time.Duration) (verdict.State, time.Duration) {
			seen := c
			seen.Samples = slices.DeleteFunc(slices.Clone(c.Samples), func(s verdict.Sample) bool { return s.Done() > at })
			seen.Marks = verdict.Marks{Fault: c.Marks.Fault}
			return seen.Served(at)
		}
		end := c.Marks.Fault
		for _, s := range c.Samples {
			end = max(end, s.Sent)
		}
		at, state := c.Marks.Fault, verdict.State("")
		for ; state == ""; at += beat {
			if at >= end {
				return
			}
			state, _ = served(at)
		}
		at -= beat
		now := c.Marks.Fault + time.Duration(rapid.Float64Range(0, 1).Draw(t, "earlier")*float64(at-c.Marks.Fault))
		if _, next := served(now); next > at {
			t.Fatalf("at %v the next look is announced for %v, and at %v they were %s", now, next, at, state)
		}
	})
}
