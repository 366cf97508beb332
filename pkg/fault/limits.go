package fault

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Limiting is the spec of a kind that lowers a limit of a component: all that
// tells one such kind from another. [Of] makes the fault of it.
type Limiting interface {
	Checker
	// refuses tells why a component with these limits would not be limited, or
	// could not be put back.
	refuses(was target.Limits) error
	// lower lowers the kind's own limit.
	lower(limits *target.Limits)
	// copy copies the kind's own limit, and no other: another fault may be about
	// another limit of the same component.
	copy(to *target.Limits, from target.Limits)
}

// viaLimits is the fault of a spec that lowers a limit. On disk it is its spec.
type viaLimits struct{ Limiting }

var (
	_ Fault    = (*viaLimits)(nil)
	_ Verifier = (*viaLimits)(nil)
)

// limitedState is what undoing needs: all limits as they were.
type limitedState struct {
	life
	Was target.Limits `json:"was"`
}

// MarshalJSON writes the spec.
func (f *viaLimits) MarshalJSON() ([]byte, error) { return json.Marshal(f.Limiting) }

// UnmarshalJSON reads the spec.
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
	if err := f.refuses(state.Was); err != nil {
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

// InForce holds while the limit is the lowered one.
func (f *viaLimits) InForce(ctx context.Context, h target.Handle, was State) error {
	l, err := f.look(ctx, h, was)
	if err == nil && !l.lowers() {
		err = fmt.Errorf("%w: the limits are %+v, expected %+v", ErrNotInForce, f.own(l.now), f.own(l.lowered))
	}
	return err
}

// Revert puts the former limit back, unless another process has set another one
// meanwhile.
func (f *viaLimits) Revert(ctx context.Context, h target.Handle, was State) error {
	l, err := f.look(ctx, h, was)
	if err != nil || !l.lowers() {
		return err
	}
	return l.set(ctx, l.was)
}

// limits are those of a component: as they were, as the fault makes them, and as
// they are.
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

// lowers tells whether the fault's own limit is the lowered one.
func (l limits) lowers() bool { return l.of.own(l.now) == l.of.own(l.lowered) }

// set sets the fault's own limit.
func (l limits) set(ctx context.Context, to target.Limits) error {
	l.of.copy(&l.now, to)
	return l.SetLimits(ctx, l.now)
}

// own is the fault's own limit alone.
func (f *viaLimits) own(all target.Limits) target.Limits {
	var own target.Limits
	f.copy(&own, all)
	return own.Effective()
}
