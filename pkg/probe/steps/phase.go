package steps

import (
	"context"
	"time"
)

// phase is the time of a step that is then held open: until it is held, it has only the
// journey's timeout.
type phase struct {
	context.Context //nolint:containedctx // it is one

	leave context.CancelCauseFunc
	timer *time.Timer
}

// opening is the phase before a step is held. Its end by time is a timeout.
func opening(ctx context.Context, timeout, hold time.Duration) phase {
	if deadline, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(deadline)-hold)
	}
	ctx, leave := context.WithCancelCause(ctx)
	return phase{ctx, leave, time.AfterFunc(timeout, func() { leave(context.DeadlineExceeded) })}
}

// opened ends the phase: the step is held from now on.
func (p phase) opened() { p.timer.Stop() }

// done frees what the phase needs.
func (p phase) done() {
	p.timer.Stop()
	p.leave(context.Canceled)
}
