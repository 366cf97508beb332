package verdict_test

import (
	"math"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// The figures of the contract for n successes in n trials, and those of the exact
// table (Clopper and Pearson) for fewer successes.
func TestLowerBound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		k, n int
		want float64
	}{{5, 5, 0.549}, {10, 10, 0.741}, {29, 29, 0.902}, {59, 59, 0.950}, {9, 10, 0.606}, {0, 5, 0}, {0, 0, 0}} {
		if got := verdict.LowerBound(c.k, c.n); math.Abs(got-c.want) > 0.0006 {
			t.Errorf("%d of %d: %.4f, expected %.3f", c.k, c.n, got, c.want)
		}
	}
}

func trial(outcome verdict.Outcome, state verdict.State, recovery time.Duration) verdict.Run {
	r := verdict.Run{Verdict: verdict.Verdict{Outcome: outcome, State: state}}
	if recovery > 0 {
		r.Recovery = new(verdict.Seconds(recovery))
	}
	return r
}

func TestTheWorstTrialDecides(t *testing.T) {
	t.Parallel()
	good := trial(verdict.Disproved, verdict.Recovered, 2*time.Second)
	better := trial(verdict.Disproved, verdict.Recovered, time.Second)
	bad := trial(verdict.Proven, verdict.Down, 0)
	unclear := trial(verdict.Inconclusive, "", 0)
	for name, c := range map[string]struct {
		runs  []verdict.Run
		check func(got verdict.Trials) bool
	}{
		"agreeing": {[]verdict.Run{good, better, good}, func(got verdict.Trials) bool {
			return got.Verdict == verdict.Disproved && !got.Flaky && got.Max.Duration() == 2*time.Second && got.Median.Duration() == 2*time.Second && got.Within == 3
		}},
		"one is worse": {[]verdict.Run{good, bad, better}, func(got verdict.Trials) bool {
			return got.Verdict == verdict.Proven && got.State == verdict.Down && got.Flaky && got.Max == nil && got.Median.Duration() == 2*time.Second && got.Within == 2
		}},
		"half are worse": {[]verdict.Run{good, bad}, func(got verdict.Trials) bool { return got.Median == nil && got.Max == nil }},
		"one is inconclusive": {[]verdict.Run{good, unclear}, func(got verdict.Trials) bool {
			return got.Verdict == verdict.Inconclusive && got.Conclusive == 1 && got.Max.Duration() == 2*time.Second
		}},
		"none": {nil, func(got verdict.Trials) bool { return got.Verdict == verdict.Inconclusive && got.AtLeast == 0 }},
	} {
		if got := verdict.CombineTrials(c.runs); !c.check(got) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
