package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Shares implements [target.Sharing].
func (h *handle) Shares(ctx context.Context, what target.Namespace) (target.Sharers, error) {
	running, err := h.env.client.ContainerList(ctx, container.ListOptions{}) // inside the fence or not
	var all []container.InspectResponse
	if err == nil {
		all, err = h.env.inspectAll(ctx, running)
	}
	if err != nil {
		return target.Sharers{}, fmt.Errorf("look who shares the %s of container %.12s: %w", what, h.id, err)
	}
	byID := map[string]container.InspectResponse{}
	for _, r := range all {
		byID[r.ID] = r
	}
	self, ok := byID[h.id]
	if !ok {
		if self, err = h.env.inspect(ctx, h.id); err != nil {
			return target.Sharers{}, err
		}
		byID[h.id] = self
	}
	owner, host := ownerOf(self, what, byID)
	found := target.Sharers{Host: host}
	if joined, ok := byID[owner]; ok && owner != h.id {
		found.Owner = strings.TrimPrefix(joined.Name, "/")
	}
	for _, other := range all {
		if other.ID == h.id || other.Config.Labels[LabelHelper] != "" {
			continue
		}
		if theirs, onHost := ownerOf(other, what, byID); onHost || theirs != owner {
			continue
		}
		if c := h.env.component(other); h.env.inside(other.Config.Labels) {
			found.Inside = append(found.Inside, c)
		} else {
			found.Outside = append(found.Outside, c.Name)
		}
	}
	slices.SortFunc(found.Inside, func(a, b target.Component) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(found.Outside)
	return found, nil
}

// ownerOf is the ID of the container whose namespace a container lives in: its own, or that
// of the one that it has joined. host reports whether it is the machine's.
func ownerOf(r container.InspectResponse, what target.Namespace, byID map[string]container.InspectResponse) (owner string, host bool) {
	for range len(byID) + 1 { // a chain has no circle, but a daemon could say so
		joins, isHost := r.HostConfig.NetworkMode.ConnectedContainer(), r.HostConfig.NetworkMode.IsHost()
		if what == target.ProcessNamespace {
			joins, isHost = r.HostConfig.PidMode.Container(), r.HostConfig.PidMode.IsHost()
		}
		if isHost {
			return "", true
		}
		next, ok := named(joins, byID)
		if joins == "" || !ok {
			return r.ID, false
		}
		r = next
	}
	return r.ID, false
}

// named is the container with an ID or a name.
func named(of string, byID map[string]container.InspectResponse) (container.InspectResponse, bool) {
	if r, ok := byID[of]; ok {
		return r, true
	}
	for _, r := range byID {
		if of != "" && strings.TrimPrefix(r.Name, "/") == strings.TrimPrefix(of, "/") {
			return r, true
		}
	}
	return container.InspectResponse{}, false
}
