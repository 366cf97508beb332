package docker

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"

	"github.com/docker/docker/api/types/network"

	"github.com/gameday-dev/gameday/pkg/target"
)

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
