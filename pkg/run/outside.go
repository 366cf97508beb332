package run

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// askEvery is how often a stop condition asks outside of gameday.
const askEvery = time.Second

// blindFor is how long a stop condition may be unable to tell. A run that cannot see
// whether to stop stops.
const blindFor = 10 * time.Second

// outside is what a stop condition asks outside of gameday, and the answer.
type outside struct {
	gates []stopGate
	lasts time.Duration

	mu    sync.Mutex
	since time.Time // it has been so since; zero if it is not
	blind time.Time // no answer since then; zero if there is one
	why   string
}

// stopGate is a gate that stops the run when it holds, or when it does not.
type stopGate struct {
	gate.Gate
	when bool
}

func newOutside(rule scenario.AbortRule) *outside {
	o := &outside{lasts: rule.For}
	if rule.HTTPFails != nil {
		o.gates = append(o.gates, stopGate{*rule.HTTPFails, false})
	}
	if rule.Prometheus != nil {
		o.gates = append(o.gates, stopGate{*rule.Prometheus, true})
	}
	return o
}

// askOutside asks for all stop conditions until ctx ends, or until stop was called,
// which waits until all questions have ended.
func (r *conduct) askOutside(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	r.stops = make([]*outside, len(r.plan.Scenario.AbortWhen))
	for i, rule := range r.plan.Scenario.AbortWhen {
		o := newOutside(rule)
		r.stops[i] = o
		if len(o.gates) > 0 {
			asking.Go(func() {
				for ok := true; ok; ok = sleep(ctx, askEvery) {
					o.ask(ctx)
				}
			})
		}
	}
	return func() { cancel(); asking.Wait() }
}

// ask asks once.
func (o *outside) ask(ctx context.Context) {
	stops, why := true, ""
	var blind error
	for _, g := range o.gates {
		ok, text, err := g.Holds(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			blind = err
			continue
		}
		stops = stops && ok == g.when
		if text == "" {
			text = g.String()
		}
		why = text
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if blind != nil {
		if o.blind.IsZero() {
			o.blind = now
		}
		o.why = fmt.Sprintf("it could not be evaluated for %v: %v", blindFor, blind)
		return
	}
	o.blind, o.why = time.Time{}, why
	switch {
	case !stops:
		o.since = time.Time{}
	case o.since.IsZero():
		o.since = now
	}
}

// holds reports whether it has been so for as long as it must, or was unknown for
// too long. If nothing is asked outside, it holds.
func (o *outside) holds(now time.Time) (why string, holds bool) {
	if len(o.gates) == 0 {
		return "", true
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.blind.IsZero() {
		return o.why, now.Sub(o.blind) >= blindFor
	}
	return o.why, !o.since.IsZero() && now.Sub(o.since) >= o.lasts
}
