package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/pkg/target"
)

// PIDs lowers the number of processes and threads that a component may have.
type PIDs struct {
	Max int64 `json:"max" yaml:"max" jsonschema:"required,minimum=1" jsonschema_description:"How many it may have."`
}

var (
	_ Fault    = (*PIDs)(nil)
	_ Verifier = (*PIDs)(nil)
	_ Checker  = (*PIDs)(nil)
)

// Check implements [Checker].
func (f *PIDs) Check() error {
	if f.Max < 1 {
		return errors.New("max: expected 1 or more")
	}
	return nil
}

func (f *PIDs) limited() limited {
	return limited{func(was target.Limits) (target.Limits, error) {
		was.PIDs = f.Max
		return was, nil
	}}
}

// Prepare reads the limits.
func (f *PIDs) Prepare(ctx context.Context, h target.Handle) (State, error) {
	return f.limited().prepare(ctx, h)
}

// Inject lowers the limit.
func (f *PIDs) Inject(ctx context.Context, h target.Handle, was State) error {
	return f.limited().inject(ctx, h, was)
}

// InForce holds while the limit is the lowered one.
func (f *PIDs) InForce(ctx context.Context, h target.Handle, was State) error {
	return f.limited().inForce(ctx, h, was)
}

// Revert puts the former limit back.
func (f *PIDs) Revert(ctx context.Context, h target.Handle, was State) error {
	return f.limited().revert(ctx, h, was)
}
