package helper

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
	tcpTimeWait    = 6
	tcpListen      = 10
)

var _ momentary = Sockets(true)

// do lists the TCP connections of the target and the ports that it listens
// on, loopback left out. Connections that have just ended are among them: short
// ones would hardly be met otherwise.
func (Sockets) do() (Reply, error) {
	var reply Reply
	gateways := gateways{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		all, err := netlink.SocketDiagTCP(family)
		if err != nil {
			return reply, fmt.Errorf("list connections: %w", err)
		}
		for _, s := range all {
			one := Socket{Local: end(s.ID.Source, s.ID.SourcePort)}
			switch s.State {
			case tcpListen:
			case tcpEstablished, tcpSynSent, tcpTimeWait:
				one.Remote = end(s.ID.Destination, s.ID.DestinationPort)
				if one.Remote.Addr().IsLoopback() {
					continue
				}
				one.Via, one.Ended = gateways.to(s.ID.Destination), s.State == tcpTimeWait
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

// gateways are those by which addresses are reached, asked for once each.
type gateways map[string]netip.Addr

// to is the gateway to an address; none if it is on a network of the target's.
func (g gateways) to(ip net.IP) netip.Addr {
	via, known := g[string(ip)]
	if !known {
		routes, err := netlink.RouteGet(ip)
		if err == nil && len(routes) > 0 {
			via, _ = netip.AddrFromSlice(routes[0].Gw)
		}
		via = via.Unmap()
		g[string(ip)] = via
	}
	return via
}
