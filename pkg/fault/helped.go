package fault

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// helped is a fault that a helper carries out: all that tells one such kind
// from another.
type helped struct {
	power helper.Power
	needs helper.Features
	// work is what the helper is told now; it may change while the fault lasts,
	// as other components come and go.
	work func(ctx context.Context, h target.Handle, was helpedState) (helper.Work, error)
	// peers are whom the fault is about, beside the component.
	peers target.Selector
	// tries tells that a helper can say beforehand whether it would work.
	tries bool
	// keeps tells that the kernel keeps the effect when the helper is killed.
	keeps bool
}

// helpedState is what undoing such a fault needs.
type helpedState struct {
	life
	Tag string `json:"tag"` // names the work among others of the same helper
	// Peers are the components that held the peers' role, by id: a role may move
	// while the fault lasts, and the fault does not move with it.
	Peers []string `json:"peers,omitempty"`
}

func (f helped) prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Attacher](h); err != nil {
		return nil, err
	}
	prober, err := target.As[target.Prober](h)
	if err != nil {
		return nil, err
	}
	state := helpedState{Tag: strings.ToLower(rand.Text()[:8])}
	if state.life, err = lifeNow(ctx, h); err != nil {
		return nil, err
	}
	if f.needs != (helper.Features{}) {
		if err := prober.Supports(ctx, f.needs); err != nil {
			return nil, err
		}
	}
	if err := f.meet(ctx, h, &state); err != nil {
		return nil, err
	}
	if f.tries {
		session, work, err := f.ready(ctx, h, state)
		if err == nil {
			err = session.Try(ctx, work)
		}
		if err != nil {
			return nil, err
		}
	}
	return json.Marshal(state)
}

// meet looks for the peers, of whom nobody at all is a mistake, and remembers who
// holds their role.
func (f helped) meet(ctx context.Context, h target.Handle, state *helpedState) error {
	if f.peers.IsZero() {
		return nil
	}
	found, err := state.current(ctx, h, f.peers)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("no component matches %s: is the name right?", f.peers)
	}
	if f.peers.Role != "" {
		for _, c := range found {
			state.Peers = append(state.Peers, c.ID)
		}
	}
	return nil
}

// attach puts a helper beside the component, or returns the one that is there.
func attach(ctx context.Context, h target.Handle, power helper.Power) (*helper.Session, error) {
	attacher, err := target.As[target.Attacher](h)
	if err != nil {
		return nil, err
	}
	return attacher.Attach(ctx, power)
}

// ready is the helper, and what it is told now.
func (f helped) ready(ctx context.Context, h target.Handle, state helpedState) (*helper.Session, helper.Work, error) {
	session, err := attach(ctx, h, f.power)
	if err != nil {
		return nil, nil, err
	}
	work, err := f.work(ctx, h, state)
	return session, work, err
}

func (f helped) inject(ctx context.Context, h target.Handle, was State) error {
	state, err := stateOf[helpedState](was)
	if err != nil {
		return err
	}
	session, work, err := f.ready(ctx, h, state)
	if err != nil {
		return err
	}
	_, err = session.Apply(ctx, state.Tag, work)
	return err
}

// inForce asks the helper. A component that was restarted has other namespaces,
// and the fault is not in those. Where the work has changed, because a component
// that it is about has come or gone, the helper is told.
func (f helped) inForce(ctx context.Context, h target.Handle, was State) (helper.Reply, error) {
	attacher, state, err := reach(h, was)
	if err != nil {
		return helper.Reply{}, err
	}
	session, ok := attacher.Attached(ctx, f.power)
	if !ok {
		return helper.Reply{}, fmt.Errorf("%w: its helper has ended, or the component was restarted", ErrNotInForce)
	}
	reply, err := session.Status(ctx, state.Tag)
	if err != nil {
		if ctx.Err() != nil {
			return reply, err
		}
		return reply, fmt.Errorf("%w: %w", ErrNotInForce, err)
	}
	if f.peers.IsZero() {
		return reply, nil
	}
	work, err := f.work(ctx, h, state)
	if err != nil {
		return reply, err
	}
	if last, known := session.Applied(state.Tag); known && !reflect.DeepEqual(last, work) {
		_, err = session.Apply(ctx, state.Tag, work)
	}
	return reply, err
}

// revert undoes by the helper that did it, where this process has it; else by
// ending that helper, and mending what the kernel has kept.
func (f helped) revert(ctx context.Context, h target.Handle, was State) error {
	attacher, state, err := reach(h, was)
	if err != nil {
		return err
	}
	if session, ok := attacher.Attached(ctx, f.power); ok {
		if err := session.Undo(ctx, state.Tag); err == nil || !errors.Is(err, helper.ErrEnded) {
			return err
		}
	}
	evictor, err := target.As[target.Evictor](h)
	if err != nil {
		return err
	}
	if err := evictor.Evict(ctx); err != nil || !f.keeps {
		return err
	}
	c, err := h.Look(ctx)
	if err != nil || c.State != target.Running && c.State != target.Paused {
		return err // its namespaces are gone, and the effect with them
	}
	session, work, err := f.ready(ctx, h, state)
	if err != nil {
		return err
	}
	return session.Mend(ctx, work)
}

// reach is what every order after the first look needs: whom to ask for a helper,
// and what was seen before.
func reach(h target.Handle, was State) (target.Attacher, helpedState, error) {
	s, err := stateOf[helpedState](was)
	if err != nil {
		return nil, s, err
	}
	attacher, err := target.As[target.Attacher](h)
	return attacher, s, err
}

// current are the peers as they are now, in a fixed order.
func (s helpedState) current(ctx context.Context, h target.Handle, peers target.Selector) ([]target.Component, error) {
	if len(s.Peers) > 0 {
		peers = target.Selector{} // the fence
	}
	finder, err := target.As[target.Finder](h)
	if err != nil {
		return nil, err
	}
	found, err := finder.Find(ctx, peers)
	if err != nil {
		return nil, err
	}
	if len(s.Peers) > 0 {
		found = slices.DeleteFunc(found, func(c target.Component) bool { return !slices.Contains(s.Peers, c.ID) })
	}
	slices.SortFunc(found, func(a, b target.Component) int { return cmp.Compare(a.ID, b.ID) })
	return found, nil
}
