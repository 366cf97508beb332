package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/hostcmd"
	"github.com/gameday-dev/gameday/pkg/target"
)

// DefaultCommandTimeout is the default timeout of each command.
const DefaultCommandTimeout = 30 * time.Second

// maxOutput is how much of a command's output is kept, in bytes.
const maxOutput = 64 << 10

// Command runs the user's own commands, for faults that gameday does not have: the
// failover of a managed database, or a call of a cloud's API. The commands run on
// gameday's host or in the component, without a shell.
type Command struct {
	Break   []string      `json:"inject" yaml:"inject" jsonschema:"required" jsonschema_description:"The command that injects the fault, and its arguments. For a shell use [sh, -c, …]."`
	Verify  []string      `json:"verify,omitempty" yaml:"verify,omitempty" jsonschema_description:"A command that exits with code 0 while the fault is in force."`
	Mend    []string      `json:"undo" yaml:"undo" jsonschema:"required" jsonschema_description:"The command that reverts the fault. It must be safe to run more than once, and to run if the fault was not injected."`
	In      string        `json:"in,omitempty" yaml:"in,omitempty" jsonschema:"enum=host,enum=component" jsonschema_description:"Where the commands run. host: on gameday's host; component: in the target component (default: host)."`
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty" jsonschema_description:"Timeout of each command (default: 30s)."`
}

var (
	_ Fault     = (*Command)(nil)
	_ Outliving = (*Command)(nil)
	_ Verifier  = (*Command)(nil)
	_ Checker   = (*Command)(nil)
	_ Patient   = (*Command)(nil)
	_ Settler   = (*Command)(nil)
)

// Targetless marks the kind: a command on the host needs no target.
func (*Command) Targetless() {}

// Patience implements [Patient]: it is the timeout of a command.
func (f *Command) Patience() time.Duration { return cmp.Or(f.Timeout, DefaultCommandTimeout) }

// Settles implements [Settler]: a command in a component goes on when gameday dies, and on
// the host so do its children.
func (f *Command) Settles() time.Duration { return f.Patience() + Settle }

// Check implements [Checker].
func (f *Command) Check() error {
	switch {
	case len(f.Break) == 0 || f.Break[0] == "":
		return errors.New("inject: expected a command")
	case len(f.Mend) == 0 || f.Mend[0] == "":
		return errors.New("undo: expected a command; use [\"true\"] if there is nothing to undo")
	case f.Timeout < 0:
		return fmt.Errorf("timeout: found %v, expected more than 0", f.Timeout)
	case f.In != "" && f.In != "host" && f.In != "component":
		return fmt.Errorf("in: found %q, expected host or component", f.In)
	}
	return nil
}

// Prepare refuses commands that do not exist.
func (f *Command) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if f.In == "component" {
		if h == nil {
			return nil, errors.New("in: component requires a target")
		}
		if _, err := target.As[target.Execer](h); err != nil {
			return nil, err
		}
		return alive(ctx, h)
	}
	for _, command := range [][]string{f.Break, f.Verify, f.Mend} {
		if len(command) == 0 {
			continue
		}
		if _, err := exec.LookPath(command[0]); err != nil {
			return nil, fmt.Errorf("command %s: %w", command[0], err)
		}
	}
	return State("{}"), nil
}

// Inject runs the inject command. On the host, one that has failed by itself has ended. One
// that was killed has not: it may have asked for what is carried out elsewhere.
func (f *Command) Inject(ctx context.Context, h target.Handle, _ State) error {
	began := time.Now()
	err := f.run(ctx, h, f.Break)
	if err != nil && f.In != "component" && ctx.Err() == nil && time.Since(began) < f.Patience() {
		return endedError{err}
	}
	return err
}

// InForce runs the verify command. Without one the fault is in force once the inject
// command has succeeded.
func (f *Command) InForce(ctx context.Context, h target.Handle, _ State) error {
	if len(f.Verify) == 0 {
		return nil
	}
	err := f.run(ctx, h, f.Verify)
	if ctx.Err() != nil {
		return err // gameday is being cancelled: the result says nothing about the fault
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotInForce, err)
	}
	return nil
}

// Revert runs the undo command.
func (f *Command) Revert(ctx context.Context, h target.Handle, _ State) error {
	return f.run(ctx, h, f.Mend)
}

func (f *Command) run(ctx context.Context, h target.Handle, command []string) error {
	within, cancel := context.WithTimeout(ctx, f.Patience())
	defer cancel()
	code, output, err := f.exec(within, h, command)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("command %s: %w", command[0], ctx.Err())
	case within.Err() != nil:
		return fmt.Errorf("command %s: timed out after %v", command[0], f.Patience())
	case err != nil:
		return fmt.Errorf("command %s: %w", command[0], err)
	case code != 0:
		return fmt.Errorf("command %s: exit code %d: %s", command[0], code, strings.TrimSpace(output))
	}
	return nil
}

func (f *Command) exec(ctx context.Context, h target.Handle, command []string) (code int, output string, err error) {
	if f.In == "component" {
		execer, err := target.As[target.Execer](h)
		if err != nil {
			return 0, "", err
		}
		result, err := execer.Exec(ctx, command)
		return result.ExitCode, result.Output, err
	}
	return hostcmd.Output(ctx, command, maxOutput)
}

// OutlivesComponent implements [Outliving].
func (*Command) OutlivesComponent() {}
