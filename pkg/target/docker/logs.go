package docker

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/docker/docker/api/types/container"
)

// Logs are the last lines that the container has written since a moment, standard
// output and error in the order in which they came.
func (h *handle) Logs(ctx context.Context, since time.Time, lines int) (string, error) {
	seen, err := h.env.client.ContainerInspect(ctx, h.id)
	if err != nil {
		return "", h.said("read the log of", err)
	}
	stream, err := h.env.client.ContainerLogs(ctx, h.id, container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Tail: strconv.Itoa(lines), Since: since.UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return "", h.said("read the log of", err)
	}
	defer stream.Close()
	var text bytes.Buffer
	if seen.Config.Tty {
		_, err = text.ReadFrom(stream)
	} else {
		err = demultiplex(&text, &text, stream)
	}
	if err != nil {
		return "", h.said("read the log of", err)
	}
	return text.String(), nil
}

// Versions are those of the engine and of what it runs on; none if it does not
// answer.
func (e *Engine) Versions(ctx context.Context) map[string]string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	v, err := e.client.ServerVersion(ctx)
	if err != nil {
		return nil
	}
	return map[string]string{"docker": v.Version, "api": v.APIVersion, "kernel": v.KernelVersion, "os": v.Os + "/" + v.Arch}
}
