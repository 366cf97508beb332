package agent

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// States of TCP, of include/net/tcp_states.h.
const (
	tcpEstablished = 1
	tcpSynSent     = 2
	tcpListen      = 10
)

// sockets lists the TCP connections of the target and the ports that it listens
// on, loopback left out.
func sockets() (Reply, error) {
	var reply Reply
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		all, err := netlink.SocketDiagTCP(family)
		if err != nil {
			return reply, fmt.Errorf("list connections: %w", err)
		}
		for _, s := range all {
			one := Socket{Local: end(s.ID.Source, s.ID.SourcePort)}
			switch s.State {
			case tcpListen:
			case tcpEstablished, tcpSynSent:
				one.Remote = end(s.ID.Destination, s.ID.DestinationPort)
				if one.Remote.Addr().IsLoopback() {
					continue
				}
			default:
				continue
			}
			reply.Sockets = append(reply.Sockets, one)
		}
	}
	return reply, nil
}

func end(ip net.IP, port uint16) netip.AddrPort {
	address, _ := netip.AddrFromSlice(ip) // of four or sixteen bytes
	return netip.AddrPortFrom(address.Unmap(), port)
}
