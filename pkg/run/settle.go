package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/journal"
)

// settlePause is how often an order that may still be under way is looked for.
const settlePause = 250 * time.Millisecond

// settle undoes again what takes effect after it was undone. The process that gave these
// orders died, or was not answered, while the engine may still have been carrying them
// out. It looks for their effect for as long as they may take: an effect that is seen may be
// the doing of another process, and that of the order still to come.
func settle(ctx context.Context, j *journal.Journal, undoers Undoers, note func(string), unsettled []journal.Entry) error {
	var errs []error
	began := time.Now()
	for told := false; len(unsettled) > 0; {
		sleep(ctx, min(settlePause, time.Until(began.Add(soonest(unsettled)))))
		var still []journal.Entry
		for _, e := range unsettled {
			over := time.Since(began) >= e.Settle
			if !over && !undoers.landed(ctx, e) {
				still = append(still, e)
				continue
			}
			err := persist(ctx, e, undoers.Undo)
			switch {
			case err != nil:
				errs = append(errs, err)
			case over:
				j.End(e.ID)
			default:
				still = append(still, e)
			}
		}
		unsettled = still
		if !told && len(unsettled) > 0 && time.Since(began) >= settleQuiet {
			told = true
			note(fmt.Sprintf("waiting at most %v: %s got no answer and may still take effect; gameday then undoes it",
				(latest(unsettled) - time.Since(began)).Round(time.Second), orderOf(unsettled[0])))
		}
	}
	return errors.Join(errs...)
}

// orderOf is what an entry's order was, for a sentence.
func orderOf(e journal.Entry) string {
	switch e.Kind {
	case LabKind:
		return "the start of lab " + e.Name
	case HelpersKind:
		return "the start of helpers"
	}
	return fmt.Sprintf("the injection of %s into %s", e.Kind, e.Name)
}

// settleQuiet is how long orders may take without a word about it.
const settleQuiet = time.Second

func soonest(entries []journal.Entry) time.Duration {
	return slices.MinFunc(entries, bySettle).Settle
}

func latest(entries []journal.Entry) time.Duration {
	return slices.MaxFunc(entries, bySettle).Settle
}

func bySettle(a, b journal.Entry) int { return cmp.Compare(a.Settle, b.Settle) }
