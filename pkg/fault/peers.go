package fault

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// addresses are the addresses of components, of both families and in a fixed order: those
// that the environment knows, their link-local ones, and those of the neighbors that have
// the hardware address of a component, such as a virtual address that one has taken.
func addresses(components []target.Component, neighbors []helper.Neighbor) []netip.Prefix {
	var found []netip.Addr
	hardware := map[string]bool{}
	for _, c := range components {
		for _, n := range slices.Concat(c.Networks, c.Joined) {
			if !n.Address.IsValid() {
				continue
			}
			found = append(found, n.Address)
			if mac, err := net.ParseMAC(n.MAC); err == nil {
				hardware[mac.String()] = true
				found = append(found, linkLocal(mac)...)
			}
		}
	}
	for _, n := range neighbors {
		if hardware[strings.ToLower(n.MAC)] {
			found = append(found, n.Address.WithZone(""))
		}
	}
	slices.SortFunc(found, netip.Addr.Compare)
	var all []netip.Prefix
	for _, a := range slices.Compact(found) {
		all = append(all, netip.PrefixFrom(a, a.BitLen()))
	}
	return all
}

// linkLocal is the IPv6 address that a kernel gives an interface by its hardware address
// (RFC 4291, appendix A). An interface without IPv6 does not have it, and nothing is
// selected by it then.
func linkLocal(mac net.HardwareAddr) []netip.Addr {
	if len(mac) != 6 {
		return nil
	}
	return []netip.Addr{netip.AddrFrom16([16]byte{
		0: 0xfe, 1: 0x80,
		8: mac[0] ^ 2, 9: mac[1], 10: mac[2], 11: 0xff, 12: 0xfe, 13: mac[3], 14: mac[4], 15: mac[5],
	})}
}

// neighbors are the neighbors that the component knows; none before its helper is there.
func (s helpedState) neighbors(ctx context.Context) ([]helper.Neighbor, error) {
	if s.session == nil {
		return nil, nil
	}
	reply, err := s.session.Do(ctx, helper.Neighbors(true))
	return reply.Neighbors, err
}

// selectable refuses a peer whose packets cannot be distinguished from those of others: one that
// runs and has no address of its own.
func selectable(peers []target.Component) error {
	for _, c := range peers {
		if c.State != target.Running || len(addresses([]target.Component{c}, nil)) > 0 {
			continue
		}
		if slices.ContainsFunc(c.Networks, func(n target.Network) bool { return n.Name == "host" }) {
			return fmt.Errorf("%s uses the network of its host and has no address of its own, so the fault would not meet its packets: choose other components, or use a fault without peers", c.Name)
		}
		return fmt.Errorf("%s has no address on any network, so the fault would not meet its packets: choose other components", c.Name)
	}
	return nil
}

// shareNetwork reports whether two components live in one network namespace, as one that
// has joined the network of another does: their packets to each other never leave it.
func shareNetwork(a, b target.Component) bool {
	theirs := addresses([]target.Component{b}, nil)
	return slices.ContainsFunc(addresses([]target.Component{a}, nil), func(p netip.Prefix) bool { return slices.Contains(theirs, p) })
}
