package hostcmd

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
)

// Command is a command that leaves no process behind.
type Command struct {
	Program     string
	Arguments   []string
	Stdin       string
	Environment []string // NAME=value: all that it has
	Limit       int      // of the output that is kept, in bytes
}

// Result is how a command ended.
type Result struct {
	Exit    int    // -1 if a signal ended it
	Output  string // the beginning of the standard output
	Written int64  // the length of the whole standard output, in bytes
}

// Alone runs a command. When it ends, or when ctx ends, its whole process group is killed:
// the result does not wait for processes that it has left. An exit code other than 0 is no
// error.
func Alone(ctx context.Context, c Command) (r Result, err error) {
	out, in, err := os.Pipe()
	if err != nil {
		return r, err
	}
	defer out.Close()
	cmd := exec.Command(c.Program, c.Arguments...) //nolint:gosec,noctx // G204: the user's own command is the point; its group is killed below
	cmd.Stdout, cmd.Env = in, c.Environment
	cmd.Stdin = strings.NewReader(c.Stdin)
	cmd.WaitDelay = time.Nanosecond // of what it does not read
	kept := &bounded.Buffer{Limit: c.Limit}
	read := make(chan struct{})
	go func() {
		defer close(read)
		r.Written, _ = io.Copy(kept, out) // it ends with the last process of the group
	}()
	err = runGroup(ctx, cmd)
	_ = in.Close()
	// A process that has left the group may hold the output.
	_ = out.SetReadDeadline(time.Now().Add(outputDelay))
	<-read
	r.Output = kept.String()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.Exit, err = exit.ExitCode(), nil
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it has ended without reading all of its input
	}
	return r, errors.Join(ctx.Err(), err)
}

// runGroup runs a command, and kills its process group when it or ctx ends.
func runGroup(ctx context.Context, cmd *exec.Cmd) error {
	tie(cmd, syscall.SIGKILL)
	// The kernel sends the signal when the thread that has started the command ends.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	stop := context.AfterFunc(ctx, func() { _ = killGroup(pid) })
	err := cmd.Wait()
	stop()
	killRest(pid)
	return err
}
