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

// helped is the implementation of a fault that runs in a helper.
type helped struct {
	power helper.Power
	needs helper.Features
	// work is the helper's work. It may change while the fault lasts, because peers may
	// start or stop.
	work func(ctx context.Context, h target.Handle, was helpedState) (helper.Work, error)
	// peers selects the other components of the fault, if it has any.
	peers target.Selector
	// remark is what the fault does not meet by its nature, for the plan; "" if there is nothing.
	remark string
	// tries: the helper can check in advance that the work would succeed.
	tries bool
	// keeps: the kernel keeps the effect if the helper is killed.
	keeps bool
}

// helpedState is what Revert needs.
type helpedState struct {
	life
	Tag string `json:"tag"` // identifies the work in its helper
	// Peers are the IDs of the components that had the peers' role at first: a role may
	// move while the fault lasts, and the fault must not move with it.
	Peers []string `json:"peers,omitempty"`
	// Self is the component's own ID: it is no peer of itself.
	Self string `json:"self,omitempty"`

	session *helper.Session // with the helper in which the work is; nil before there is one
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
	if err := f.findPeers(ctx, h, &state); err != nil {
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

// findPeers checks that there are peers, and remembers the components that have their
// role.
func (f helped) findPeers(ctx context.Context, h target.Handle, state *helpedState) error {
	if f.peers.IsZero() {
		return nil
	}
	self, err := h.Look(ctx)
	if err != nil {
		return err
	}
	found, err := state.current(ctx, h, f.peers)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("no component matches %s: check its name or label", f.peers)
	}
	state.Self = self.ID
	found = slices.DeleteFunc(found, func(c target.Component) bool { return c.ID == self.ID })
	if len(found) == 0 {
		return fmt.Errorf("only %s itself matches %s, and packets to itself are not selected: choose other components", self.Name, f.peers)
	}
	found = slices.DeleteFunc(found, func(c target.Component) bool { return shareNetwork(self, c) })
	if len(found) == 0 {
		return fmt.Errorf("%s and all that matches %s share one network stack, and packets inside it are not selected: choose other components", self.Name, f.peers)
	}
	if err := selectable(found); err != nil {
		return err
	}
	if f.peers.Role != "" {
		for _, c := range found {
			state.Peers = append(state.Peers, c.ID)
		}
	}
	return nil
}

// attach returns the component's helper, and starts it if there is none.
func attach(ctx context.Context, h target.Handle, power helper.Power) (*helper.Session, error) {
	attacher, err := target.As[target.Attacher](h)
	if err != nil {
		return nil, err
	}
	return attacher.Attach(ctx, power)
}

// ready returns the helper and its present work.
func (f helped) ready(ctx context.Context, h target.Handle, state helpedState) (*helper.Session, helper.Work, error) {
	session, err := attach(ctx, h, f.power)
	if err != nil {
		return nil, nil, err
	}
	state.session = session
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

// inForce asks the helper for its status. A restarted component has new namespaces, in
// which the fault is not in force. If the work has changed because a peer started or
// stopped, inForce updates the helper.
func (f helped) inForce(ctx context.Context, h target.Handle, was State) (helper.Reply, error) {
	attacher, state, err := reach(h, was)
	if err != nil {
		return helper.Reply{}, err
	}
	session, ok := attacher.Attached(ctx, f.power)
	if !ok {
		return helper.Reply{}, fmt.Errorf("%w: the helper has ended, or the component was restarted", ErrNotInForce)
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
	state.session = session
	work, err := f.work(ctx, h, state)
	if err != nil {
		return reply, err
	}
	if last, known := session.Applied(state.Tag); known && !reflect.DeepEqual(last, work) {
		_, err = session.Apply(ctx, state.Tag, work)
	}
	return reply, err
}

// revert undoes the work by the same helper if this process is connected to it. Else it
// ends that helper, and a new helper removes what the kernel has kept.
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
		return err // the namespaces are gone, and the effect with them
	}
	session, work, err := f.ready(ctx, h, state)
	if err != nil {
		return err
	}
	return session.Mend(ctx, work)
}

// reach returns the component's attacher and the decoded state.
func reach(h target.Handle, was State) (target.Attacher, helpedState, error) {
	s, err := stateOf[helpedState](was)
	if err != nil {
		return nil, s, err
	}
	attacher, err := target.As[target.Attacher](h)
	return attacher, s, err
}

// current is the present peers, in a fixed order.
func (s helpedState) current(ctx context.Context, h target.Handle, peers target.Selector) ([]target.Component, error) {
	if len(s.Peers) > 0 {
		peers = target.Selector{} // all components of the environment
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
	found = slices.DeleteFunc(found, func(c target.Component) bool { return c.ID == s.Self })
	slices.SortFunc(found, func(a, b target.Component) int { return cmp.Compare(a.ID, b.ID) })
	return found, nil
}
