package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Outliving is a fault whose effect may outlive its component: a changed file on a volume,
// or a component that does not run. It is reverted on the component that replaced the
// original. The effect of every other kind is gone with the component.
type Outliving interface {
	// OutlivesComponent does nothing: it marks the kind.
	OutlivesComponent()
}

// Undo reverts the fault of an entry, from the entry alone. If the component is gone, Undo
// reverts an [Outliving] fault on its replacement; without a replacement there is nothing
// left to revert. The caller must make sure that env is the environment of the entry: in
// any other environment, every component seems to be gone.
func Undo(ctx context.Context, env target.Environment, e journal.Entry) error {
	f, err := Decode(e)
	if err != nil {
		return err
	}
	var h target.Handle
	if e.Component != "" {
		h, err = env.Open(ctx, e.Component)
		if _, outlives := f.(Outliving); outlives && errors.Is(err, target.ErrGone) {
			h, err = openSuccessor(ctx, env, e)
		}
	}
	if err == nil {
		err = f.Revert(ctx, h, e.State)
	}
	if err != nil && !errors.Is(err, target.ErrGone) {
		return fmt.Errorf("revert fault %s on %s: %w", e.Kind, e.Name, err)
	}
	return nil
}

// Landed reports whether the effect of an entry's order is there: see [Lander].
func Landed(ctx context.Context, env target.Environment, e journal.Entry) bool {
	f, err := Decode(e)
	if err != nil {
		return false
	}
	lander, ok := f.(Lander)
	if !ok {
		return false
	}
	h, err := env.Open(ctx, e.Component)
	return err == nil && lander.Landed(ctx, h, e.State)
}

// openSuccessor opens the component that has replaced the entry's component. The error is
// a [target.ErrGone] if there is none.
func openSuccessor(ctx context.Context, env target.Environment, e journal.Entry) (target.Handle, error) {
	if e.Identity == "" {
		return nil, target.ErrGone
	}
	all, err := env.Find(ctx, target.Selector{})
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Identity == e.Identity {
			return env.Open(ctx, c.ID)
		}
	}
	return nil, target.ErrGone
}
