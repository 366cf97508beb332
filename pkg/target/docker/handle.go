package docker

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/bounded"
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
	_ target.Machine   = (*handle)(nil)
	_ target.Attacher  = (*handle)(nil)
	_ target.Evictor   = (*handle)(nil)
	_ target.Prober    = (*handle)(nil)
	_ target.Finder    = (*handle)(nil)
	_ target.Gatewayed = (*handle)(nil)
	_ target.Lifeline  = (*handle)(nil)
	_ target.Sharing   = (*handle)(nil)
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

// Exec implements [target.Execer]. It returns when the command has ended: what
// it writes is read to the end, though only the beginning is kept.
func (h *handle) Exec(ctx context.Context, command []string) (target.ExecResult, error) {
	created, err := h.env.client.ContainerExecCreate(ctx, h.id, container.ExecOptions{
		Cmd: command, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return target.ExecResult{}, h.said("run a command in", err)
	}
	stream, err := h.env.client.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return target.ExecResult{}, h.said("run a command in", err)
	}
	defer stream.Close()
	stopped := context.AfterFunc(ctx, stream.Close)
	defer stopped()
	output := bounded.Buffer{Limit: maxOutput}
	if err := demultiplex(&output, &output, stream.Reader); err != nil {
		return target.ExecResult{}, h.said("run a command in", cmp.Or(ctx.Err(), err))
	}
	code, err := h.exitCode(ctx, created.ID)
	if err != nil {
		return target.ExecResult{}, h.said("run a command in", err)
	}
	return target.ExecResult{ExitCode: code, Output: output.String()}, nil
}

// exitCode waits until a command has ended. Its output may end before it does,
// and until then the engine's answer has exit code 0; so it has while a command
// has not begun, which then has no process ID.
func (h *handle) exitCode(ctx context.Context, exec string) (int, error) {
	ticker := time.NewTicker(execPolling)
	defer ticker.Stop()
	for {
		seen, err := h.env.client.ContainerExecInspect(ctx, exec)
		if err != nil {
			return 0, err
		}
		if !seen.Running && (seen.Pid != 0 || seen.ExitCode != 0) {
			return seen.ExitCode, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("it has not ended: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

const (
	maxOutput   = 64 << 10              // what is kept of a command's output, in bytes
	execPolling = 10 * time.Millisecond // between two looks at a command whose output has ended
)
