package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// beat is how often a run looks at what it waits for.
const beat = 250 * time.Millisecond

// watch lets the fault last, and looks whether it does. It ends early when the
// fault is lost, when a stop condition holds, or when ctx ends.
func (r *conduct) watch(ctx context.Context) error {
	r.Observe(Update{Phase: Watch, For: r.plan.Scenario.Timing.Watch})
	if r.account.NotInForce {
		return nil
	}
	began := time.Now()
	end := began.Add(r.plan.Scenario.Timing.Watch)
	defer r.askOutside(ctx)()
	inForce := r.Clock.Now()
	for time.Now().Before(end) {
		if !sleep(ctx, min(beat, time.Until(end), time.Until(began.Add(r.next(time.Since(began)))))) {
			r.abort(endedBy(ctx))
			return nil
		}
		if err := r.keepTime(ctx, time.Since(began)); err != nil || r.account.NotInForce {
			return err
		}
		looked := r.Clock.Now()
		if r.isLost(ctx) {
			return r.mark(record.MarkLost, inForce, "")
		}
		inForce = looked
		for i, rule := range r.plan.Scenario.AbortWhen {
			if why, holds := r.stops[i].holds(time.Now()); holds && r.Meter.Holds(rule) {
				r.abort("a stop condition holds: " + cmp.Or(why, describe(rule)))
				return nil
			}
		}
	}
	return nil
}

func describe(rule scenario.AbortRule) string {
	if rule.GoodBelow > 0 {
		return fmt.Sprintf("fewer than %s of users were served well for %v", rule.GoodBelow, rule.For)
	}
	return fmt.Sprintf("%d users have failed", rule.Failed)
}

// isLost tells whether somebody else has ended a fault. An engine that does not
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
			r.event(record.KindFault, b.Component.Name, "somebody else has ended it: "+err.Error())
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

// undo orders the undoing of all that was done. Where the platform has put
// everything right by itself there is nothing to order, and no mark.
func (r *conduct) undo(ctx context.Context) error {
	if len(r.bound) == 0 {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	r.Observe(Update{Phase: UndoIt})
	for _, b := range r.bound {
		if !b.over {
			r.feel(ctx, b)
		}
	}
	r.account.NotFelt = r.unfelt()
	healed, mine := r.healed(ctx), r.entries()
	ordered := r.Clock.Now()
	// The order itself does not wait for the disk, nor for its success.
	err := undoEntries(ctx, r.Journal, r.Undo, func(e journal.Entry) bool { return mine[e.ID] })
	if !healed {
		err = errors.Join(err, r.mark(record.MarkRevert, ordered, ""), r.mark(record.MarkReverted, r.Clock.Now(), ""))
	}
	pending := map[string]bool{}
	for _, e := range r.Journal.Pending() {
		pending[e.ID] = true
	}
	for _, b := range r.bound {
		if r.account.Steps[b.account].Undone {
			continue // taken back before
		}
		r.account.Steps[b.account].Undone = !pending[b.entry.ID]
		if !pending[b.entry.ID] {
			r.event(record.KindFault, b.Component.Name, b.Kind+" undone")
		}
	}
	return err
}

func (r *conduct) entries() map[string]bool {
	ids := map[string]bool{}
	for _, b := range r.bound {
		ids[b.entry.ID] = true
	}
	return ids
}

// healed tells whether every fault was a moment that the platform has mended.
func (r *conduct) healed(ctx context.Context) bool {
	for _, b := range r.bound {
		if r.account.Steps[b.account].TakenBack != nil {
			continue
		}
		healer, ok := b.Fault.(fault.Healer)
		if !ok {
			return false
		}
		if healed, err := healer.Healed(ctx, b.handle, b.entry.State); err != nil || !healed {
			return false
		}
	}
	return true
}

// repair waits until the components are up and users are served again, so that
// the environment is left as it was found. What is not so in time is an error.
func (r *conduct) repair(ctx context.Context) error {
	limit, hold := r.plan.Scenario.Timing.Repair, r.plan.Scenario.Objective.Hold
	r.Observe(Update{Phase: Repair, For: limit})
	began := time.Now()
	for {
		down, err := r.down(ctx)
		served := r.Meter.Steady(hold)
		if err == nil && down == "" && served && time.Since(began) >= hold {
			return nil
		}
		if time.Since(began) < limit {
			if !sleep(ctx, beat) {
				return nil // a person has seen enough; the undoing itself was done
			}
			continue
		}
		switch {
		case err != nil:
			return fmt.Errorf("look whether everything is up again: %w", err)
		case down != "":
			return fmt.Errorf("%s is not up %v after it was started again", down, limit)
		}
		return fmt.Errorf("all components are up, but users are not served again %v after the undoing", limit)
	}
}

// down is the name of a component that is not up, or "". One that is gone was
// removed by somebody else.
func (r *conduct) down(ctx context.Context) (string, error) {
	for _, b := range r.bound {
		if b.handle == nil {
			continue
		}
		c, err := b.handle.Look(ctx)
		switch {
		case errors.Is(err, target.ErrGone):
		case err != nil:
			return "", err
		case !c.Up():
			return c.Name, nil
		}
	}
	return "", nil
}
