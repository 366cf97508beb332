package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/gameday-dev/gameday/pkg/target"
)

// networksOf are a container's own networks. One with IPv4 and IPv6 addresses is listed
// once for each.
func networksOf(r container.InspectResponse) []target.Network {
	var all []target.Network
	for name, endpoint := range r.NetworkSettings.Networks {
		address, _ := netip.ParseAddr(endpoint.IPAddress) // none while it is not running
		six, err := netip.ParseAddr(endpoint.GlobalIPv6Address)
		if address.IsValid() || err != nil {
			all = append(all, target.Network{Name: name, Address: address, MAC: endpoint.MacAddress})
		}
		if err == nil {
			all = append(all, target.Network{Name: name, Address: six, MAC: endpoint.MacAddress})
		}
	}
	slices.SortFunc(all, func(a, b target.Network) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.Address.Compare(b.Address)) // IPv4 first
	})
	return all
}

// joinedBy are the networks of the container whose network namespace a container has
// joined: its traffic has the addresses of that one. Those that are known are not inspected
// once more.
func (e *Environment) joinedBy(ctx context.Context, r container.InspectResponse, known []container.InspectResponse) (joined []target.Network, err error) {
	const longest = 8 // of a chain of containers that join each other
	for range longest {
		owner := r.HostConfig.NetworkMode.ConnectedContainer()
		if owner == "" {
			break
		}
		if i := slices.IndexFunc(known, func(k container.InspectResponse) bool { return k.ID == owner }); i >= 0 {
			r = known[i]
		} else if r, err = e.inspect(ctx, owner); errors.Is(err, target.ErrGone) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		joined = networksOf(r)
	}
	return joined, nil
}

// publishedBy are the ports of the host by which a container can be reached.
func publishedBy(r container.InspectResponse) []uint16 {
	var all []uint16
	for _, bindings := range r.NetworkSettings.Ports {
		for _, b := range bindings {
			if port, err := strconv.ParseUint(b.HostPort, 10, 16); err == nil && port > 0 {
				all = append(all, uint16(port))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Find looks for other components behind the same fence.
func (h *handle) Find(ctx context.Context, selector target.Selector) ([]target.Component, error) {
	return h.env.Find(ctx, selector)
}

// Gateways are the addresses by which the container's host reaches it: users of
// a published port come from there.
func (h *handle) Gateways(ctx context.Context) ([]netip.Addr, error) {
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil {
		return nil, h.said("look at the networks of", err)
	}
	var all []netip.Addr
	for _, n := range seen.NetworkSettings.Networks {
		for _, text := range []string{n.Gateway, n.IPv6Gateway} {
			if a, err := netip.ParseAddr(text); err == nil {
				all = append(all, a)
			}
		}
		if n.Gateway != "" {
			continue
		}
		// An internal network has a gateway for the host, but the container's settings do not show it.
		found, err := h.env.client.NetworkInspect(ctx, n.NetworkID, network.InspectOptions{})
		if err != nil {
			return nil, h.said("look at the networks of", err)
		}
		for _, c := range found.IPAM.Config {
			if a, err := netip.ParseAddr(c.Gateway); err == nil {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return slices.Compact(all), nil
}

// Lifeline implements [target.Lifeline]: whether the engine is reached by way of
// the container, which may be a proxy of its socket, by its address or by a port
// that it publishes.
func (h *handle) Lifeline(ctx context.Context) (why string, is bool, err error) {
	at, err := url.Parse(h.env.Host())
	if err != nil {
		return "", false, fmt.Errorf("check whether gameday reaches the engine at %s through container %.12s: %w", h.env.Host(), h.id, err)
	}
	if at.Hostname() == "" {
		return "", false, nil // a socket, on which no packet travels
	}
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil {
		return "", false, h.said("look at the networks of", err)
	}
	engine, err := net.DefaultResolver.LookupHost(ctx, at.Hostname())
	if err != nil {
		return "", false, fmt.Errorf("find out whether the engine at %s is reached by way of container %.12s: %w", at.Host, h.id, err)
	}
	for _, n := range seen.NetworkSettings.Networks {
		if n.IPAddress != "" && slices.Contains(engine, n.IPAddress) || n.GlobalIPv6Address != "" && slices.Contains(engine, n.GlobalIPv6Address) {
			return "at " + at.Host + ", which is this container", true, nil
		}
	}
	for _, bindings := range seen.NetworkSettings.Ports {
		for _, b := range bindings {
			if b.HostPort == at.Port() {
				return "at " + at.Host + ", a port that this container publishes", true, nil
			}
		}
	}
	return "", false, nil
}
