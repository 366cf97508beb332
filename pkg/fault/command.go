package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/target"
)

// DefaultCommandTimeout bounds each of a user's commands.
const DefaultCommandTimeout = 30 * time.Second

// Command runs the user's own commands, for what gameday does not know: the
// failover of a managed database, a cloud's API. They run on the machine of
// gameday, or in the component. No shell stands in between.
type Command struct {
	Break   []string      `json:"inject" yaml:"inject" jsonschema:"required" jsonschema_description:"The command that breaks, and its arguments: [sh, -c, …] for a shell."`
	Verify  []string      `json:"verify,omitempty" yaml:"verify,omitempty" jsonschema_description:"Ends with exit code 0 while the fault is in force."`
	Mend    []string      `json:"undo" yaml:"undo" jsonschema:"required" jsonschema_description:"The command that mends. It must be safe to repeat, and when nothing was broken."`
	In      string        `json:"in,omitempty" yaml:"in,omitempty" jsonschema:"enum=host,enum=component" jsonschema_description:"host: on the machine of gameday; component: in the target; host where it is not set."`
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty" jsonschema_description:"Of each command; 30s where it is not set."`
}

var (
	_ Fault     = (*Command)(nil)
	_ Outliving = (*Command)(nil)
	_ Verifier  = (*Command)(nil)
	_ Checker   = (*Command)(nil)
	_ Patient   = (*Command)(nil)
)

// Targetless tells that a command on the host is about no component.
func (*Command) Targetless() {}

// Patience is how long a command may take.
func (f *Command) Patience() time.Duration { return cmp.Or(f.Timeout, DefaultCommandTimeout) }

// Check implements [Checker].
func (f *Command) Check() error {
	switch {
	case len(f.Break) == 0 || f.Break[0] == "":
		return errors.New("inject: expected a command")
	case len(f.Mend) == 0 || f.Mend[0] == "":
		return errors.New("undo: expected a command; [\"true\"] where there is nothing to undo")
	case f.Timeout < 0:
		return fmt.Errorf("timeout: found %v, expected more than 0", f.Timeout)
	case f.In != "" && f.In != "host" && f.In != "component":
		return fmt.Errorf("in: found %q, expected host or component", f.In)
	}
	return nil
}

// Prepare refuses commands that are not there.
func (f *Command) Prepare(ctx context.Context, h target.Handle) (State, error) {
	if f.In == "component" {
		if h == nil {
			return nil, errors.New("in: component needs a target")
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

// Inject runs the command that breaks.
func (f *Command) Inject(ctx context.Context, h target.Handle, _ State) error {
	return f.run(ctx, h, f.Break)
}

// InForce runs the command that verifies. A fault without one is in force once
// its command has ended well.
func (f *Command) InForce(ctx context.Context, h target.Handle, _ State) error {
	if len(f.Verify) == 0 {
		return nil
	}
	err := f.run(ctx, h, f.Verify)
	if ctx.Err() != nil {
		return err // gameday was told to leave off: that says nothing about the fault
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotInForce, err)
	}
	return nil
}

// Revert runs the command that mends.
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
		return fmt.Errorf("command %s: not done after %v", command[0], f.Patience())
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
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // G204: the user's own command is the point
	cmd.WaitDelay = time.Second                                 // its children may hold the output open
	data, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), string(data), nil
	}
	return 0, string(data), err
}

// OutlivesComponent implements [Outliving].
func (*Command) OutlivesComponent() {}
