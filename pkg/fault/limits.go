package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Limiting is the spec of a kind that lowers a limit of a component. [Of] turns it into a
// fault.
type Limiting interface {
	Checker
	// refuses returns an error if the new limit is not lower than the former one and than
	// what the machine has, or the former limit could not be restored.
	refuses(was target.Limits, has target.Capacity) error
	// lower lowers the kind's own limit.
	lower(limits *target.Limits)
	// copy copies only the kind's own limit, because another fault may have lowered
	// another limit of the same component.
	copy(to *target.Limits, from target.Limits)
}

// viaLimits is the fault of a [Limiting] spec. It is stored as the spec.
type viaLimits struct{ Limiting }

var (
	_ Fault    = (*viaLimits)(nil)
	_ Verifier = (*viaLimits)(nil)
)

// limitedState is what Revert needs: all former limits.
type limitedState struct {
	life
	Was target.Limits `json:"was"`
}

// MarshalJSON encodes the spec.
func (f *viaLimits) MarshalJSON() ([]byte, error) { return json.Marshal(f.Limiting) }

// UnmarshalJSON decodes the spec.
func (f *viaLimits) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, f.Limiting) }

// Prepare reads the limits.
func (f *viaLimits) Prepare(ctx context.Context, h target.Handle) (State, error) {
	limiter, err := target.As[target.Limiter](h)
	if err != nil {
		return nil, err
	}
	var state limitedState
	if state.life, err = lifeNow(ctx, h); err != nil {
		return nil, err
	}
	if state.Was, err = limiter.Limits(ctx); err != nil {
		return nil, err
	}
	var has target.Capacity
	if machine, err := target.As[target.Machine](h); err == nil {
		if has, err = machine.Machine(ctx); err != nil {
			return nil, err
		}
	}
	if err := f.refuses(state.Was, has); err != nil {
		return nil, err
	}
	return json.Marshal(state)
}

// Inject lowers the limit.
func (f *viaLimits) Inject(ctx context.Context, h target.Handle, was State) error {
	l, err := f.look(ctx, h, was)
	if err != nil {
		return err
	}
	return l.set(ctx, l.lowered)
}

// InForce returns nil while the lowered limit is set.
func (f *viaLimits) InForce(ctx context.Context, h target.Handle, was State) error {
	l, err := f.look(ctx, h, was)
	if err == nil && !l.lowers() {
		err = fmt.Errorf("%w: the limits are %+v, expected %+v", ErrNotInForce, f.own(l.now), f.own(l.lowered))
	}
	return err
}

// Revert restores the former limit, unless another process has changed the limit since.
func (f *viaLimits) Revert(ctx context.Context, h target.Handle, was State) error {
	l, err := f.look(ctx, h, was)
	if err != nil || !l.lowers() {
		return err
	}
	return l.set(ctx, l.was)
}

// Settles implements [Settler].
func (*viaLimits) Settles() time.Duration { return EngineSettle }

// Landed implements [Lander].
func (f *viaLimits) Landed(ctx context.Context, h target.Handle, was State) bool {
	return f.InForce(ctx, h, was) == nil
}

// limits are the limits of a component: former, lowered and present.
type limits struct {
	target.Limiter

	of                *viaLimits
	was, lowered, now target.Limits
}

func (f *viaLimits) look(ctx context.Context, h target.Handle, was State) (limits, error) {
	state, err := stateOf[limitedState](was)
	if err != nil {
		return limits{}, err
	}
	l := limits{of: f, was: state.Was, lowered: state.Was}
	f.lower(&l.lowered)
	if l.Limiter, err = target.As[target.Limiter](h); err != nil {
		return limits{}, err
	}
	l.now, err = l.Limits(ctx)
	return l, err
}

// lowers reports whether the fault's own limit is lowered at present.
func (l limits) lowers() bool { return l.of.own(l.now) == l.of.own(l.lowered) }

// set sets the fault's own limit.
func (l limits) set(ctx context.Context, to target.Limits) error {
	l.of.copy(&l.now, to)
	return l.SetLimits(ctx, l.now)
}

// own is only the fault's own limit.
func (f *viaLimits) own(all target.Limits) target.Limits {
	var own target.Limits
	f.copy(&own, all)
	return own.Effective()
}
