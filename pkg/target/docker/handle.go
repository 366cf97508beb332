package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/gameday-dev/gameday/pkg/target"
)

// handle is one container.
type handle struct {
	env *Environment
	id  string
}

var (
	_ target.Handle    = (*handle)(nil)
	_ target.Killer    = (*handle)(nil)
	_ target.Stopper   = (*handle)(nil)
	_ target.Pauser    = (*handle)(nil)
	_ target.Execer    = (*handle)(nil)
	_ target.Crasher   = (*handle)(nil)
	_ target.Limiter   = (*handle)(nil)
	_ target.Attacher  = (*handle)(nil)
	_ target.Evictor   = (*handle)(nil)
	_ target.Prober    = (*handle)(nil)
	_ target.Finder    = (*handle)(nil)
	_ target.Gatewayed = (*handle)(nil)
	_ target.Lifeline  = (*handle)(nil)
	_ target.Logger    = (*handle)(nil)
)

// String is the container as an error names it.
func (h *handle) String() string { return fmt.Sprintf("container %.12s", h.id) }

// Look implements [target.Handle].
func (h *handle) Look(ctx context.Context) (target.Component, error) { return h.env.look(ctx, h.id) }

// Kill implements [target.Killer]. The engine takes any signal through this
// call for a wish of ours, so that no restart policy brings the container back.
func (h *handle) Kill(ctx context.Context) error {
	return h.said("kill", h.env.client.ContainerKill(ctx, h.id, "SIGKILL"))
}

// Stop implements [target.Stopper].
func (h *handle) Stop(ctx context.Context) error {
	return h.said("stop", h.env.client.ContainerStop(ctx, h.id, container.StopOptions{Timeout: new(int(target.StopGrace.Seconds()))}))
}

// Start implements [target.Starter].
func (h *handle) Start(ctx context.Context) error {
	return h.said("start", h.env.client.ContainerStart(ctx, h.id, container.StartOptions{}))
}

// Pause implements [target.Pauser].
func (h *handle) Pause(ctx context.Context) error {
	return h.said("pause", h.env.client.ContainerPause(ctx, h.id))
}

// Unpause implements [target.Pauser].
func (h *handle) Unpause(ctx context.Context) error {
	return h.said("unpause", h.env.client.ContainerUnpause(ctx, h.id))
}

// said puts an engine's answer into our words.
func (h *handle) said(did string, err error) error {
	switch {
	case err == nil:
		return nil
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%s container %.12s: it %w", did, h.id, target.ErrGone)
	}
	return fmt.Errorf("%s container %.12s: %w", did, h.id, err)
}

// Exec implements [target.Execer].
func (h *handle) Exec(ctx context.Context, command []string) (target.ExecResult, error) {
	var result target.ExecResult
	created, err := h.env.client.ContainerExecCreate(ctx, h.id, container.ExecOptions{
		Cmd: command, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return result, h.said("run a command in", err)
	}
	stream, err := h.env.client.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return result, h.said("run a command in", err)
	}
	defer stream.Close()
	stopped := context.AfterFunc(ctx, stream.Close)
	defer stopped()
	var output bytes.Buffer
	if _, err := stdcopy.StdCopy(&output, &output, io.LimitReader(stream.Reader, maxOutput)); err != nil && ctx.Err() != nil {
		return result, fmt.Errorf("run a command in container %.12s: %w", h.id, ctx.Err())
	}
	done, err := h.env.client.ContainerExecInspect(ctx, created.ID)
	if err != nil {
		return result, h.said("run a command in", err)
	}
	return target.ExecResult{ExitCode: done.ExitCode, Output: output.String()}, nil
}

// maxOutput bounds what is kept of a command's output, in bytes.
const maxOutput = 64 << 10
