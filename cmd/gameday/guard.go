package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/run"
)

// startGuard starts the process that plays the journal if this one dies. It
// holds the other end of a pipe that ends with this process, however it ends.
func startGuard(journalPath string) (run.Guardian, error) {
	self, err := os.Executable()
	if err != nil {
		return run.Guardian{}, fmt.Errorf("start the guard: %w", err)
	}
	// Not bound to a context: it must outlive whatever ends this process.
	guard := exec.Command(self, "guard", journalPath) //nolint:gosec,noctx // G204: ourselves
	guard.Env = append(os.Environ(), "GAMEDAY_GUARD=1")
	pipe, err := guard.StdinPipe()
	if err != nil {
		return run.Guardian{}, fmt.Errorf("start the guard: %w", err)
	}
	ready, err := guard.StdoutPipe()
	if err != nil {
		return run.Guardian{}, fmt.Errorf("start the guard: %w", err)
	}
	detach(guard)
	if err := guard.Start(); err != nil {
		return run.Guardian{}, fmt.Errorf("start the guard: %w", err)
	}
	// Nothing may be broken before the guard watches. Until then, what it says is why
	// it could not.
	said, err := bufio.NewReader(ready).ReadString('\n')
	if err != nil || said != "\n" {
		return run.Guardian{}, errors.Join(fmt.Errorf("the guard did not start: %s", strings.TrimSpace(said)), pipe.Close(), guard.Wait())
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = guard.Wait() // whatever ended it: what it owes is in the journal
	}()
	return run.Guardian{PID: guard.Process.Pid, Leave: func() { _ = pipe.Close() }, Ended: ended}, nil
}

// guardCommand is the guard itself. It takes no notice of signals: a Ctrl-C is the runner's
// to handle, and at a logout or a shutdown the runner has to be outlived.
func (p program) guardCommand() *cli.Command {
	return &cli.Command{Name: "guard", Hidden: true, Action: func(c *cli.Context) error {
		signal.Notify(make(chan os.Signal, 1)) // all of them
		s, err := p.session("", nil)
		if err != nil {
			return err
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			_, _ = io.Copy(io.Discard, os.Stdin) // until the runner's end closes
		}()
		err = s.Replay(func(string) {}).Guard(c.Context, c.Args().First(), func() error {
			_, err := fmt.Fprintln(c.App.Writer)
			return err
		}, gone)
		if err != nil {
			fmt.Fprintln(c.App.Writer, err) // read by a runner that still waits for the guard
		}
		return err
	}}
}
