package fault

import (
	"context"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Pause freezes all processes of a component: connections stay open but get no answer, as
// with a hung host or a stalled disk.
type Pause struct{}

var (
	_ Fault    = (*Pause)(nil)
	_ Verifier = (*Pause)(nil)
	_ Lander   = (*Pause)(nil)
)

// Prepare refuses a component that does not run. That includes a paused component, which
// Revert must not unpause.
func (*Pause) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Pauser](h); err != nil {
		return nil, err
	}
	return alive(ctx, h)
}

// Inject pauses the component.
func (*Pause) Inject(ctx context.Context, h target.Handle, _ State) error {
	pauser, err := target.As[target.Pauser](h)
	if err != nil {
		return err
	}
	return pauser.Pause(ctx)
}

// InForce returns nil while the component is paused.
func (*Pause) InForce(ctx context.Context, h target.Handle, _ State) error {
	c, err := h.Look(ctx)
	if err == nil && c.State != target.Paused {
		err = fmt.Errorf("%w: %s is %s", ErrNotInForce, c.Name, c.State)
	}
	return err
}

// Revert unpauses the component. It does not touch a component that is no longer paused:
// another process has unpaused, restarted or ended it.
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

// Settles implements [Settler].
func (*Pause) Settles() time.Duration { return EngineSettle }

// Landed implements [Lander].
func (f *Pause) Landed(ctx context.Context, h target.Handle, was State) bool {
	return f.InForce(ctx, h, was) == nil
}
