package fault

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Pause freezes all processes of a component: its connections stay open and
// nobody answers, as with a hung host or a stalled disk.
type Pause struct{}

var (
	_ Fault    = (*Pause)(nil)
	_ Verifier = (*Pause)(nil)
)

// Prepare refuses a component that does not run: one that somebody else has
// paused stays paused.
func (*Pause) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Pauser](h); err != nil {
		return nil, err
	}
	return alive(ctx, h)
}

// Inject freezes.
func (*Pause) Inject(ctx context.Context, h target.Handle, _ State) error {
	pauser, err := target.As[target.Pauser](h)
	if err != nil {
		return err
	}
	return pauser.Pause(ctx)
}

// InForce holds while the component is frozen.
func (*Pause) InForce(ctx context.Context, h target.Handle, _ State) error {
	c, err := h.Look(ctx)
	if err == nil && c.State != target.Paused {
		err = fmt.Errorf("%w: %s is %s", ErrNotInForce, c.Name, c.State)
	}
	return err
}

// Revert lets the processes go on. A component that is no longer paused has
// been let go, restarted or ended by somebody else, and is left as it is.
func (*Pause) Revert(ctx context.Context, h target.Handle, _ State) error {
	c, err := h.Look(ctx)
	if err != nil || c.State != target.Paused {
		return err
	}
	pauser, err := target.As[target.Pauser](h)
	if err != nil {
		return err
	}
	return pauser.Unpause(ctx)
}
