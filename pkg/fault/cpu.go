package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/pkg/target"
)

// CPU leaves a component a part of a processor, as a noisy neighbour does.
type CPU struct {
	Cores float64 `json:"cores" yaml:"cores" jsonschema:"required" jsonschema_description:"How many processors it may use: 0.1 is a tenth of one."`
}

var (
	_ Fault    = (*CPU)(nil)
	_ Verifier = (*CPU)(nil)
	_ Checker  = (*CPU)(nil)
)

// Check implements [Checker].
func (f *CPU) Check() error {
	if f.Cores < 0.01 {
		return errors.New("cores: expected 0.01 or more")
	}
	return nil
}

func (f *CPU) limited() limited {
	return limited{func(was target.Limits) (target.Limits, error) {
		// Whoever was limited in the one way cannot be in the other.
		if was.NanoCPUs > 0 {
			was.NanoCPUs = int64(f.Cores * 1e9)
		} else {
			was.CPUPeriod = 100_000 // microseconds, the kernel's own
			was.CPUQuota = int64(f.Cores * float64(was.CPUPeriod))
		}
		return was, nil
	}}
}

// Prepare reads the limits.
func (f *CPU) Prepare(ctx context.Context, h target.Handle) (State, error) {
	return f.limited().prepare(ctx, h)
}

// Inject lowers the limit.
func (f *CPU) Inject(ctx context.Context, h target.Handle, was State) error {
	return f.limited().inject(ctx, h, was)
}

// InForce holds while the limit is the lowered one.
func (f *CPU) InForce(ctx context.Context, h target.Handle, was State) error {
	return f.limited().inForce(ctx, h, was)
}

// Revert puts the former limit back.
func (f *CPU) Revert(ctx context.Context, h target.Handle, was State) error {
	return f.limited().revert(ctx, h, was)
}
