package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// life is what the kinds that end a process remember of the component.
type life struct {
	State   target.State `json:"state"`
	Started time.Time    `json:"started"`
}

// alive reads a component that must be running for a fault to mean anything.
func alive(ctx context.Context, h target.Handle) (State, error) {
	c, err := h.Look(ctx)
	if err != nil {
		return nil, err
	}
	if c.State != target.Running {
		return nil, fmt.Errorf("%s is %s, expected it to be running: start it first", c.Name, c.State)
	}
	return json.Marshal(life{c.State, c.Started})
}

// stillDown returns nil while the component does not run.
func stillDown(ctx context.Context, h target.Handle) error {
	c, err := h.Look(ctx)
	if errors.Is(err, target.ErrGone) {
		return nil // as down as can be
	}
	if err != nil {
		return err
	}
	if c.State == target.Running || c.State == target.Restarting {
		return fmt.Errorf("%w: %s is %s again", ErrNotInForce, c.Name, c.State)
	}
	return nil
}

// diedSince returns nil where the process that ran before is no longer there.
func diedSince(ctx context.Context, h target.Handle, was State) error {
	before, err := lifeOf(was)
	if err != nil {
		return err
	}
	c, err := h.Look(ctx)
	if err != nil {
		return err
	}
	if c.State == target.Running && c.Started.Equal(before.Started) {
		return fmt.Errorf("%w: %s runs as it did before", ErrNotInForce, c.Name)
	}
	return nil
}

// running tells whether the component runs by now.
func running(ctx context.Context, h target.Handle) (bool, error) {
	c, err := h.Look(ctx)
	return err == nil && c.State == target.Running, err
}

// startAgain starts the component, if it was running before.
func startAgain(ctx context.Context, h target.Handle, was State) error {
	before, err := lifeOf(was)
	if err != nil || before.State != target.Running {
		return err
	}
	starter, err := target.As[target.Starter](h)
	if err != nil {
		return err
	}
	return starter.Start(ctx)
}

func lifeOf(was State) (life, error) {
	var l life
	if err := json.Unmarshal(was, &l); err != nil {
		return l, fmt.Errorf("read what was so before: %w", err)
	}
	return l, nil
}
