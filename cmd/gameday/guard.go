package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/run"
)

// startGuard starts the process that plays the journal if this one dies. It
// holds the other end of a pipe that ends with this process, however it ends.
func startGuard(journalPath string) (stop func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	// Not bound to a context: it must outlive whatever ends this process.
	guard := exec.Command(self, "guard", journalPath) //nolint:gosec,noctx // G204: ourselves
	guard.Env = append(os.Environ(), "GAMEDAY_GUARD=1")
	pipe, err := guard.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	ready, err := guard.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	detach(guard)
	if err := guard.Start(); err != nil {
		return nil, fmt.Errorf("start the guard: %w", err)
	}
	// Nothing may be broken before the guard watches.
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		return nil, errors.Join(errors.New("the guard did not start"), pipe.Close(), guard.Wait())
	}
	return func() error {
		if err := errors.Join(pipe.Close(), guard.Wait()); err != nil {
			return fmt.Errorf("the guard: %w", err)
		}
		return nil
	}, nil
}

// guardFor is how long a guard goes on trying.
const guardFor = 10 * time.Minute

// guardCommand is the guard itself. It ignores signals: a Ctrl-C is the
// runner's to handle.
func guardCommand() *cli.Command {
	return &cli.Command{Name: "guard", Hidden: true, Action: func(c *cli.Context) error {
		path := c.Args().First()
		if _, err := c.App.Writer.Write([]byte{'\n'}); err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, os.Stdin) // until the runner's end closes
		ctx := context.WithoutCancel(c.Context)
		deadline := time.Now().Add(guardFor)
		for {
			_, err := run.UndoOne(ctx, path, opener(ctx))
			// A journal that is still held is that of a runner whose process is
			// just ending, or of `gameday undo`.
			if err == nil && !exists(path) || time.Now().After(deadline) {
				return err
			}
			<-time.After(50 * time.Millisecond)
		}
	}}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}
