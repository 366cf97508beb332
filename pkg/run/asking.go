package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// question is what a run asks outside of gameday, again and again.
type question struct {
	of string // as in [record.Poll]
	n  int
	// every is how often it is asked, by the time since the first time.
	every func(since time.Duration) time.Duration
	// ask fills the answer in: what holds, or the value, or why that is unknown.
	ask func(ctx context.Context, p *record.Poll)
	// changed says what has happened if the answer is another one than the last.
	changed func(p record.Poll) string
}

// answers are the last answers, by question.
type answers struct {
	mu     sync.Mutex
	last   map[string]record.Poll
	early  []record.Poll // of conditions, until the fault
	struck bool
	held   map[string]time.Time // when it last held
}

func key(of string, n int) string { return fmt.Sprint(of, n) }

// put keeps an answer, and reports whether it is another one than the last.
func (a *answers) put(p record.Poll) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		a.last, a.held = map[string]record.Poll{}, map[string]time.Time{}
	}
	if state(p) == holding {
		a.held[key(p.Of, p.N)] = p.Answered
	}
	if p.Of == record.PollCondition && !a.struck {
		a.early = append(a.early, p)
	}
	was, known := a.last[key(p.Of, p.N)]
	a.last[key(p.Of, p.N)] = p
	switch {
	case known:
		return state(p) != state(was)
	case p.Of == record.PollMetric:
		return state(p) == noAnswer // a value is what is expected
	}
	return state(p) == holding
}

// of is the last answer to a question.
func (a *answers) of(of string, n int) record.Poll {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last[key(of, n)]
}

// heldSince reports whether what was asked has held since a moment.
func (a *answers) heldSince(of string, n int, since time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held[key(of, n)].After(since)
}

// What an answer says.
const (
	noAnswer = iota
	notHolding
	holding
)

func state(p record.Poll) int {
	switch {
	case p.Holds == nil && p.Value == nil:
		return noAnswer
	case p.Holds != nil && !*p.Holds:
		return notHolding
	}
	return holding
}

// questions are all that a plan asks, and the places of the alerts that are not about what
// it faults.
func questions(p plan.Plan, sql SQL) (all []question, aside []int) {
	for n, a := range p.Scenario.ExpectAlerts {
		if !concerns(p, a) {
			aside = append(aside, n)
			continue
		}
		all = append(all, alertQuestion(n, a))
	}
	for n, m := range p.Scenario.Must {
		all = append(all, conditionQuestion(n, m, sql))
	}
	for n, m := range p.Scenario.Observe {
		all = append(all, metricQuestion(n, m))
	}
	return all, aside
}

// within is how often to ask for what has a limit.
func within(limit time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return verdict.AskEvery(limit) }
}

// SQL performs a statement, and returns its rows as JSON.
type SQL func(ctx context.Context, statement probe.SQL) ([]byte, error)

func conditionQuestion(n int, m scenario.Must, sql SQL) question {
	return question{
		of: record.PollCondition, n: n, every: within(m.AgainWithin),
		ask: func(ctx context.Context, p *record.Poll) {
			ok, why, err := m.Holds(ctx, sql)
			if err != nil {
				p.Why = err.Error()
				return
			}
			p.Holds, p.Why = &ok, why
		},
		changed: func(p record.Poll) string {
			return "condition " + m.Title() + [...]string{noAnswer: " is unknown: " + p.Why, notHolding: " is not met: " + p.Why, holding: " is met"}[state(p)]
		},
	}
}

// concerns reports whether an alert is about a component that a plan faults.
func concerns(p plan.Plan, a scenario.ExpectedAlert) bool {
	return a.About.IsZero() || faults(p, a.About)
}

// faults reports whether a plan faults a component that a selector matches.
func faults(p plan.Plan, these target.Selector) bool {
	return slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Component.ID != "" && these.Match(s.Component) })
}

func alertQuestion(n int, a scenario.ExpectedAlert) question {
	return question{
		of: record.PollAlert, n: n, every: within(a.Within),
		ask: func(ctx context.Context, p *record.Poll) {
			fires, err := a.Fires(ctx)
			if err != nil {
				p.Why = err.Error()
				return
			}
			p.Holds = &fires
		},
		changed: func(p record.Poll) string {
			return "alert " + a.Name + [...]string{noAnswer: " is unknown: " + p.Why, notHolding: " does not fire any more", holding: " fires"}[state(p)]
		},
	}
}

// poll asks a question until ctx ends.
func (r *conduct) poll(ctx context.Context, q question) {
	began := time.Now()
	for next := began; ; next = next.Add(q.every(time.Since(began))) {
		if late := time.Since(next); late > q.every(time.Since(began)) {
			next = next.Add(late) // the last answer took longer: do not catch up
		}
		if !sleep(ctx, time.Until(next)) {
			return
		}
		p := record.Poll{Of: q.of, N: q.n, Asked: r.Clock.Now()}
		q.ask(ctx, &p)
		if ctx.Err() != nil {
			return
		}
		p.Answered = r.Clock.Now()
		_ = r.Record.Poll(p) // an error is kept, and told when the record is closed
		if r.answers.put(p) {
			r.show(q, p)
		}
	}
}

// alertsUntil is until when an alert may still fire in time, if not all have fired.
func (r *conduct) alertsUntil(firstBad time.Time) (until time.Time) {
	for n, a := range r.plan.Scenario.ExpectAlerts {
		if slices.Contains(r.account.AlertsAside, n) || r.answers.heldSince(record.PollAlert, n, r.struckAt()) {
			continue
		}
		// Two polls more, so that one after the limit is seen.
		if limit := firstBad.Add(a.Within + 2*verdict.AskEvery(a.Within)); limit.After(until) {
			until = limit
		}
	}
	return until
}

// unsteady is why the conditions since a moment are no baseline, or "" if they are one; text
// says which.
func (r *conduct) unsteady(since time.Time) (_ verdict.Reason, text string) {
	r.answers.mu.Lock()
	defer r.answers.mu.Unlock()
	for n, m := range r.plan.Scenario.Must {
		var polls []verdict.Poll
		for _, p := range r.answers.early {
			if p.N == n && !p.Asked.Before(since) {
				polls = append(polls, judgedPoll(p, since))
			}
		}
		switch met, why := verdict.Steady(polls); met {
		case verdict.NotSteady:
			return verdict.ConditionNotSteady, fmt.Sprintf("condition %s is not met before the fault: %s", m.Title(), why)
		case verdict.Unasked:
			return verdict.ConditionUnknown, fmt.Sprintf("condition %s is unknown before the fault: %s", m.Title(), why)
		case verdict.IsMet, verdict.NotMet:
		}
	}
	return "", ""
}

// forget frees the polls of the baseline.
func (a *answers) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.early, a.struck = nil, true
}

// mending reports whether a condition is not met that may be met again before the revert.
func (r *conduct) mending() bool {
	for n, m := range r.plan.Scenario.Must {
		if m.WhenMet() == verdict.DuringFault && m.AgainWithin > 0 && state(r.answers.of(record.PollCondition, n)) != holding {
			return true
		}
	}
	return false
}

// awaitClear waits until the alerts that fired have cleared, and the conditions are met
// again, at the latest until they should: the next run must not begin before.
func (r *conduct) awaitClear(ctx context.Context) {
	over := r.reverted
	for {
		left := time.Duration(0)
		for n, a := range r.plan.Scenario.ExpectAlerts {
			if state(r.answers.of(record.PollAlert, n)) == holding {
				// A poll more, so that one after the limit is seen.
				left = max(left, a.ClearsWithin-r.Clock.Now().Sub(over)+2*verdict.AskEvery(a.Within))
			}
		}
		for n, m := range r.plan.Scenario.Must {
			if during := m.WhenMet(); (during == verdict.DuringAlways || during == verdict.DuringAfter) && state(r.answers.of(record.PollCondition, n)) != holding {
				left = max(left, m.AgainWithin-r.Clock.Now().Sub(over)+2*verdict.AskEvery(m.AgainWithin))
			}
		}
		if left <= 0 || !sleep(ctx, min(left, beat)) {
			return
		}
	}
}
