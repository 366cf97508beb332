package fault

import (
	"context"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Noop does nothing, and is the specimen for a new kind: the smallest that is
// complete. A game day with it shows what the journey looks like undisturbed.
type Noop struct{}

var (
	_ Fault    = (*Noop)(nil)
	_ Verifier = (*Noop)(nil)
)

// Prepare looks at the component, so that one that is gone is refused.
func (*Noop) Prepare(ctx context.Context, h target.Handle) (State, error) {
	_, err := h.Look(ctx)
	return nil, err
}

// Inject does nothing.
func (*Noop) Inject(context.Context, target.Handle, State) error { return nil }

// InForce always holds: nothing is in force.
func (*Noop) InForce(context.Context, target.Handle, State) error { return nil }

// Revert does nothing.
func (*Noop) Revert(context.Context, target.Handle, State) error { return nil }
