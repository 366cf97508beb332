package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/session"
)

const exitCodeHelp = `Exit codes:
   0  disproved (or accepted): users were served within the objective
   1  proven or degraded: a single point of failure, or nearly
   2  usage error, invalid file, or environment unreachable or in use
   3  inconclusive: the samples are not enough evidence; the verdict says why
   4  aborted, by a person or a stop condition
   5  a fault could not be reverted: run gameday undo`

// exitError is an error with the code that the program ends with. Without an
// inner error, the command has already printed its result.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{session.ExitUsage, fmt.Errorf(format, args...)}
}

// ending is how a command ends that has ended with err and, if it got as far, with a
// verdict whose own exit code is given.
func ending(err error, verdict int) error {
	code := session.ExitCode(err, verdict)
	switch {
	case errors.Is(err, run.ErrNotPutBack):
		err = fmt.Errorf("%w\ngameday: run `gameday undo` to undo the rest", err)
	case errors.Is(err, context.Canceled):
		err = errors.New("stopped before a fault was injected")
	}
	if code == session.ExitOK {
		return nil
	}
	return &exitError{code, err}
}
