package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// beat is how often a run looks at what it waits for.
const beat = 250 * time.Millisecond

// watch lets the fault last, and looks whether it does. It ends early when the
// fault is lost, when a stop condition holds, when the verdict is decided (if the scenario
// says so), or when ctx ends.
func (r *conduct) watch(ctx context.Context) error {
	r.Observe(Update{Phase: Watch, For: r.plan.Scenario.Timing.Watch})
	if r.account.NotInForce {
		return nil
	}
	if r.plan.Scenario.Undo.ByHand() {
		return r.untilRecovered(ctx)
	}
	began := time.Now()
	end := began.Add(r.plan.Scenario.Timing.Watch)
	defer r.askOutside(ctx)()
	inForce := r.Clock.Now()
	for time.Now().Before(end) {
		if on, err := r.pass(ctx, began, end); !on {
			return err
		}
		looked := r.Clock.Now()
		if r.isLost(ctx) {
			return r.mark(record.MarkLost, inForce, "")
		}
		inForce = looked
		if r.stopped() {
			return nil
		}
		if by := r.decided(); by != "" {
			r.endDecided(by, time.Since(began))
			return nil
		}
	}
	return nil
}

// pass waits for the next look at a watch, or for its end, and does what is due by then. It
// reports whether the watch goes on.
func (r *conduct) pass(ctx context.Context, began, end time.Time) (on bool, err error) {
	if !sleep(ctx, min(beat, time.Until(end), time.Until(began.Add(r.next(time.Since(began)))))) {
		r.abort(endedBy(ctx))
		return false, nil
	}
	err = r.keepTime(ctx, time.Since(began))
	return err == nil && !r.account.NotInForce, err
}

// stopped reports whether a stop condition holds, which aborts the run.
func (r *conduct) stopped() bool {
	for i, rule := range r.plan.Scenario.AbortWhen {
		if why, holds := r.stops[i].holds(time.Now()); holds && r.Meter.Holds(rule) {
			r.abort("stop condition: " + cmp.Or(why, describe(rule)))
			return true
		}
	}
	return false
}

func describe(rule scenario.AbortRule) string {
	if rule.GoodBelow > 0 {
		return fmt.Sprintf("fewer than %s of requests were good for %v", rule.GoodBelow, rule.For)
	}
	return fmt.Sprintf("%d users had failed or slow requests", rule.Failed)
}

// isLost reports whether something else has ended a fault. An engine that does not
// answer proves nothing.
func (r *conduct) isLost(ctx context.Context) bool {
	for _, b := range r.bound {
		verifier, lasts := b.Fault.(fault.Verifier)
		if _, moment := b.Fault.(fault.Healer); !lasts || moment || b.over {
			continue
		}
		err := verifier.InForce(ctx, b.handle, b.entry.State)
		if errors.Is(err, fault.ErrNotInForce) && !r.again(ctx, b, err) {
			r.account.NotInForce = true
			r.account.Steps[b.account].Found = err.Error()
			r.event(record.KindFault, b.Component.Name, "the fault was ended by something other than gameday: "+err.Error())
			return true
		}
	}
	return false
}

// next is when, after now, a fault begins or is taken back; at the latest when the
// watch ends.
func (r *conduct) next(now time.Duration) time.Duration {
	next := time.Duration(math.MaxInt64)
	for _, f := range r.plan.Scenario.Faults {
		if f.At > now {
			next = min(next, f.At)
		}
		if f.For > 0 && f.At+f.For > now {
			next = min(next, f.At+f.For)
		}
	}
	// A moment far away is no time of day.
	return min(next, r.plan.Scenario.Timing.Watch)
}

// keepTime orders what is due, and takes back what has lasted long enough.
func (r *conduct) keepTime(ctx context.Context, now time.Duration) error {
	for _, b := range r.bound {
		if b.For > 0 && !b.over && now >= b.At+b.For {
			r.takeBack(ctx, b)
		}
	}
	for _, f := range r.plan.Scenario.Faults {
		if f.At > 0 && now >= f.At && !r.begun[f.At] {
			r.begun[f.At] = true
			if err := r.inject(ctx, f.At); err != nil {
				return err
			}
		}
	}
	return nil
}
