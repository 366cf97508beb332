package fault

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Traffic selects the packets of a network fault: those that match all fields that are
// set. Packets of the component to itself are never selected.
type Traffic struct {
	Peer      target.Selector `json:"peer,omitzero" yaml:"peer,omitempty" jsonschema_description:"Only packets from and to these components (default: all packets)."`
	Protocol  string          `json:"protocol,omitempty" yaml:"protocol,omitempty" jsonschema:"enum=tcp,enum=udp,enum=icmp" jsonschema_description:"Only packets of this protocol; icmp includes ICMPv6, except for neighbor discovery."`
	Ports     []uint16        `json:"ports,omitempty" yaml:"ports,omitempty" jsonschema_description:"Only packets with one of these ports at either end."`
	Direction Direction       `json:"direction,omitempty" yaml:"direction,omitempty" jsonschema:"enum=both,enum=in,enum=out" jsonschema_description:"in: packets to the component; out: packets from the component, also those that it routes (default: both; for delay, corrupt, reorder and duplicate: out)."`
}

// Direction is the direction of packets, as seen from the component.
type Direction string

// The directions.
const (
	Both Direction = "both"
	In   Direction = "in"
	Out  Direction = "out"
)

// check validates the settings.
func (t Traffic) check() error {
	switch {
	case !slices.Contains([]string{"", "tcp", "udp", "icmp"}, t.Protocol):
		return fmt.Errorf("protocol: found %q, expected tcp, udp or icmp", t.Protocol)
	case t.Protocol == "icmp" && len(t.Ports) > 0:
		return errors.New("ports: protocol icmp has no ports")
	case slices.Contains(t.Ports, 0):
		return errors.New("ports: found 0, expected 1 to 65535")
	}
	if err := checkPeers("peer", t.Peer); err != nil {
		return err
	}
	return t.Direction.check()
}

// checkPeers refuses a choice among the peers: a fault is about all of them.
func checkPeers(setting string, peers target.Selector) error {
	if peers.Any > 0 || peers.Percent > 0 {
		return fmt.Errorf("%s: found any or percent, which would not choose among the components there: name them by name, label or zone", setting)
	}
	return nil
}

func (d Direction) check() error {
	if !slices.Contains([]Direction{"", Both, In, Out}, d) {
		return fmt.Errorf("direction: found %q, expected both, in or out", d)
	}
	return nil
}

func (d Direction) hooks() []helper.Hook {
	switch d {
	case In:
		return []helper.Hook{helper.In}
	case Out:
		return []helper.Hook{helper.Out}
	case Both:
	}
	return []helper.Hook{helper.In, helper.Out}
}

// rules are copies of a rule for each direction, for the present addresses of the peers.
func (t Traffic) rules(ctx context.Context, h target.Handle, was helpedState, like helper.Rule) ([]helper.Rule, error) {
	like.Protocol, like.Ports = t.Protocol, t.Ports
	if !t.Peer.IsZero() {
		found, err := was.current(ctx, h, t.Peer)
		if err != nil {
			return nil, err
		}
		known, err := was.neighbors(ctx)
		if err != nil {
			return nil, err
		}
		if like.Peers = addresses(found, known); len(like.Peers) == 0 {
			like.Peers = []netip.Prefix{unused()} // no peer has an address now; no peers would select all packets
		}
	}
	var rules []helper.Rule
	for _, hook := range t.Direction.hooks() {
		like.Hook = hook
		rules = append(rules, like)
	}
	return rules, nil
}

// unused is an address that no packet has: it is reserved for documentation (RFC 5737).
func unused() netip.Prefix { return netip.MustParsePrefix("192.0.2.255/32") }

// filter is a fault that applies a rule to the selected packets.
func (t Traffic) filter(like helper.Rule, needs helper.Features) helped {
	needs.Packets = true
	return helped{
		power: helper.Network, needs: needs, peers: t.Peer,
		work: func(ctx context.Context, h target.Handle, was helpedState) (helper.Work, error) {
			rules, err := t.rules(ctx, h, was, like)
			return &helper.Packets{Rules: rules}, err
		},
	}
}

// queued is a fault that holds the selected packets in user space.
func (t Traffic) queued(q helper.Queue) helped {
	return helped{
		power: helper.Network, needs: helper.Features{Queue: true}, peers: t.Peer,
		work: func(ctx context.Context, h target.Handle, was helpedState) (helper.Work, error) {
			rules, err := t.rules(ctx, h, was, helper.Rule{})
			q := q
			q.Match = rules
			return &q, err
		},
	}
}

// everything reports whether all outgoing packets are selected.
func (t Traffic) everything() bool {
	return t.Peer.IsZero() && t.Protocol == "" && len(t.Ports) == 0 && (t.Direction == "" || t.Direction == Out)
}

// outward sets the default direction to out.
func (t Traffic) outward() Traffic {
	if t.Direction == "" {
		t.Direction = Out
	}
	return t
}
