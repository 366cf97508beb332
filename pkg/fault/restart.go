package fault

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Restart restarts a component gracefully, as a deployment does. It shows how clients
// experience the restart.
type Restart struct{}

var (
	_ Fault     = (*Restart)(nil)
	_ Outliving = (*Restart)(nil)
	_ Verifier  = (*Restart)(nil)
	_ Lander    = (*Restart)(nil)
	_ Healer    = (*Restart)(nil)
)

// Prepare refuses a component that does not run.
func (*Restart) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Stopper](h); err != nil {
		return nil, err
	}
	return startable(ctx, h)
}

// Inject stops and starts the component.
func (*Restart) Inject(ctx context.Context, h target.Handle, _ State) error {
	stopper, err := target.As[target.Stopper](h)
	if err != nil {
		return err
	}
	if err := stopper.Stop(ctx); err != nil {
		return err
	}
	return stopper.Start(ctx)
}

// InForce returns nil once the former main process is gone.
func (*Restart) InForce(ctx context.Context, h target.Handle, was State) error {
	return diedSince(ctx, h, was)
}

// Healed reports whether the component runs.
func (*Restart) Healed(ctx context.Context, h target.Handle, _ State) (bool, error) {
	return running(ctx, h)
}

// Settles implements [Settler] like [Stop].
func (*Restart) Settles() time.Duration { return target.StopGrace + EngineSettle }

// Revert starts the component if the restart did not complete.
func (*Restart) Revert(ctx context.Context, h target.Handle, was State) error {
	return startAgain(ctx, h, was)
}

// Landed implements [Lander].
func (*Restart) Landed(ctx context.Context, h target.Handle, _ State) bool { return down(ctx, h) }

// OutlivesComponent implements [Outliving].
func (*Restart) OutlivesComponent() {}
