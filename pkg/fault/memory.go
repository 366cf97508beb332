package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Memory lowers the memory limit of a component. One that has none is refused:
// an engine cannot take the limit away again.
type Memory struct {
	Limit unit.Size `json:"limit" yaml:"limit" jsonschema:"required" jsonschema_description:"How much it may use: 64MiB."`
}

var (
	_ Fault    = (*Memory)(nil)
	_ Verifier = (*Memory)(nil)
	_ Checker  = (*Memory)(nil)
)

// Check implements [Checker].
func (f *Memory) Check() error {
	if f.Limit < 6<<20 {
		return errors.New("limit: expected 6MiB or more, as the engine does")
	}
	return nil
}

func (f *Memory) limited() limited {
	return limited{func(was target.Limits) (target.Limits, error) {
		if was.Memory == 0 {
			return was, errors.New("it has no memory limit, and an engine cannot take away one that was set: give it one of its own first")
		}
		was.Memory = int64(f.Limit) //nolint:gosec // G115: no machine has so much
		return was, nil
	}}
}

// Prepare reads the limits.
func (f *Memory) Prepare(ctx context.Context, h target.Handle) (State, error) {
	return f.limited().prepare(ctx, h)
}

// Inject lowers the limit.
func (f *Memory) Inject(ctx context.Context, h target.Handle, was State) error {
	return f.limited().inject(ctx, h, was)
}

// InForce holds while the limit is the lowered one.
func (f *Memory) InForce(ctx context.Context, h target.Handle, was State) error {
	return f.limited().inForce(ctx, h, was)
}

// Revert puts the former limit back.
func (f *Memory) Revert(ctx context.Context, h target.Handle, was State) error {
	return f.limited().revert(ctx, h, was)
}
