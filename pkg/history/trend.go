package history

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Trend is what runs of one scenario in one environment say over time.
type Trend struct {
	Runs []Entry // with a verdict, the oldest first
	// Regression says why the newest run is worse than the former ones explain;
	// empty if it is not, or if they are too few to say.
	Regression string
	// Expected is up to what recovery time the former ones explain, null if they
	// are too few.
	Expected *verdict.Seconds
}

// minFormer is how many former recovery times explain a next one, at least.
const minFormer = 3

// TrendOf looks at runs, the oldest first, that are of one scenario and environment.
//
// The newest recovery time is a regression where even its lower bound lies above the
// one-sided 95% prediction bound of the former ones: mean + t(0.95, n-1) · s ·
// √(1 + 1/n), Student's t (Hahn and Meeker, Statistical Intervals, 1991, 4.8). The
// former spread counts as a tenth of their mean at least: equal ones do not make
// any difference one.
func TrendOf(runs []Entry) Trend {
	var t Trend
	for _, e := range runs {
		if e.Problem == "" {
			t.Runs = append(t.Runs, e)
		}
	}
	if len(t.Runs) < 2 {
		return t
	}
	newest, former := t.Runs[len(t.Runs)-1].Report, t.Runs[:len(t.Runs)-1]
	before := former[len(former)-1].Report
	if was, is := before.Outcome, newest.Outcome; was == verdict.Disproved && (is == verdict.Proven || is == verdict.Degraded) {
		t.Regression = fmt.Sprintf("the verdict was %s and is now %s", was, is)
	}
	var times []float64
	for _, e := range former {
		if r := e.Report; r.Recovery != nil && r.Outcome != verdict.Inconclusive && r.Outcome != verdict.Aborted {
			times = append(times, r.Recovery.Duration().Seconds())
		}
	}
	if len(times) < minFormer {
		return t
	}
	bound := predicted(times)
	t.Expected = new(verdict.Seconds(time.Duration(bound * float64(time.Second))))
	if lo := newest.RecoveryLo; lo != nil && lo.Duration().Seconds() > bound && t.Regression == "" {
		t.Regression = fmt.Sprintf("recovery took at least %s; the previous %d runs predict at most %s", lo, len(times), t.Expected)
	}
	return t
}

// predicted is the one-sided 95% prediction bound of one more value; see [TrendOf].
func predicted(times []float64) float64 {
	n := float64(len(times))
	mean, spread := stat.MeanStdDev(times, nil)
	spread = max(spread, mean/10)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.95)
	return mean + t*spread*math.Sqrt(1+1/n)
}

// Difference is one figure of two runs side by side.
type Difference struct {
	Name   string `json:"name"`
	A      string `json:"a"`
	B      string `json:"b"`
	Change string `json:"change"` // better, worse, same, or why neither can be claimed
}

// The words for a change. No claim is made where bounds overlap.
const (
	Better  = "better"
	Worse   = "worse"
	Same    = "same"
	Overlap = "no claim: the bounds overlap"
	NoBound = "no claim: it has no bounds"
)

// Compare sets two runs side by side: what got better or worse from a to b.
func Compare(a, b report.Report) []Difference {
	all := []Difference{
		{"verdict", string(a.Outcome), string(b.Outcome), changeOf(verdict.Worst(a.Outcome, b.Outcome))},
		{"recovery", report.RecoveryOf(a), report.RecoveryOf(b), overlap(recoveryBounds(a.Verdict), recoveryBounds(b.Verdict))},
		{"failed or slow", share(a.Bad, a.Samples), share(b.Bad, b.Samples), overlap(shareBounds(a.Bad, a.Samples), shareBounds(b.Bad, b.Samples))},
	}
	if a.Writes != nil && b.Writes != nil {
		all = append(all, Difference{
			"lost writes", share(a.Writes.Lost, a.Writes.Acknowledged), share(b.Writes.Lost, b.Writes.Acknowledged),
			overlap(shareBounds(a.Writes.Lost, a.Writes.Acknowledged), shareBounds(b.Writes.Lost, b.Writes.Acknowledged)),
		})
	}
	for _, phase := range []string{verdict.PhaseBaseline, verdict.PhaseFault} {
		x, okX := latency(a, phase)
		y, okY := latency(b, phase)
		if okX && okY {
			all = append(all, Difference{"p95, " + phase, x.String(), y.String(), NoBound})
		}
	}
	return all
}

// changeOf is what it means that a sorts before b, where the worst comes first.
func changeOf(order int) string {
	switch {
	case order < 0:
		return Better
	case order > 0:
		return Worse
	}
	return Same
}

// bounds are those of a figure of which less is better.
type bounds struct {
	lo, hi float64
	known  bool
}

func overlap(a, b bounds) string {
	switch {
	case !a.known || !b.known:
		return NoBound
	case a == b && a.lo == a.hi:
		return Same
	case b.hi < a.lo:
		return Better
	case b.lo > a.hi:
		return Worse
	}
	return Overlap
}

// recoveryBounds are those of a recovery time; of one that was not seen, from what
// was seen upwards.
func recoveryBounds(v verdict.Verdict) bounds {
	switch {
	case v.RecoveryLo != nil && v.RecoveryHi != nil:
		return bounds{v.RecoveryLo.Duration().Seconds(), v.RecoveryHi.Duration().Seconds(), true}
	case v.AtLeast != nil:
		return bounds{v.AtLeast.Duration().Seconds(), math.Inf(1), true}
	}
	return bounds{}
}

// shareBounds is the 95% interval of Clopper and Pearson (1934).
func shareBounds(k, n int) bounds {
	if n == 0 {
		return bounds{}
	}
	b := bounds{0, 1, true}
	if k > 0 {
		b.lo = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(0.025)
	}
	if k < n {
		b.hi = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(0.975)
	}
	return b
}

func share(k, n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprintf("%d of %d (%s)", k, n, report.Percent(float64(k)/float64(n)))
}

func latency(r report.Report, phase string) (verdict.Seconds, bool) {
	for _, l := range r.Load {
		if l.Journey != r.Deciding && r.Deciding != "" {
			continue
		}
		for _, f := range l.Phases {
			if f.Name == phase {
				return f.P95, true
			}
		}
	}
	return 0, false
}
