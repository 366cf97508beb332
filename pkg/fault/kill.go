package fault

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Kill is the loss of a component's host: the component ends at once, without a graceful
// shutdown, and no restart policy restarts it.
type Kill struct{}

var (
	_ Fault     = (*Kill)(nil)
	_ Outliving = (*Kill)(nil)
	_ Verifier  = (*Kill)(nil)
	_ Lander    = (*Kill)(nil)
)

// Prepare refuses a component that does not run.
func (*Kill) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Killer](h); err != nil {
		return nil, err
	}
	return startable(ctx, h)
}

// Inject kills the component.
func (*Kill) Inject(ctx context.Context, h target.Handle, _ State) error {
	killer, err := target.As[target.Killer](h)
	if err != nil {
		return err
	}
	return killer.Kill(ctx)
}

// InForce returns nil while the component is down.
func (*Kill) InForce(ctx context.Context, h target.Handle, _ State) error { return stillDown(ctx, h) }

// Revert starts the component again.
func (*Kill) Revert(ctx context.Context, h target.Handle, was State) error {
	return startAgain(ctx, h, was)
}

// Settles implements [Settler].
func (*Kill) Settles() time.Duration { return EngineSettle }

// Landed implements [Lander].
func (*Kill) Landed(ctx context.Context, h target.Handle, _ State) bool { return down(ctx, h) }

// OutlivesComponent implements [Outliving].
func (*Kill) OutlivesComponent() {}
