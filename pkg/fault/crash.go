package fault

import (
	"context"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Crash is the death of a component's main process by itself. Unlike with
// [Kill], whoever looks after the component (a restart policy) sees a crash
// and may bring it back: whether, and how soon, is what it shows.
type Crash struct{}

var (
	_ Fault     = (*Crash)(nil)
	_ Outliving = (*Crash)(nil)
	_ Verifier  = (*Crash)(nil)
	_ Healer    = (*Crash)(nil)
	_ Warmer    = (*Crash)(nil)
)

// Prepare refuses a component that does not run.
func (*Crash) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Crasher](h); err != nil {
		return nil, err
	}
	return alive(ctx, h)
}

// Warm makes ready what the crash needs.
func (*Crash) Warm(ctx context.Context, h target.Handle) error {
	crasher, err := target.As[target.Crasher](h)
	if err != nil {
		return err
	}
	return crasher.WarmCrash(ctx)
}

// Inject makes the main process die.
func (*Crash) Inject(ctx context.Context, h target.Handle, _ State) error {
	crasher, err := target.As[target.Crasher](h)
	if err != nil {
		return err
	}
	return crasher.Crash(ctx)
}

// InForce holds once the former process is gone.
func (*Crash) InForce(ctx context.Context, h target.Handle, was State) error {
	return diedSince(ctx, h, was)
}

// Healed holds where the restart policy has brought the component back.
func (*Crash) Healed(ctx context.Context, h target.Handle, _ State) (bool, error) {
	return running(ctx, h)
}

// Revert starts the component, where nothing brought it back.
func (*Crash) Revert(ctx context.Context, h target.Handle, was State) error {
	return startAgain(ctx, h, was)
}

// OutlivesComponent implements [Outliving].
func (*Crash) OutlivesComponent() {}
