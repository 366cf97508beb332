// Package hostcmd runs commands on gameday's own machine that end with gameday: nothing
// would undo what a command does after its gameday was killed.
package hostcmd

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// outputDelay is how long children that a command has left may keep its output open.
const outputDelay = time.Second

// Run runs a command in a process group of its own, and on Linux has the kernel send it a
// signal when this process dies.
func Run(cmd *exec.Cmd, dying syscall.Signal) error {
	tie(cmd, dying)
	// The kernel sends the signal when the thread that has started the command ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// Output runs a command, and returns its exit code and the first limit bytes of what it
// wrote. An exit code other than 0 is no error. When ctx ends, the command's whole process
// group is killed.
func Output(ctx context.Context, command []string, limit int) (code int, output string, err error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // G204: the user's own command is the point
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = outputDelay
	kept := &bounded.Buffer{Limit: limit}
	cmd.Stdout, cmd.Stderr = kept, kept
	err = Run(cmd, syscall.SIGKILL)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && ctx.Err() == nil {
		return exit.ExitCode(), kept.String(), nil
	}
	return 0, kept.String(), err
}
