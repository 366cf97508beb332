package session

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/pkg/run"
)

// The exit codes of commands, and of jobs.
const (
	ExitOK           = 0 // disproved, or accepted
	ExitProven       = 1 // proven or degraded
	ExitUsage        = 2 // usage, an invalid file, an unreachable environment
	ExitInconclusive = 3
	ExitAborted      = 4
	ExitNotPutBack   = 5 // above all others
)

// ExitCode is what something ends with that has ended with err and, if it got as far,
// with a verdict whose own exit code is given.
func ExitCode(err error, verdict int) int {
	switch {
	case errors.Is(err, run.ErrNotPutBack):
		return ExitNotPutBack
	case errors.Is(err, context.Canceled):
		return ExitAborted
	case err != nil:
		return ExitUsage
	}
	return verdict
}
