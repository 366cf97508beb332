package helper

import "net/netip"

// Neighbors lists the addresses on the target's networks of which the target knows the
// hardware address.
type Neighbors bool

func (Neighbors) work() string { return "neighbors" }

// Neighbor is one of them.
type Neighbor struct {
	Address netip.Addr `json:"address"`
	MAC     string     `json:"mac"` // 02:42:ac:13:00:02
}
