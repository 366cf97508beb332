package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Outliving is a fault whose effect may outlive the component that it was done
// to: a file on a volume, or that the component does not run. What took the
// component's place is reverted in its stead. The effect of every other kind is
// gone with the component.
type Outliving interface {
	// OutlivesComponent does nothing: it marks the kind.
	OutlivesComponent()
}

// Undo reverts what an entry stands for, from the entry alone. If the component
// is gone, what took its place is reverted, for the kinds that are [Outliving];
// if nothing did, there is nothing left to revert. The caller has made sure that
// env is what the entry was written about: elsewhere, every component is gone.
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
		return fmt.Errorf("undo %s of %s: %w", e.Kind, e.Name, err)
	}
	return nil
}

// openSuccessor opens the component that has taken the place of an entry's. It is
// an [target.ErrGone] if there is none.
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
