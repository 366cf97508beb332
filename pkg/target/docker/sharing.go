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
	self, byID, err := h.neighbors(ctx)
	if err != nil {
		return target.Sharers{}, fmt.Errorf("look who shares the %s of container %.12s: %w", what, h.id, err)
	}
	owner, host := ownerOf(self, what, byID)
	found := target.Sharers{Host: host}
	if joined, ok := byID[owner]; ok && owner != h.id {
		found.Owner = strings.TrimPrefix(joined.Name, "/")
	}
	for _, other := range h.others(owner, what, byID) {
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

// Joined implements [target.Joinable].
func (h *handle) Joined(ctx context.Context) (map[target.Namespace][]string, error) {
	self, byID, err := h.neighbors(ctx)
	if err != nil {
		return nil, fmt.Errorf("look who has joined container %.12s: %w", h.id, err)
	}
	found := map[target.Namespace][]string{}
	for _, what := range []target.Namespace{target.NetworkNamespace, target.ProcessNamespace, target.SharedMemory} {
		if owner, host := ownerOf(self, what, byID); host || owner != h.id {
			continue
		}
		for _, other := range h.others(h.id, what, byID) {
			found[what] = append(found[what], strings.TrimPrefix(other.Name, "/"))
		}
		slices.Sort(found[what])
	}
	return found, nil
}

// others are the other containers that live in an owner's namespace, except helpers.
func (h *handle) others(owner string, what target.Namespace, byID map[string]container.InspectResponse) (all []container.InspectResponse) {
	for _, other := range byID {
		if other.ID == h.id || other.Config.Labels[LabelHelper] != "" {
			continue
		}
		if theirs, onHost := ownerOf(other, what, byID); !onHost && theirs == owner {
			all = append(all, other)
		}
	}
	return all
}

// neighbors are the container, and all that run, by ID: inside the fence or not.
func (h *handle) neighbors(ctx context.Context) (self container.InspectResponse, byID map[string]container.InspectResponse, err error) {
	running, err := h.env.client.ContainerList(ctx, container.ListOptions{})
	if err != nil {
		return self, nil, err
	}
	all, err := h.env.inspectAll(ctx, running)
	if err != nil {
		return self, nil, err
	}
	byID = map[string]container.InspectResponse{}
	for _, r := range all {
		byID[r.ID] = r
	}
	self, ok := byID[h.id]
	if !ok {
		self, err = h.env.inspect(ctx, h.id)
		byID[h.id] = self
	}
	return self, byID, err
}

// joins is the container whose namespace a container asks for, and whether it asks for its
// host's.
func joins(r container.InspectResponse, what target.Namespace) (name string, host bool) {
	switch h := r.HostConfig; what {
	case target.ProcessNamespace:
		return h.PidMode.Container(), h.PidMode.IsHost()
	case target.SharedMemory:
		return h.IpcMode.Container(), h.IpcMode.IsHost()
	case target.NetworkNamespace:
	}
	return r.HostConfig.NetworkMode.ConnectedContainer(), r.HostConfig.NetworkMode.IsHost()
}

// ownerOf is the ID of the container whose namespace a container lives in: its own, or that
// of the one that it has joined. host reports whether it is the machine's.
func ownerOf(r container.InspectResponse, what target.Namespace, byID map[string]container.InspectResponse) (owner string, host bool) {
	for range len(byID) + 1 { // a chain has no circle, but a daemon could say so
		of, isHost := joins(r, what)
		if isHost {
			return "", true
		}
		next, ok := named(of, byID)
		if of == "" || !ok {
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
