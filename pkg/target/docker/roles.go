package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gameday-dev/gameday/pkg/target"
)

// roleTimeout bounds asking one component for its role: a hung one does not
// hold it.
const roleTimeout = 2 * time.Second

// maxAsked is how many components are asked for a role at a time.
const maxAsked = 32

// holders are the components among all that have a role right now, in the order
// of all. If none has it, that is an error that says what each of them answered.
func (e *Environment) holders(ctx context.Context, name string, all []target.Component) ([]target.Component, error) {
	role, ok := e.options.Roles[name]
	if !ok {
		known := strings.Join(slices.Sorted(maps.Keys(e.options.Roles)), ", ")
		return nil, fmt.Errorf("role %q is not declared for this environment; declared are: %s", name, cmp.Or(known, "none"))
	}
	asked := slices.DeleteFunc(slices.Clone(all), func(c target.Component) bool { return !role.Among.Match(c) })
	answers := make([]error, len(asked))
	var asking errgroup.Group
	asking.SetLimit(maxAsked)
	for i, c := range asked {
		asking.Go(func() error {
			answers[i] = e.holds(ctx, role, c)
			return nil
		})
	}
	_ = asking.Wait() // never fails
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask for role %s: %w", name, err)
	}
	var holders []target.Component
	var others []string
	for i, c := range asked {
		if answers[i] == nil {
			holders = append(holders, c)
		} else if len(others) < maxAnswers {
			others = append(others, c.Name+": "+strings.ReplaceAll(answers[i].Error(), "\n", ", "))
		}
	}
	if len(holders) == 0 {
		if len(others) < len(asked) {
			others = append(others, "…")
		}
		return nil, fmt.Errorf("role %s: %w: asked %d of %d components (%s): %s; is the environment up?",
			name, target.ErrNoRole, len(asked), len(all), e.config.Fence(), cmp.Or(strings.Join(others, "; "), "none can have it"))
	}
	return holders, nil
}

// maxAnswers is how many components an error names with their answers.
const maxAnswers = 12

// holds asks one component, and returns nil if it holds the role.
func (e *Environment) holds(ctx context.Context, role target.Role, c target.Component) error {
	ctx, cancel := context.WithTimeout(ctx, roleTimeout)
	defer cancel()
	if role.Label != "" && !(target.Selector{Label: role.Label}).Match(c) {
		return fmt.Errorf("no label %s", role.Label)
	}
	if role.Ask == nil && len(role.Command) == 0 {
		return nil
	}
	if c.State != target.Running {
		return errors.New(string(c.State))
	}
	if role.Ask != nil {
		if err := ask(ctx, role.Ask, c); err != nil {
			return err
		}
	}
	if len(role.Command) == 0 {
		return nil
	}
	h := &handle{env: e, id: c.ID}
	result, err := h.Exec(ctx, role.Command)
	switch {
	case ctx.Err() != nil:
		return errors.New("the command: timeout")
	case err != nil:
		return fmt.Errorf("the command: %w", err)
	case result.ExitCode != 0:
		return fmt.Errorf("the command: exit code %d", result.ExitCode)
	}
	return nil
}

// ask asks at all addresses of a component, side by side: a network on which packets are
// lost does not use up the time of another.
func ask(ctx context.Context, ask target.Ask, c target.Component) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan error, len(c.Networks))
	asked := 0
	for _, n := range c.Networks {
		if n.Address.IsValid() {
			asked++
			go func() { answers <- ask(ctx, n.Address) }()
		}
	}
	if asked == 0 {
		return errors.New("no address")
	}
	var errs []error
	holds := false
	for range asked {
		err := <-answers
		if err == nil {
			holds = true
			cancel() // the others are waited for
		}
		if err != nil && !slices.ContainsFunc(errs, func(other error) bool { return other.Error() == err.Error() }) {
			errs = append(errs, err)
		}
	}
	if holds {
		return nil
	}
	return errors.Join(errs...)
}
