package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/session"
)

// patience is how long a command may take to end by itself, once its context has ended.
const patience = time.Second

// errSignal is the error of a command that a signal ended.
var errSignal = errors.New("ended by a signal")

// endable has commands end when their context does, whatever they wait for: a pipe that
// no process writes to, or a file system that does not respond. It is for commands that
// have nothing to undo.
func endable(commands ...*cli.Command) []*cli.Command {
	for _, c := range commands {
		endable(c.Subcommands...)
		if do := c.Action; do != nil {
			c.Action = func(c *cli.Context) error {
				return untilDone(c.Context, func() error { return do(c) })
			}
		}
	}
	return commands
}

// untilDone does something, and gives up on it soon after ctx is done. What is given up
// may still go on until the process ends.
func untilDone(ctx context.Context, do func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		if errors.Is(err, context.Canceled) {
			return &exitError{session.ExitAborted, fmt.Errorf("%w: %w", errSignal, err)}
		}
		return err
	case <-time.After(patience):
		return &exitError{session.ExitAborted, errSignal}
	}
}
