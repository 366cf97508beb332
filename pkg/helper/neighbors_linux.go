package helper

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

var _ momentary = Neighbors(true)

// do lists the neighbors that have answered. Addresses of which the engine does not know
// are among them, such as a virtual one that a component has taken.
func (Neighbors) do() (Reply, error) {
	var reply Reply
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		all, err := complete(func() ([]netlink.Neigh, error) { return netlink.NeighList(0, family) })
		if err != nil {
			return reply, fmt.Errorf("list neighbors: %w", err)
		}
		for _, n := range all {
			address, ok := netip.AddrFromSlice(n.IP)
			if !ok || address.IsMulticast() || len(n.HardwareAddr) == 0 || n.State&(netlink.NUD_FAILED|netlink.NUD_INCOMPLETE) != 0 {
				continue
			}
			reply.Neighbors = append(reply.Neighbors, Neighbor{Address: address.Unmap(), MAC: n.HardwareAddr.String()})
		}
	}
	return reply, nil
}
