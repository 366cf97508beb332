package helper

import "net/netip"

// Sockets lists the TCP connections of the target and the ports that it listens
// on. On the wire it is true.
type Sockets bool

func (Sockets) work() string { return "sockets" }

// Socket is one end of a TCP connection of the target, or a port that it listens
// on, which has no remote end.
type Socket struct {
	Local  netip.AddrPort `json:"local"`
	Remote netip.AddrPort `json:"remote,omitzero"`
	Via    netip.Addr     `json:"via,omitzero"`    // the gateway by which the remote end is reached, if any
	Ended  bool           `json:"ended,omitempty"` // it has ended, a minute ago at most
}
