package verdict

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Trials is the combined verdict of several trials of one experiment. The length of a
// failover depends on when the fault hits, so one trial shows little.
type Trials struct {
	Verdict Outcome `json:"verdict"` // of the worst trial
	Reason  Reason  `json:"reason,omitempty"`
	State   State   `json:"state,omitempty"`
	Flaky   bool    `json:"flaky"` // the trials disagree

	// Recoveries are the recovery times of all trials; null for a trial without one.
	Recoveries []*Seconds `json:"recoveries_s"`
	// Median and Max are those of Recoveries. A trial that did not recover counts as
	// +∞. null means +∞, or no conclusive trial.
	Median *Seconds `json:"median_s"`
	Max    *Seconds `json:"max_s"`

	Conclusive int `json:"conclusive"` // trials that decide whether the RTO is met
	Within     int `json:"within"`     // conclusive trials that met the RTO
	// AtLeast is a lower bound of the share of such faults from which service
	// recovers within the RTO, with 95% confidence: the one-sided lower bound of
	// Clopper and Pearson (1934).
	AtLeast float64 `json:"at_least"`
}

// confidence is the confidence level of [Trials.AtLeast].
const confidence = 0.95

// CombineTrials judges trials of the same experiment.
func CombineTrials(runs []Run) Trials {
	t := Trials{Verdict: Inconclusive, Recoveries: make([]*Seconds, 0, len(runs))}
	var times []Seconds
	for i, r := range runs {
		if i == 0 || Worst(r.Outcome, t.Verdict) < 0 {
			t.Verdict, t.Reason, t.State = r.Outcome, r.Reason, r.State
		}
		t.Flaky = t.Flaky || r.Outcome != runs[0].Outcome || r.State != runs[0].State
		t.Recoveries = append(t.Recoveries, r.Recovery)
		switch r.Outcome {
		case Disproved:
			t.Conclusive++
			t.Within++
		case Proven, Degraded:
			t.Conclusive++
		case Inconclusive, Aborted:
			continue // no evidence about the recovery time
		}
		times = append(times, orNever(r.Recovery))
	}
	if len(times) > 0 {
		slices.Sort(times)
		// The upper median: the lower one would flatter.
		t.Median, t.Max = finite(times[len(times)/2]), finite(times[len(times)-1])
	}
	t.AtLeast = LowerBound(t.Within, t.Conclusive)
	return t
}

// never is the recovery time of a trial that did not recover: longer than any other.
const never = Seconds(math.MaxInt64)

func orNever(s *Seconds) Seconds {
	if s == nil {
		return never
	}
	return *s
}

func finite(s Seconds) *Seconds {
	if s == never {
		return nil
	}
	return &s
}

// LowerBound is the one-sided 95% lower Clopper-Pearson bound of a success
// probability, for k successes in n trials: the 5% quantile of the beta distribution
// with k and n-k+1. It is 0 if k or n is 0.
func LowerBound(k, n int) float64 {
	if k <= 0 || n <= 0 {
		return 0
	}
	return distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(1 - confidence)
}
