package verdict

import (
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/internal/ramp"
)

// MinSamples is the number of samples that a phase needs to be judged.
const MinSamples = 10

// Total is the severity from which an outage counts as total.
const Total = 0.9

// Case is everything that the verdict on one journey depends on.
type Case struct {
	Samples   []Sample // in any order; the caller leaves void ones out
	Marks     Marks
	Objective Objective // used as is; see [Objective.WithDefaults]
	// Rate is the declared arrival rate in samples per second. If it is 0 (a result
	// file alone), the rate is one over the median gap between sends.
	Rate float64
	// Stages change the rate from the fault on; until then it is Rate.
	Stages []ramp.Stage
	// Poisson is whether users arrive independently of each other, so that longer gaps
	// between them are chance.
	Poisson bool
	// Closed is set if users waited for an answer before the next request: a system that
	// stalls then slows its own load down, and its outages look smaller.
	Closed bool
	// Undated is set if it is unknown when some of the failed samples were sent.
	Undated bool
}

// Validate returns an error if a case cannot be judged.
func (c Case) Validate() error {
	var errs []error
	positive := func(name string, d time.Duration) {
		switch {
		case d <= 0:
			errs = append(errs, fmt.Errorf("%s is %v, expected a positive duration", name, d))
		case d > MaxSpan:
			errs = append(errs, fmt.Errorf("%s is %v, expected at most %d days", name, d, MaxSpan/(24*time.Hour)))
		}
	}
	positive("rto", c.Objective.RTO)
	positive("within", c.Objective.Within)
	positive("window", c.Objective.Window)
	positive("hold", c.Objective.Hold)
	if c.Objective.Good <= 0 || c.Objective.Good > 1 {
		errs = append(errs, fmt.Errorf("good is %v, expected a ratio above 0 and up to 1 (100%%)", c.Objective.Good))
	}
	for _, stage := range c.Stages {
		if stage.To <= 0 || stage.Over < 0 || stage.Hold < 0 || stage.Over > MaxSpan || stage.Hold > MaxSpan || c.Rate <= 0 {
			errs = append(errs, fmt.Errorf("the rate changes from %v to %v within %v, and holds for %v, expected rates above 0 and durations of up to %d days",
				c.Rate, stage.To, stage.Over, stage.Hold, MaxSpan/(24*time.Hour)))
		}
	}
	if c.Marks.Reverted && c.Marks.Revert < c.Marks.Fault {
		errs = append(errs, errors.New("the revert is before the fault"))
	}
	return errors.Join(append(errs, c.Marks.Check())...)
}

// Judge judges a case. The case must be valid.
func Judge(c Case) Verdict { return c.judged(newSeries(c)) }

func (c Case) judged(s *series) Verdict {
	n, bad := s.count(fault)
	v := s.judgeable(n)
	if v.Outcome == "" {
		v = c.doubt(s, s.judgeThroughSilence())
	}
	v.Samples, v.Bad = n, bad
	return v
}

// Baseline is the reason why samples are no baseline, or "" if they are one. It is the rule
// of [Judge], for the moment before a fault is ordered. rate is as in [Case].
func Baseline(samples []Sample, objective Objective, rate float64) Reason {
	end := time.Duration(0)
	for _, s := range samples {
		end = max(end, s.Done())
	}
	return newSeries(Case{Samples: samples, Marks: Marks{Fault: end}, Objective: objective, Rate: rate}).baseline()
}

func (s *series) baseline() Reason {
	n, bad := s.count(baseline)
	switch {
	case n < MinSamples:
		return BaselineTooShort
	case bad > Allowance(n, s.objective.Good) || len(s.breaching(func(p phase) bool { return p == baseline })) > 0:
		return BaselineNotSteady
	}
	return ""
}

// judgeable holds the rows that need no outage: whether there are enough samples, and
// a steady baseline. It returns the zero Verdict if the case can be judged.
func (s *series) judgeable(faultSamples int) Verdict {
	switch reason := s.baseline(); {
	case reason != "":
		return Verdict{Outcome: Inconclusive, Reason: reason}
	case faultSamples < MinSamples:
		return Verdict{Outcome: Inconclusive, Reason: TooFewSamples}
	}
	return Verdict{}
}

// judge goes through the rows of the contract; the first row that matches decides.
func (s *series) judge() Verdict {
	outages, failback := s.outages()
	impaired := s.impaired(outages)
	brief := s.end-s.marks.Fault < s.objective.RTO

	v := Verdict{Failback: failback, Relapses: new(max(len(outages)-1, 0)), Severity: new(severity(outages))}
	if len(outages) == 0 {
		switch {
		case impaired:
			v.Outcome, v.State = Degraded, Impaired
		case brief:
			v.Outcome, v.Reason = Inconclusive, ObservedLessThanRTO
		default:
			v.Outcome, v.State = Disproved, Unaffected
			v.Recovery, v.RecoveryLo, v.RecoveryHi = seconds(0), seconds(0), seconds(0)
		}
		return v
	}

	r := s.recovery(outages)
	v.FirstImpact = seconds(r.start - s.marks.Fault)
	notBack := Degraded
	if severity(outages) >= Total {
		notBack = Proven
	}
	late := r.lo > s.objective.RTO
	if !r.own || late && !r.held {
		return s.down(v, r, notBack)
	}

	v.Recovery, v.RecoveryLo, v.RecoveryHi = seconds(r.point), seconds(r.lo), seconds(r.hi)
	v.SinceFault = seconds(r.at - s.marks.Fault)
	switch {
	case late:
		v.Outcome, v.State = notBack, Late
	case r.hi > s.objective.RTO:
		v.Outcome, v.Reason = Inconclusive, TooCloseToCall
	case !r.held:
		v.Outcome, v.Reason = Inconclusive, HoldNotObserved
	case brief:
		v.Outcome, v.Reason = Inconclusive, ObservedLessThanRTO
	case impaired:
		v.Outcome, v.State = Degraded, Impaired
	default:
		v.Outcome, v.State = Disproved, Recovered
	}
	return v
}

// down completes a verdict without a recovery: only a lower bound of the outage's
// length is known. If the fault was over before the RTO was, and users were still down
// after it, no continuation could have met the RTO.
func (s *series) down(v Verdict, r recovery, notBack Outcome) Verdict {
	atLeast := s.end - r.start
	if atLeast < s.objective.RTO && r.lo > s.objective.RTO {
		atLeast = r.lo
	}
	v.AtLeast = seconds(atLeast)
	if atLeast < s.objective.RTO {
		v.Outcome, v.Reason = Inconclusive, ObservedLessThanRTO
		return v
	}
	v.Outcome, v.State = notBack, Down
	return v
}

// severity is the share of bad samples in all outages of the fault.
func severity(outages []outage) float64 {
	n, bad := 0, 0
	for _, o := range outages {
		n += o.n
		bad += o.bad
	}
	return ratio(bad, n)
}

func seconds(d time.Duration) *Seconds { return new(Seconds(d)) }

// The names of the phases; see [Case.PhaseOf].
const (
	PhaseBaseline = "baseline"
	PhaseFault    = "fault"
	PhaseRepair   = "repair"
)

// PhaseOf returns a function that gives the phase of a sample, as [Judge] assigns it.
func (c Case) PhaseOf() func(Sample) string {
	end := c.Marks.Revert
	if !c.Marks.Reverted {
		for _, s := range c.Samples {
			end = max(end, s.Sent)
		}
	}
	return func(s Sample) string {
		return [...]string{baseline: PhaseBaseline, fault: PhaseFault, repair: PhaseRepair}[phaseOf(s, c.Marks.Fault, end)]
	}
}

// Bad reports whether a sample of the case is bad.
func (c Case) Bad(s Sample) bool { return s.Failed || s.Latency > c.Objective.Within }
