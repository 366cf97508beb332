package fault

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Stop stops a component gracefully, as maintenance does: the engine kills the component
// if it does not end within its grace period.
type Stop struct{}

var (
	_ Fault     = (*Stop)(nil)
	_ Outliving = (*Stop)(nil)
	_ Verifier  = (*Stop)(nil)
	_ Lander    = (*Stop)(nil)
)

// Prepare refuses a component that does not run.
func (*Stop) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Stopper](h); err != nil {
		return nil, err
	}
	return startable(ctx, h)
}

// Inject stops the component.
func (*Stop) Inject(ctx context.Context, h target.Handle, _ State) error {
	stopper, err := target.As[target.Stopper](h)
	if err != nil {
		return err
	}
	return stopper.Stop(ctx)
}

// InForce returns nil while the component is down.
func (*Stop) InForce(ctx context.Context, h target.Handle, _ State) error { return stillDown(ctx, h) }

// Settles implements [Settler]: the engine waits for the grace period.
func (*Stop) Settles() time.Duration { return target.StopGrace + EngineSettle }

// Revert starts the component again.
func (*Stop) Revert(ctx context.Context, h target.Handle, was State) error {
	return startAgain(ctx, h, was)
}

// Landed implements [Lander].
func (*Stop) Landed(ctx context.Context, h target.Handle, _ State) bool { return down(ctx, h) }

// OutlivesComponent implements [Outliving].
func (*Stop) OutlivesComponent() {}
