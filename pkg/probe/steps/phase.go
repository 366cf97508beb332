package steps

import (
	"context"
	"time"
)

// opening is the context of a step that is then held open: until opened is called, it has
// only the journey's timeout. Its end by time is a timeout. done frees what it needs.
func opening(ctx context.Context, timeout, hold time.Duration) (within context.Context, opened, done func()) {
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)-hold)
	}
	within, leave := context.WithCancelCause(ctx)
	timer := time.AfterFunc(timeout, func() { leave(context.DeadlineExceeded) })
	return within, func() { timer.Stop() }, func() {
		timer.Stop()
		leave(context.Canceled)
	}
}
