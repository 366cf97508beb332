package fault

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// limited is what the kinds share that lower a limit of a component.
type limited struct {
	// lower returns the limits with one of them lowered, or why that cannot be.
	lower func(was target.Limits) (target.Limits, error)
}

// limitedState is what undoing needs: all limits as they were, and as they were
// made.
type limitedState struct {
	life
	Was target.Limits `json:"was"`
}

func (f limited) prepare(ctx context.Context, h target.Handle) (State, error) {
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
	if _, err := f.lower(state.Was); err != nil {
		return nil, err
	}
	return json.Marshal(state)
}

// lowered are the limits as they were, and as the fault has them.
func (f limited) lowered(was State) (before, now target.Limits, err error) {
	state, err := stateOf[limitedState](was)
	if err != nil {
		return before, now, err
	}
	now, err = f.lower(state.Was)
	return state.Was, now, err
}

func (f limited) inject(ctx context.Context, h target.Handle, was State) error {
	limiter, err := target.As[target.Limiter](h)
	if err != nil {
		return err
	}
	_, now, err := f.lowered(was)
	if err != nil {
		return err
	}
	return limiter.SetLimits(ctx, now)
}

func (f limited) inForce(ctx context.Context, h target.Handle, was State) error {
	limiter, err := target.As[target.Limiter](h)
	if err != nil {
		return err
	}
	_, want, err := f.lowered(was)
	if err != nil {
		return err
	}
	got, err := limiter.Limits(ctx)
	if err != nil {
		return err
	}
	if got.Effective() != want.Effective() {
		return fmt.Errorf("%w: the limits are %+v, expected %+v", ErrNotInForce, got, want)
	}
	return nil
}

// revert puts the former limits back, unless somebody has set others meanwhile.
func (f limited) revert(ctx context.Context, h target.Handle, was State) error {
	limiter, err := target.As[target.Limiter](h)
	if err != nil {
		return err
	}
	before, ours, err := f.lowered(was)
	if err != nil {
		return err
	}
	now, err := limiter.Limits(ctx)
	if err != nil || now.Effective() != ours.Effective() {
		return err
	}
	return limiter.SetLimits(ctx, before)
}
