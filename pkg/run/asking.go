package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// question is what a run asks outside of gameday, again and again.
type question struct {
	of    string // as in [record.Poll]
	n     int
	every time.Duration
	name  string // for people
	// ask fills the answer in: what holds, or the value, or why that is unknown.
	ask func(ctx context.Context, p *record.Poll)
	// changed says what has happened if the answer is another one than the last.
	changed func(p record.Poll) string
}

// answers are the last answers, by question.
type answers struct {
	mu   sync.Mutex
	last map[string]record.Poll
	held map[string]time.Time // when it last held
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
	was, known := a.last[key(p.Of, p.N)]
	a.last[key(p.Of, p.N)] = p
	return state(p) != state(was) && (known || state(p) != notHolding)
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
func questions(p plan.Plan) (all []question, aside []int) {
	for n, a := range p.Scenario.ExpectAlerts {
		if !concerns(p, a) {
			aside = append(aside, n)
			continue
		}
		all = append(all, alertQuestion(n, a))
	}
	return all, aside
}

// concerns reports whether an alert is about a component that a plan faults.
func concerns(p plan.Plan, a scenario.ExpectedAlert) bool {
	return a.About.IsZero() || slices.ContainsFunc(p.Steps, func(s plan.Step) bool {
		return s.Component.ID != "" && a.About.Match(s.Component)
	})
}

func alertQuestion(n int, a scenario.ExpectedAlert) question {
	return question{
		of: record.PollAlert, n: n, every: verdict.AskEvery(a.Within), name: a.Name,
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
	for next := time.Now(); ; next = next.Add(q.every) {
		if late := time.Since(next); late > q.every {
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
			r.tell(record.Event{At: p.Answered, Kind: record.KindOutside, What: q.changed(p)})
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

// awaitClear waits until the alerts that fired have cleared, at the latest until they
// should have: the next run must not begin while they fire.
func (r *conduct) awaitClear(ctx context.Context) {
	over := time.Now()
	for {
		left := time.Duration(0)
		for n, a := range r.plan.Scenario.ExpectAlerts {
			if state(r.answers.of(record.PollAlert, n)) == holding {
				// A poll more, so that one after the limit is seen.
				left = max(left, a.ClearsWithin-time.Since(over)+2*verdict.AskEvery(a.Within))
			}
		}
		if left <= 0 || !sleep(ctx, min(left, beat)) {
			return
		}
	}
}
