package docker

import (
	"context"
	"errors"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// launch starts a program that ends with this process's connection, however that ends,
// and returns the connection.
func (e *Environment) launch(ctx context.Context, name program.Name, label string, host *container.HostConfig) (id string, said *stream, err error) {
	created, err := e.createProgram(ctx, name, &container.Config{
		Cmd:       command(name),
		Labels:    map[string]string{LabelHelper: label, LabelFence: e.config.fenceName()},
		OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	}, host, "")
	if err != nil {
		return "", nil, err
	}
	attached, err := e.client.ContainerAttach(ctx, created, container.AttachOptions{Stream: true, Stdin: true, Stdout: true, Stderr: true})
	if err != nil {
		return "", nil, errors.Join(err, e.abandon(ctx, created))
	}
	if err := e.client.ContainerStart(ctx, created, container.StartOptions{}); err != nil {
		attached.Close()
		return "", nil, errors.Join(err, e.abandon(ctx, created))
	}
	return created, newStream(attached.Conn, attached.Reader), nil
}

// command are the arguments of a program that takes orders on its standard input.
func command(name program.Name) []string {
	if name == program.Helper {
		return []string{helper.CommandServe}
	}
	return nil // a load worker does nothing else
}

// createProgram creates a container of the image of one of gameday's programs.
func (e *Environment) createProgram(ctx context.Context, of program.Name, config *container.Config, host *container.HostConfig, name string) (id string, err error) {
	for range 2 {
		if config.Image, err = e.ProgramImage(ctx, of); err != nil {
			return "", err
		}
		// Another version of gameday may have removed the image when it loaded its own.
		if id, err = e.create(ctx, config, host, name); !errdefs.IsNotFound(err) {
			return id, err
		}
		e.forget(of)
	}
	return id, err
}

// createFor is how long an engine may take to create a container.
const createFor = 30 * time.Second

// create creates a container. The end of ctx does not cut the order off: the engine
// would still create the container, and nothing would know its ID.
func (e *Environment) create(ctx context.Context, config *container.Config, host *container.HostConfig, name string) (id string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	ordering, cancel := context.WithTimeout(context.WithoutCancel(ctx), createFor)
	defer cancel()
	created, err := e.client.ContainerCreate(ordering, config, host, nil, nil, name)
	if err == nil && ctx.Err() != nil {
		err = errors.Join(ctx.Err(), e.abandon(ctx, created.ID))
	}
	return created.ID, err
}

// abandon removes a helper that did not come up, though ctx may have ended.
func (e *Environment) abandon(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return e.evict(ctx, id)
}
