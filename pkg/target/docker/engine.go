package docker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/docker/docker/client"
)

// Engine is a Docker engine, without a fence: for what is not a component,
// such as images.
type Engine struct {
	client *client.Client
	id     string
	arch   string

	self sync.Mutex // guards image
	// image is the reference of gameday's own image, once it is loaded.
	image string
}

// Connect reaches an engine, and asks it who it is. The caller closes it.
func Connect(ctx context.Context, config *Config) (*Engine, error) {
	opts, err := config.options()
	if err != nil {
		return nil, err
	}
	c, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, fmt.Errorf("reach the Docker engine: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	info, err := c.Info(ctx)
	if err != nil {
		return nil, errors.Join(unreachable(c.DaemonHost(), err), c.Close())
	}
	return &Engine{client: c, id: info.ID, arch: goArch(info.Architecture)}, nil
}

func unreachable(host string, err error) error {
	return fmt.Errorf("no Docker engine answers at %s: start it, or set DOCKER_HOST or docker.host (%w)", host, err)
}

// goArch is Go's word for an architecture that the engine names as uname does.
func goArch(machine string) string {
	switch machine {
	case "x86_64":
		return "amd64"
	case "aarch64":
		return "arm64"
	}
	return machine
}

// Host is where the engine listens.
func (e *Engine) Host() string { return e.client.DaemonHost() }

// Close lets go of the engine.
func (e *Engine) Close() error { return e.client.Close() }
