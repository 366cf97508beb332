package fault

import (
	"context"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Noop does nothing. A game day with it shows the journeys without a fault. It is the
// smallest complete kind, and a template for new kinds.
type Noop struct{}

var (
	_ Fault    = (*Noop)(nil)
	_ Verifier = (*Noop)(nil)
	_ Settler  = (*Noop)(nil)
)

// Prepare refuses a component that is gone.
func (*Noop) Prepare(ctx context.Context, h target.Handle) (State, error) {
	_, err := h.Look(ctx)
	return nil, err
}

// Inject does nothing.
func (*Noop) Inject(context.Context, target.Handle, State) error { return nil }

// InForce always returns nil.
func (*Noop) InForce(context.Context, target.Handle, State) error { return nil }

// Settles implements [Settler]: there is nothing to come.
func (*Noop) Settles() time.Duration { return 0 }

// Revert does nothing.
func (*Noop) Revert(context.Context, target.Handle, State) error { return nil }
