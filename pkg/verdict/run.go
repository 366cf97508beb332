package verdict

import (
	"cmp"
	"time"
)

// Journey is the verdict of one journey of a run.
type Journey struct {
	Name     string `json:"journey"`
	Critical bool   `json:"critical"` // whether it counts for the run's verdict
	Verdict
}

// Evidence is what is known about the experiment besides the samples.
type Evidence struct {
	// NotCalibrated is whether the load generator did not measure a known outage as it was.
	NotCalibrated bool
	NotKept       bool // the generator could not keep the rate, so no fault was ordered
	NotInForce    bool // a fault's own check failed
	NotFelt       bool // a network fault matched no packet
	Aborted       bool // a person or a stop condition ended the run
	Conditions    []Conditioned
	Writes        *Writes // the check of acknowledged writes; nil without an RPO
}

// Run is the verdict of one run, with the figures of the deciding journey at the top.
type Run struct {
	Verdict
	Deciding string    `json:"deciding_journey,omitempty"`
	Journeys []Journey `json:"journeys"`
	Writes   *Writes   `json:"writes"`
	// Conditions are those that the scenario or its environment declares.
	Conditions []Conditioned `json:"conditions,omitempty"`
}

// Worst orders outcomes, the worst first.
func Worst(a, b Outcome) int { return cmp.Compare(rank(a), rank(b)) }

// Compare orders verdicts, the worst first: of equal outcomes an outage whose end was not seen,
// however short it was watched, and then the longest one.
func Compare(a, b Verdict) int {
	return cmp.Or(Worst(a.Outcome, b.Outcome), truth(b.unended(), a.unended()), cmp.Compare(b.Lasted(), a.Lasted()))
}

// unended reports whether service was down to the end.
func (v Verdict) unended() bool { return v.State == Down || v.Recovery == nil && v.AtLeast != nil }

// Lasted is the length of the outage: until service recovered, or the length that was
// observed if it did not.
func (v Verdict) Lasted() time.Duration {
	switch {
	case v.RecoveryHi != nil:
		return v.RecoveryHi.Duration()
	case v.AtLeast != nil:
		return v.AtLeast.Duration()
	}
	return 0
}

func rank(o Outcome) int {
	switch o {
	case Proven:
		return 0
	case Degraded:
		return 1
	case Aborted:
		return 2
	case Inconclusive:
		return 3
	case Disproved:
		return 4
	}
	return 3 // like inconclusive
}

// Combine judges a run by its critical journeys and its evidence.
func Combine(journeys []Journey, evidence Evidence) Run {
	run := Run{Verdict: Verdict{Outcome: Inconclusive, Reason: TooFewSamples}, Journeys: journeys, Writes: evidence.Writes, Conditions: evidence.Conditions}
	hit, decided := false, false
	for _, j := range journeys {
		hit = hit || j.hit()
		if j.Critical && (!decided || Compare(j.Verdict, run.Verdict) < 0) {
			run.Verdict, run.Deciding, decided = j.Verdict, j.Name, true
		}
	}
	switch {
	case hit:
	case evidence.NotKept:
		run.Outcome, run.Reason, run.State = Inconclusive, RateNotKept, ""
	case evidence.NotInForce:
		run.Outcome, run.Reason, run.State = Inconclusive, FaultNotInForce, ""
	case evidence.NotFelt:
		run.Outcome, run.Reason, run.State = Inconclusive, FaultNotFelt, ""
	}
	run.applyConditions()
	if evidence.Aborted && run.Outcome != Proven {
		run.Outcome, run.Reason, run.State = Aborted, "", ""
	}
	run.applyWrites()
	if evidence.NotCalibrated {
		run.Outcome, run.Reason, run.State = Inconclusive, InstrumentNotCalibrated, ""
	}
	return run
}

// hit reports whether users of the journey noticed the fault.
func (v Verdict) hit() bool {
	return v.State == Impaired || v.Severity != nil && *v.Severity > 0
}

func (r *Run) applyWrites() {
	switch w := r.Writes; {
	case w == nil:
	case w.Missed:
		r.Outcome, r.Reason = Proven, RPOMissed
	case w.Unproven && r.Outcome == Disproved:
		r.Outcome, r.Reason, r.State = Inconclusive, LookUpUnproven, ""
	case !w.Observed && r.Outcome == Disproved:
		r.Outcome, r.Reason, r.State = Inconclusive, RPONotObserved, ""
	}
}

// ExitCode is the exit code of a command: 0 disproved, 1 proven or degraded,
// 3 inconclusive, 4 aborted.
func (o Outcome) ExitCode() int {
	switch o {
	case Disproved:
		return 0
	case Proven, Degraded:
		return 1
	case Aborted:
		return 4
	case Inconclusive:
	}
	return 3
}
