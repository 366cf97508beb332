package main

import "fmt"

// The exit codes.
const (
	exitOK           = 0
	exitProven       = 1
	exitUsage        = 2
	exitInconclusive = 3
	exitAborted      = 4
	exitNotPutBack   = 5
)

const exitCodeHelp = `Exit codes:
   0  disproved (or accepted): users were served within the objective
   1  proven or degraded: a single point of failure, or nearly
   2  usage, an invalid file, or an environment that is not there
   3  inconclusive: the samples cannot tell, and the verdict says why
   4  aborted, by a person or a stop condition
   5  the environment could not be put back: gameday undo`

// exitError is an error with the code that the program ends with. Without an
// inner error everything has been said.
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
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}
