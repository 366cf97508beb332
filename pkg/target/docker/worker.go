package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"

	"github.com/gameday-dev/gameday/internal/program"
)

// labelNetwork is what compose calls a network in its file.
const labelNetwork = "com.docker.compose.network"

// StartWorker starts a load worker on a network of the environment, without a
// capability. The network is named as in the compose file, or as
// the engine does. Closing the stream ends the worker, and waits until it is gone.
func (e *Environment) StartWorker(ctx context.Context, network string) (io.ReadWriteCloser, error) {
	id, err := e.network(ctx, network)
	if err != nil {
		return nil, err
	}
	host := &container.HostConfig{
		NetworkMode: container.NetworkMode(id), CapDrop: []string{"ALL"}, ReadonlyRootfs: true, AutoRemove: true,
	}
	worker, said, err := e.launch(ctx, program.Load, "load", host)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	return &workerStream{stream: said, end: sync.OnceValue(func() error {
		ctx, cancel := context.WithTimeout(ctx, dismissing)
		defer cancel()
		return e.leave(ctx, worker, said.Close)
	})}, nil
}

// network is the engine's id of a network.
func (e *Environment) network(ctx context.Context, name string) (string, error) {
	filter := filters.NewArgs()
	if project := e.config.Project; project != "" {
		filter.Add("label", labelProject+"="+project)
		filter.Add("label", labelNetwork+"="+name)
	} else {
		filter.Add("name", name)
	}
	found, err := e.client.NetworkList(ctx, network.ListOptions{Filters: filter})
	if err != nil {
		return "", fmt.Errorf("look for network %s: %w", name, err)
	}
	for _, n := range found {
		if e.config.Project != "" || n.Name == name {
			return n.ID, nil
		}
	}
	if e.config.Project == "" {
		return "", fmt.Errorf("there is no network %s for the users inside", name)
	}
	seen, err := e.client.NetworkInspect(ctx, name, network.InspectOptions{})
	if err != nil {
		return "", errors.Join(fmt.Errorf("there is no network %s for the users inside, neither of compose project %s nor of that name", name, e.config.Project), err)
	}
	return seen.ID, nil
}

// workerStream ends its worker once, however often it is closed.
type workerStream struct {
	*stream
	end func() error
}

// Close implements [io.Closer].
func (s *workerStream) Close() error { return s.end() }
