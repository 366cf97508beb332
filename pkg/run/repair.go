package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// undo orders the revert of all that was done. Where the platform has put
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
	r.reverted = ordered
	// The order itself does not wait for the disk, nor for its success.
	err := undoEntries(ctx, r.Journal, r.Undoers, r.note, func(e journal.Entry) bool { return mine[e.ID] })
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

// healed reports whether every fault was a moment that the platform has mended.
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

// heldUp is how far apart two looks are if something held this process up: a look takes no
// second.
const heldUp = beat + time.Second

// repair waits until the components are up and users are served again, so that
// the environment is left as it was found. What is not so in time is an error.
func (r *conduct) repair(ctx context.Context) error {
	limit, hold := r.plan.Scenario.Timing.Repair, r.plan.Scenario.Objective.Hold
	r.Observe(Update{Phase: Repair, For: limit})
	began, held := time.Now(), time.Duration(0)
	for last := began; ; {
		// What was not looked at is no finding: time in which this process was held up
		// (a machine that was suspended, or too busy) does not count, within bounds.
		if gap := time.Since(last); gap > heldUp {
			held = min(held+gap, limit)
		}
		last = time.Now()
		down, checking, err := r.down(ctx)
		served := r.served(hold)
		if err == nil && down == "" && checking == "" && served && time.Since(began) >= hold {
			return nil
		}
		if time.Since(began)-held < limit {
			if !sleep(ctx, beat) {
				return nil // a person has seen enough; the revert itself was done
			}
			continue
		}
		switch {
		case err != nil:
			return fmt.Errorf("look whether everything is up again: %w", err)
		case down != "":
			return fmt.Errorf("%s is not up %v after it was started again", down, limit)
		case served && checking != "":
			r.note(fmt.Sprintf("%s runs and users are served, but its health check has not said anything %v after the revert", checking, limit))
			return nil
		}
		if r.ended.Load() {
			return errors.New("all components are up, but whether service has recovered could not be seen: the load ended before the run (order: once)")
		}
		return fmt.Errorf("all components are up, but service has not recovered %v after the revert", limit)
	}
}

// recovering is a meter of the users by whom it is seen that service has recovered after the
// revert, if they are not all users: those who keep an address for ever may only be served
// again once they are started again. Reports say who of them was not served at the end. It is
// nil if all count.
func (r *conduct) recovering() *Meter {
	if slices.ContainsFunc(r.plan.Scenario.Load, r.leftOut) {
		return NewMeter(r.plan.Scenario.Objective.Verdict())
	}
	return nil
}

// leftOut reports whether the users of a critical load do not count for recovery after the
// revert: they look names up only once, and another kind of critical client walks the same
// journey.
func (r *conduct) leftOut(load scenario.JourneyLoad) bool {
	keeps := func(l scenario.JourneyLoad) bool { return l.Client().Kind == probe.DNSForever }
	return load.Critical && keeps(load) && slices.ContainsFunc(r.plan.Scenario.Load, func(l scenario.JourneyLoad) bool {
		return l.Critical && l.Journey == load.Journey && !keeps(l)
	})
}

// served reports whether the objective has held for users for a duration.
func (r *conduct) served(hold time.Duration) bool {
	if r.others != nil {
		return r.others.Steady(hold)
	}
	return r.Meter.Steady(hold)
}

// down is the name of a component that is not up, or ""; checking is that of one whose health
// check has not said anything yet. Each is held to what it was before the fault: one that was
// not healthy then has to run, and one that did not run (which some kinds allow) need not. One that is gone was removed by something else.
func (r *conduct) down(ctx context.Context) (down, checking string, err error) {
	for _, b := range r.bound {
		if b.handle == nil {
			continue
		}
		c, err := b.handle.Look(ctx)
		switch {
		case errors.Is(err, target.ErrGone):
		case err != nil:
			return "", "", err
		case c.State == b.Component.State && c.State != target.Running: // it did not run before
		case c.State != target.Running:
			return c.Name, "", nil
		case c.Healthy || !b.Component.Healthy:
		case c.Checking:
			checking = c.Name
		default:
			return c.Name, "", nil
		}
	}
	return "", checking, nil
}
