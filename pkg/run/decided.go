package run

import (
	"fmt"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// deciding keeps what users met since the baseline, if the watch lasts until the verdict is
// decided. A sample takes 40 bytes.
type deciding struct {
	*instrument

	within time.Duration
	next   time.Time // before it, another look shows nothing, or costs too much

	mu      sync.Mutex
	samples map[string][]verdict.Sample // of critical journeys; nil if none are kept
}

// newDeciding keeps nothing unless the scenario's watch lasts until it is decided.
func newDeciding(s scenario.Scenario, i *instrument) *deciding {
	d := &deciding{instrument: i, within: s.Objective.Within}
	if s.Timing.Until == scenario.UntilDecided || s.Undo.ByHand() {
		d.samples = map[string][]verdict.Sample{}
		for _, l := range s.Load {
			if l.Critical {
				d.samples[l.Name()] = nil
			}
		}
	}
	return d
}

func (d *deciding) add(s record.Sample) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if kept, ok := d.samples[s.Journey]; ok && !s.Void {
		d.samples[s.Journey] = append(kept, judgedSample(s, d.origin))
	}
}

// since are the samples of a journey that were done after a moment, but for those that are
// void. What is kept is only appended to, so that reading it needs no lock.
func (d *deciding) since(journey string, since time.Time) (samples []verdict.Sample) {
	d.mu.Lock()
	kept := d.samples[journey]
	d.mu.Unlock()
	from := since.Sub(d.origin)
	spans := voids(d.of(journey, since, since.Add(verdict.MaxSpan)), d.within)
	for _, s := range kept {
		if s.Done() > from && !voided(s, spans) {
			samples = append(samples, s)
		}
	}
	return samples
}

// lookCost is how many times longer than the last look a watch waits before the next one:
// of many users, a look takes the load's processor time.
const lookCost = 20

// decided is the outcome by which the watch may end now, or "": once recovery is decided,
// every alert has fired or missed its limit, and every condition of the fault is met.
func (r *conduct) decided() verdict.Outcome {
	if r.mending() {
		return ""
	}
	by := r.recoveryDecided()
	if by == "" || len(r.plan.Scenario.ExpectAlerts) == 0 {
		return by
	}
	if until := r.alertsUntil(r.firstBad()); r.Clock.Now().Before(until) {
		r.deciding.next = until
		if soon := r.Clock.Now().Add(time.Second); until.After(soon) {
			r.deciding.next = soon // an alert may fire before
		}
		return ""
	}
	return by
}

// firstBad is when the first failed or slow user came, or when the fault was ordered if
// there was none.
func (r *conduct) firstBad() time.Time {
	struck, now := r.struckAt(), r.Clock.Now()
	first := now
	for _, l := range r.plan.Scenario.Load {
		c := r.caseOf(l)
		c.Marks.Reverted, c.Marks.Revert = true, now.Sub(r.deciding.origin)
		if v := verdict.Judge(c); v.FirstImpact != nil && struck.Add(v.FirstImpact.Duration()).Before(first) {
			first = struck.Add(v.FirstImpact.Duration())
		}
	}
	if first.Equal(now) {
		return struck
	}
	return first
}

// caseOf is what users of a journey met so far.
func (r *conduct) caseOf(l scenario.JourneyLoad) verdict.Case {
	c := caseOf(r.plan.Scenario, l, verdict.Marks{Fault: r.struckAt().Sub(r.deciding.origin)})
	c.Samples = r.deciding.since(l.Name(), r.baselineAt)
	return c
}

// recoveryDecided is the outcome that recovery, or its absence, makes certain, or "". An
// outage that lasts too long on one critical journey is proven. Disproved are all of them
// together, once all that was declared has happened: later faults, the end of those with
// for:, and stages.
func (r *conduct) recoveryDecided() verdict.Outcome {
	d, now := r.deciding, r.Clock.Now()
	if d.samples == nil || now.Before(d.next) {
		return ""
	}
	started := time.Now()
	struck := r.struckAt()
	objective := r.plan.Scenario.Objective.Verdict()
	due := struck.Add(lastMoment(r.plan.Scenario) + objective.RTO)
	disproved, next := !now.Before(due), due
	if disproved {
		next = now.Add(objective.RTO + objective.Hold)
	}
	for _, l := range r.plan.Scenario.Load {
		if !l.Critical {
			continue
		}
		decision := r.caseOf(l).Decided(now.Sub(d.origin))
		if decision.Outcome == verdict.Proven {
			return verdict.Proven
		}
		disproved = disproved && decision.Outcome == verdict.Disproved
		if at := d.origin.Add(decision.Next); decision.Outcome == "" && at.Before(next) {
			next = at
		}
	}
	if disproved {
		return verdict.Disproved
	}
	r.nextLook(next, started)
	return ""
}

// nextLook puts the next look off until it can show something, and for a multiple of what this one
// took at the least.
func (r *conduct) nextLook(shows, started time.Time) {
	now := r.Clock.Now()
	r.deciding.next = shows
	if least := now.Add(lookCost * time.Since(started)); shows.Before(least) {
		r.deciding.next = least
	}
}

// struckAt is when the first fault was ordered.
func (r *conduct) struckAt() time.Time {
	first := r.bound[0].ordered
	for _, b := range r.bound {
		if b.ordered.Before(first) {
			first = b.ordered
		}
	}
	return first
}

// lastMoment is how long after the first fault the last thing that a scenario declares
// happens.
func lastMoment(s scenario.Scenario) (last time.Duration) {
	for _, f := range s.Faults {
		last = max(last, f.At+f.For)
	}
	for _, l := range s.Load {
		lasts := time.Duration(0)
		for _, stage := range l.Stages {
			lasts += stage.Over + stage.Hold
		}
		last = max(last, lasts)
	}
	return last
}

// endDecided notes by what a watch was ended.
func (r *conduct) endDecided(by verdict.Outcome, after time.Duration) {
	r.account.Decided = by
	r.note(fmt.Sprintf("the watch is ended after %v of up to %v (until: decided): %s", after.Round(time.Millisecond), r.plan.Scenario.Timing.Watch, by))
}
