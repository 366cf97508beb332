package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A baseline that was not steady has to be steady for as long as it was declared, and for as
// long as the RTO, up to mostSteady: else a system that is down now and then would be judged
// by a window in which it happens to be well. Until then it goes on, for leastExtra longer
// than that at the least.
const (
	mostSteady = 2 * time.Minute
	leastExtra = 30 * time.Second
)

// early keeps what users meet until the fault is ordered, so that the rule by which the run
// will be judged decides whether the fault may be ordered.
type early struct {
	objective verdict.Objective
	loads     []scenario.JourneyLoad
	// instrument is what is known of the load generator; nil if nothing is.
	instrument *instrument

	mu      sync.Mutex
	over    bool
	samples map[string][]record.Sample
}

func newEarly(s scenario.Scenario) *early {
	return &early{objective: s.Objective.Verdict(), loads: s.Load, samples: map[string][]record.Sample{}}
}

func (e *early) add(s record.Sample) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.over && !s.Void {
		e.samples[s.Journey] = append(e.samples[s.Journey], s)
	}
}

// close frees what was kept.
func (e *early) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over, e.samples = true, nil
}

// reason is why the users since a moment are no baseline, or "" if they are one; text says
// it of the same users.
func (e *early) reason(since time.Time) (_ verdict.Reason, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if text = e.late(since); text != "" {
		return verdict.RateNotKept, text
	}
	for _, l := range e.loads {
		if !l.Critical {
			continue
		}
		samples := e.judged(l.Name(), since)
		if reason := verdict.Baseline(samples, e.objective, l.Rate.PerSecond()); reason != "" {
			return reason, describeEarly(reason)
		}
	}
	return "", ""
}

// judged are the samples of a journey since a moment, as the judge takes them: without those
// that are void.
func (e *early) judged(journey string, since time.Time) (samples []verdict.Sample) {
	spans := voids(e.instrument.of(journey, since, since.Add(verdict.MaxSpan)), e.objective.Within)
	for _, s := range e.samples[journey] {
		if judged := judgedSample(s, since); judged.Done() > 0 && !voided(judgedSample(s, e.instrument.origin), spans) {
			samples = append(samples, judged)
		}
	}
	return samples
}

// mostLate is how late one of a hundred users may be sent before the fault. A machine that
// falls behind further has more to do than it can: what it measures is its own.
const mostLate = 250 * time.Millisecond

// late says how far the loads have fallen behind their rates since a moment, or "" if none
// has. It is called with the lock held.
func (e *early) late(since time.Time) string {
	for _, l := range e.loads {
		sent := sendingOf(e.samples[l.Name()], since)
		n := len(sent.late)
		if n < verdict.MinSamples {
			continue
		}
		if share, is := e.instrument.overloaded(l.Name(), e.objective.Within, since); is {
			return describeOverload(l.Name(), share, float64(n)/sent.done.Sub(sent.first).Seconds())
		}
		if sent.late[(n*99+99)/100-1] <= mostLate {
			continue
		}
		return fmt.Sprintf("the load generator cannot keep the rate of journey %s: it sent %.1f users/s instead of %.1f, half of them more than %v late, the last ones %v",
			l.Name(), float64(n-1)/sent.last.Sub(sent.first).Seconds(), l.Rate.PerSecond(), sent.late[n/2].Round(time.Millisecond), sent.late[n-1].Round(time.Millisecond))
	}
	return ""
}

// sending is how users were sent.
type sending struct {
	late              []time.Duration // how late each was, in order
	first, last, done time.Time       // the first and the last send, and the last answer
}

// sendingOf is how the users were sent who came since a moment.
func sendingOf(samples []record.Sample, since time.Time) (all sending) {
	for _, s := range samples {
		if s.Sent.Before(since) {
			continue
		}
		all.late = append(all.late, s.Late)
		if all.first.IsZero() || s.Sent.Before(all.first) {
			all.first = s.Sent
		}
		if s.Sent.After(all.last) {
			all.last = s.Sent
		}
		if done := s.Sent.Add(s.Latency); done.After(all.done) {
			all.done = done
		}
	}
	slices.Sort(all.late)
	return all
}

// forget drops what users met before a moment.
func (e *early) forget(before time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for journey, samples := range e.samples {
		e.samples[journey] = slices.DeleteFunc(samples, func(s record.Sample) bool { return !s.Sent.Add(s.Latency).After(before) })
	}
}

// steady lets the baseline last, and longer if it is not steady by then. It reports whether
// a fault may be ordered: if the run would be judged inconclusive whatever comes, nothing
// is broken.
func (r *conduct) steady(ctx context.Context) (bool, error) {
	lasts := r.plan.Scenario.Timing.Baseline
	began := r.Clock.Now()
	if !sleep(ctx, lasts) {
		return false, nil
	}
	reason, text := r.notSteady(began)
	if reason == "" {
		return true, nil
	}
	need := max(lasts, min(r.plan.Scenario.Objective.RTO, mostSteady))
	extra := need + max(lasts, leastExtra)
	r.note(fmt.Sprintf("%s: the baseline is extended until it is steady for %v, by at most %v", text, need, extra))
	r.Observe(Update{Phase: Baseline, For: extra})
	for end := time.Now().Add(extra); time.Now().Before(end); {
		if !sleep(ctx, beat) {
			return false, nil
		}
		if reason, text = r.notSteady(began); mends(reason) {
			if since := r.Clock.Now().Add(-need); since.After(began) {
				began = since // never before what is forgotten
				r.early.forget(began)
				reason, text = r.notSteady(began)
			}
		}
		if reason == "" {
			return true, r.mark(record.MarkBaseline, began, "")
		}
	}
	if reason == verdict.RateNotKept {
		r.account.NotKept = text
		r.note(text + ": no fault is injected: use a lower rate, or a machine with more processors")
		return false, nil
	}
	r.note(text + ": no fault is injected into an environment that is already failing")
	return false, nil
}

// notSteady is why what was seen since a moment is no baseline, of users and of conditions;
// "" if it is one.
func (r *conduct) notSteady(since time.Time) (verdict.Reason, string) {
	if reason, text := r.early.reason(since); reason != "" {
		return reason, text
	}
	return r.unsteady(since)
}

// mends reports whether a later baseline may be steady.
func mends(reason verdict.Reason) bool {
	switch reason { //nolint:exhaustive // the reasons of a baseline
	case verdict.BaselineNotSteady, verdict.RateNotKept, verdict.ConditionNotSteady, verdict.ConditionUnknown:
		return true
	}
	return false
}

func describeEarly(reason verdict.Reason) string {
	if reason == verdict.BaselineTooShort {
		return fmt.Sprintf("fewer than %d users have arrived", verdict.MinSamples)
	}
	return "the objective does not hold before the fault"
}
