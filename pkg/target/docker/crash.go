package docker

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/helper"
)

// WarmCrash implements [target.Crasher]: the helper is there when it matters.
func (h *handle) WarmCrash(ctx context.Context) error {
	_, err := h.env.attach(ctx, beside{power: helper.Host})
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
	session, err := h.env.attach(ctx, beside{power: helper.Host})
	if err != nil {
		return err
	}
	_, err = session.Do(ctx, &helper.KillOrder{PID: seen.State.Pid, Container: h.id})
	return err
}
