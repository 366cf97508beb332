package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/gameday-dev/gameday/pkg/agent"
)

// PrepareCrash implements [target.Crashable]: the helper's image is there when
// it matters.
func (h *handle) PrepareCrash(ctx context.Context) error {
	_, err := h.env.SelfImage(ctx)
	return err
}

// Crash implements [target.Crasher]. The main process of a container ignores
// what its own namespace sends it, and the engine's kill call counts as a wish
// of ours that switches the restart policy off; so a helper in the host's PID
// namespace, with CAP_KILL and nothing else, ends the process from there.
func (h *handle) Crash(ctx context.Context) error {
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil {
		return h.said("crash", err)
	}
	if seen.State.Pid == 0 {
		return fmt.Errorf("crash container %.12s: it does not run", h.id)
	}
	return h.env.help(ctx, container.Config{
		Cmd:    agent.KillArgs(agent.KillOrder{PID: seen.State.Pid, Container: h.id}),
		Labels: map[string]string{LabelHelper: "crash"},
	}, container.HostConfig{
		PidMode:        "host",
		NetworkMode:    "none",
		CapDrop:        []string{"ALL"},
		CapAdd:         []string{"KILL"},
		ReadonlyRootfs: true,
		AutoRemove:     true,
	})
}

// help runs a helper to its end. One that does not end well is an error with
// what it said.
func (e *Environment) help(ctx context.Context, config container.Config, host container.HostConfig) error {
	image, err := e.SelfImage(ctx)
	if err != nil {
		return err
	}
	config.Image = image
	config.AttachStdout, config.AttachStderr = true, true
	created, err := e.client.ContainerCreate(ctx, &config, &host, nil, nil, "")
	if err != nil {
		return fmt.Errorf("create helper: %w", err)
	}
	// AutoRemove removes what was started. What never starts is removed here.
	started := false
	defer func() {
		if !started {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			_ = e.client.ContainerRemove(ctx, created.ID, container.RemoveOptions{Force: true})
		}
	}()
	stream, err := e.client.ContainerAttach(ctx, created.ID, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return fmt.Errorf("attach to helper: %w", err)
	}
	defer stream.Close()
	waited, waitErrs := e.client.ContainerWait(ctx, created.ID, container.WaitConditionRemoved)
	if err := e.client.ContainerStart(ctx, created.ID, container.StartOptions{}); err != nil {
		return fmt.Errorf("start helper: %w", err)
	}
	started = true
	var output strings.Builder
	_, _ = stdcopy.StdCopy(&output, &output, io.LimitReader(stream.Reader, maxOutput)) // cut off with the helper
	select {
	case end := <-waited:
		if end.StatusCode != 0 {
			return errors.New("helper: " + strings.TrimSpace(output.String()) + " (exit code " + strconv.FormatInt(end.StatusCode, 10) + ")")
		}
		return nil
	case err := <-waitErrs:
		return fmt.Errorf("wait for helper: %w", err)
	}
}
