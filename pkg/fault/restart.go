package fault

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Restart is an orderly restart, as in a deployment: stopped, and started
// again at once. What it shows is how long that takes for users.
type Restart struct{}

var (
	_ Fault     = (*Restart)(nil)
	_ Outliving = (*Restart)(nil)
	_ Verifier  = (*Restart)(nil)
	_ Healer    = (*Restart)(nil)
)

// Prepare refuses a component that does not run.
func (*Restart) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Stopper](h); err != nil {
		return nil, err
	}
	return alive(ctx, h)
}

// Inject stops and starts.
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

// InForce holds once the former process is gone.
func (*Restart) InForce(ctx context.Context, h target.Handle, was State) error {
	return diedSince(ctx, h, was)
}

// Healed holds where the component runs: it did not hang on the way.
func (*Restart) Healed(ctx context.Context, h target.Handle, _ State) (bool, error) {
	return running(ctx, h)
}

// Settles implements [Settler], as for [Stop].
func (*Restart) Settles() time.Duration { return target.StopGrace + Settle }

// Revert starts the component, if it hung on the way.
func (*Restart) Revert(ctx context.Context, h target.Handle, was State) error {
	return startAgain(ctx, h, was)
}

// OutlivesComponent implements [Outliving].
func (*Restart) OutlivesComponent() {}
