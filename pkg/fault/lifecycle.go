package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// life identifies the main process of a component by its start time.
type life struct {
	State   target.State `json:"state"`
	Started time.Time    `json:"started"`
}

// alive reads the state of a component, which must be running for the fault to have an
// effect.
func alive(ctx context.Context, h target.Handle) (State, error) {
	l, err := lifeNow(ctx, h)
	if err != nil {
		return nil, err
	}
	return json.Marshal(l)
}

// startable is [alive] for kinds that end a component: the engine must keep it, and no other
// component may have joined its namespaces.
func startable(ctx context.Context, h target.Handle) (State, error) {
	was, err := alive(ctx, h)
	if err != nil {
		return nil, err
	}
	c, err := h.Look(ctx)
	if err == nil && c.Vanishes {
		err = fmt.Errorf("%s is removed when it stops (--rm), and could not be started again: start it without --rm, or use pause or isolate", c.Name)
	}
	if err == nil {
		err = joinedByNone(ctx, h, c.Name)
	}
	return was, err
}

// joinedByNone refuses a component whose namespaces others have joined.
func joinedByNone(ctx context.Context, h target.Handle, name string) error {
	joinable, ok := h.(target.Joinable)
	if !ok {
		return nil // nothing can be joined there
	}
	joined, err := joinable.Joined(ctx)
	if err != nil {
		return err
	}
	for _, what := range []target.Namespace{target.NetworkNamespace, target.ProcessNamespace, target.SharedMemory} {
		if who := joined[what]; len(who) > 0 {
			has := map[bool]string{true: "has", false: "have"}[len(who) == 1]
			return fmt.Errorf("%s %s joined its %s, and would stay without it after %s is started again: use pause, or break a component that no other has joined", strings.Join(who, ", "), has, what, name)
		}
	}
	return nil
}

// lifeNow is [alive] for kinds with more state.
func lifeNow(ctx context.Context, h target.Handle) (life, error) {
	c, err := h.Look(ctx)
	if err != nil {
		return life{}, err
	}
	if c.State != target.Running {
		return life{}, fmt.Errorf("%s is %s, expected it to be running: start it first", c.Name, c.State)
	}
	return life{c.State, c.Started}, nil
}

// stillDown returns nil while the component does not run.
func stillDown(ctx context.Context, h target.Handle) error {
	c, err := h.Look(ctx)
	if errors.Is(err, target.ErrGone) {
		return nil // a component that is gone is down
	}
	if err != nil {
		return err
	}
	if c.State == target.Running || c.State == target.Restarting {
		return fmt.Errorf("%w: %s is %s again", ErrNotInForce, c.Name, c.State)
	}
	return nil
}

// diedSince returns nil if the main process of the former state has ended.
func diedSince(ctx context.Context, h target.Handle, was State) error {
	before, err := stateOf[life](was)
	if err != nil {
		return err
	}
	c, err := h.Look(ctx)
	if err != nil {
		return err
	}
	if c.State == target.Running && c.Started.Equal(before.Started) {
		return fmt.Errorf("%w: the main process of %s has not ended", ErrNotInForce, c.Name)
	}
	return nil
}

// down reports whether the component does not run.
func down(ctx context.Context, h target.Handle) bool {
	c, err := h.Look(ctx)
	return err == nil && c.State == target.Stopped
}

// running reports whether the component runs.
func running(ctx context.Context, h target.Handle) (bool, error) {
	c, err := h.Look(ctx)
	return err == nil && c.State == target.Running, err
}

// startAgain starts the component, if it was running before.
func startAgain(ctx context.Context, h target.Handle, was State) error {
	before, err := stateOf[life](was)
	if err != nil || before.State != target.Running {
		return err
	}
	starter, err := target.As[target.Starter](h)
	if err != nil {
		return err
	}
	return starter.Start(ctx)
}

// stateOf decodes the state that a kind's Prepare read.
func stateOf[S any](was State) (S, error) {
	var s S
	if err := json.Unmarshal(was, &s); err != nil {
		return s, fmt.Errorf("read the state before the fault: %w", err)
	}
	return s, nil
}
