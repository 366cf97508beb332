package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Process sends a signal to processes of a component, once. If the processes end and the
// component does not restart them, Revert restarts the component.
type Process struct {
	Name   string `json:"name" yaml:"name" jsonschema:"required" jsonschema_description:"The program name of the processes, without a folder."`
	Signal string `json:"signal,omitempty" yaml:"signal,omitempty" jsonschema:"enum=KILL,enum=TERM,enum=INT,enum=QUIT,enum=HUP,enum=USR1,enum=USR2" jsonschema_description:"The signal (default: KILL)."`
}

var (
	_ Fault     = (*Process)(nil)
	_ Outliving = (*Process)(nil)
	_ Verifier  = (*Process)(nil)
	_ Healer    = (*Process)(nil)
	_ Warmer    = (*Process)(nil)
	_ Checker   = (*Process)(nil)
)

// signals are Linux's signal numbers, on every platform.
func signals() map[string]int {
	return map[string]int{"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "TERM": 15}
}

func (f *Process) number() int { return signals()[cmp.Or(f.Signal, "KILL")] }

// Check implements [Checker].
func (f *Process) Check() error {
	if _, ok := signals()[cmp.Or(f.Signal, "KILL")]; !ok {
		return fmt.Errorf("signal: found %q, expected one of %s", f.Signal, strings.Join(slices.Sorted(maps.Keys(signals())), ", "))
	}
	return checkProcess(f.Name)
}

func (f *Process) work(signal int) helper.Work {
	return &helper.Signal{Process: f.Name, Signal: signal}
}

// Prepare refuses a component that does not run or has no such process.
func (f *Process) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if _, err := target.As[target.Attacher](h); err != nil {
		return nil, err
	}
	was, err := startable(ctx, h)
	if err != nil {
		return nil, err
	}
	return was, f.ask(ctx, h, func(s *helper.Session) error { return s.Try(ctx, f.work(f.number())) })
}

// Warm starts the helper.
func (f *Process) Warm(ctx context.Context, h target.Handle) error {
	_, err := attach(ctx, h, helper.Process)
	return err
}

// Inject sends the signal.
func (f *Process) Inject(ctx context.Context, h target.Handle, _ State) error {
	return f.ask(ctx, h, func(s *helper.Session) error {
		_, err := s.Do(ctx, f.work(f.number()))
		return err
	})
}

func (*Process) ask(ctx context.Context, h target.Handle, ask func(*helper.Session) error) error {
	session, err := attach(ctx, h, helper.Process)
	if err != nil {
		return err
	}
	return ask(session)
}

// InForce always returns nil: the helper has confirmed the signal, and how the processes
// handle it is up to them.
func (f *Process) InForce(context.Context, target.Handle, State) error { return nil }

// Healed reports whether the component runs and has such processes.
func (f *Process) Healed(ctx context.Context, h target.Handle, _ State) (bool, error) {
	up, err := running(ctx, h)
	if err != nil || !up {
		return false, err
	}
	session, err := attach(ctx, h, helper.Process)
	if err != nil {
		return false, err
	}
	err = session.Try(ctx, f.work(0))
	if errors.Is(err, helper.ErrEnded) || ctx.Err() != nil {
		return false, err // the status is unknown: a restart could break a healthy component
	}
	return err == nil, nil
}

// Revert restarts the component if it has no such process.
func (f *Process) Revert(ctx context.Context, h target.Handle, was State) error {
	if healed, err := f.Healed(ctx, h, was); err != nil || healed {
		return err
	}
	if up, err := running(ctx, h); err != nil {
		return err
	} else if up {
		stopper, err := target.As[target.Stopper](h)
		if err != nil {
			return err
		}
		if err := stopper.Stop(ctx); err != nil {
			return err
		}
	}
	return startAgain(ctx, h, was)
}

// Reaches implements [Reaching].
func (*Process) Reaches() target.Namespace { return target.ProcessNamespace }

// OutlivesComponent implements [Outliving].
func (*Process) OutlivesComponent() {}
