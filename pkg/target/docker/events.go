package docker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Watch implements [target.Watcher]. Times are by the engine's clock: good for
// telling what happened, never for measuring a fault.
func (e *Environment) Watch(ctx context.Context, on func(target.Event)) error {
	filter := e.fence()
	filter.Add("type", string(events.ContainerEventType))
	messages, errs := e.client.Events(ctx, events.ListOptions{Filters: filter})
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-errs:
			if ctx.Err() != nil {
				return nil //nolint:nilerr // the caller has had enough
			}
			return fmt.Errorf("watch the engine's events: %w", err)
		case m := <-messages:
			attributes := m.Actor.Attributes
			if attributes[LabelHelper] != "" || strings.HasPrefix(string(m.Action), "exec_") {
				continue
			}
			event := target.Event{At: time.Unix(0, m.TimeNano).UTC(), Component: attributes["name"], Action: string(m.Action)}
			if code := attributes["exitCode"]; code != "" {
				event.Detail = "exit code " + code
			}
			on(event)
		}
	}
}
