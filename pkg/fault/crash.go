package fault

import (
	"context"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Crash ends a component's main process. Unlike [Kill], a restart policy sees a crash and
// may restart the component: the fault shows whether it does, and how fast.
type Crash struct{}

var (
	_ Fault     = (*Crash)(nil)
	_ Outliving = (*Crash)(nil)
	_ Verifier  = (*Crash)(nil)
	_ Lander    = (*Crash)(nil)
	_ Healer    = (*Crash)(nil)
	_ Warmer    = (*Crash)(nil)
)

// Prepare refuses a component that does not run.
func (*Crash) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Crasher](h); err != nil {
		return nil, err
	}
	return startable(ctx, h)
}

// Warm starts what the crash needs.
func (*Crash) Warm(ctx context.Context, h target.Handle) error {
	crasher, err := target.As[target.Crasher](h)
	if err != nil {
		return err
	}
	return crasher.WarmCrash(ctx)
}

// Inject ends the main process.
func (*Crash) Inject(ctx context.Context, h target.Handle, _ State) error {
	crasher, err := target.As[target.Crasher](h)
	if err != nil {
		return err
	}
	return crasher.Crash(ctx)
}

// InForce returns nil once the former main process is gone.
func (*Crash) InForce(ctx context.Context, h target.Handle, was State) error {
	return diedSince(ctx, h, was)
}

// Healed reports whether the restart policy has restarted the component.
func (*Crash) Healed(ctx context.Context, h target.Handle, _ State) (bool, error) {
	return running(ctx, h)
}

// Revert starts the component if it does not run.
func (*Crash) Revert(ctx context.Context, h target.Handle, was State) error {
	return startAgain(ctx, h, was)
}

// Landed implements [Lander].
func (*Crash) Landed(ctx context.Context, h target.Handle, _ State) bool { return down(ctx, h) }

// OutlivesComponent implements [Outliving].
func (*Crash) OutlivesComponent() {}
