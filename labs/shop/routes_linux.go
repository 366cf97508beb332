package shop

import (
	"fmt"
	"net"
	"strings"

	"github.com/vishvananda/netlink"
)

// route adds routes such as "ADDRESS via GATEWAY, …", one for each NAT gateway.
func route(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		to, via, ok := strings.Cut(strings.TrimSpace(one), " via ")
		if !ok {
			continue
		}
		ip, gateway := net.ParseIP(to), net.ParseIP(via)
		if ip == nil || gateway == nil {
			return fmt.Errorf("route %q: expected ADDRESS via GATEWAY", one)
		}
		if err := netlink.RouteReplace(&netlink.Route{Dst: &net.IPNet{IP: ip, Mask: net.CIDRMask(32, 32)}, Gw: gateway}); err != nil {
			return fmt.Errorf("route %s: %w", one, err)
		}
	}
	return nil
}
