package fault

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Remarking is a fault that can say what it does not meet, and what its own check does not
// see.
type Remarking interface {
	// Remarks are sentences for the plan. was is what Prepare returned.
	Remarks(ctx context.Context, h target.Handle, was State) ([]string, error)
}

var _ Remarking = (*viaHelper)(nil)

// Remarks implements [Remarking].
func (f *viaHelper) Remarks(ctx context.Context, h target.Handle, was State) ([]string, error) {
	spec := f.carry()
	if spec.power != helper.Network {
		return nil, nil
	}
	self, err := h.Look(ctx)
	if err != nil {
		return nil, err
	}
	remarks := []string{fmt.Sprintf("checked from inside %s, by the rules in force and the packets they meet; not checked from any other component", self.Name)}
	if spec.remark != "" {
		remarks = append(remarks, spec.remark)
	}
	if spec.peers.IsZero() {
		return remarks, nil
	}
	state, err := stateOf[helpedState](was)
	if err != nil {
		return nil, err
	}
	peers, err := state.current(ctx, h, spec.peers)
	if err != nil {
		return nil, err
	}
	return append(remarks, beside(self, peers)...), nil
}

// beside are the ways between a component and its peers that a fault does not meet.
func beside(self target.Component, peers []target.Component) []string {
	var ports, apart, stopped, within, others []string
	for _, c := range peers {
		switch {
		case shareNetwork(self, c):
			within = append(within, c.Name)
			continue
		case len(c.Joined) > 0:
			others = append(others, c.Name)
		}
		switch {
		case c.State != target.Running:
			stopped = append(stopped, c.Name)
		case !onOneNetwork(self, c):
			apart = append(apart, c.Name)
		}
		if len(c.Published) > 0 {
			ports = append(ports, fmt.Sprintf("%s (%s)", c.Name, strings.Trim(fmt.Sprint(c.Published), "[]")))
		}
	}
	var all []string
	add := func(names []string, format string) {
		if len(names) > 0 {
			all = append(all, fmt.Sprintf(format, strings.Join(names, ", ")))
		}
	}
	add(ports, "not met: packets by way of a port that the host publishes for %s, as they have the address of the host")
	add(within, "not met: packets to %s, which shares the network stack of the target")
	add(apart, "no network in common with %s: only packets that a router forwards can be met")
	add(stopped, "not running now, met once started: %s")
	add(others, "met too: packets of the components with which %s shares a network stack")
	return all
}

// onOneNetwork reports whether two components are attached to a common network.
func onOneNetwork(a, b target.Component) bool {
	theirs := slices.Concat(b.Networks, b.Joined)
	return slices.ContainsFunc(slices.Concat(a.Networks, a.Joined), func(n target.Network) bool {
		return slices.ContainsFunc(theirs, func(m target.Network) bool { return n.Name == m.Name })
	})
}
