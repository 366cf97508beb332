package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/pkg/journal"
)

// endedBy says who has ended a run: the one who ended its context, in the words of the
// cause if it has some.
func endedBy(ctx context.Context) string {
	if stopped, ok := errors.AsType[StoppedError](context.Cause(ctx)); ok {
		return string(stopped)
	}
	return "ended by a person"
}

// StoppedError is the cause with which the context of a run is ended, in words for people.
type StoppedError string

// Error implements error.
func (s StoppedError) Error() string { return string(s) }

// stopSuffix ends the name of the file beside a journal that asks for its run to be
// stopped. A file needs no address, no token and no daemon: anyone who may write the
// journals may stop what they are of.
const stopSuffix = ".stop"

// StopAll asks all runs of this machine to stop, and to undo what they did. It returns
// how many were asked; they are gone once their journals are.
func StopAll(stateDir, who string) (n int, err error) {
	paths, err := Unfinished(stateDir)
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		if err := os.WriteFile(path+stopSuffix, []byte(who), 0o600); err != nil {
			return n, fmt.Errorf("ask a run to stop: %w", err)
		}
		n++
	}
	return n, nil
}

// Unfinished are the journals of runs that go on, or have left something.
func Unfinished(stateDir string) ([]string, error) {
	paths, err := journal.List(JournalDir(stateDir))
	if err != nil {
		return nil, fmt.Errorf("look for runs: %w", err)
	}
	return paths, nil
}

// stoppable is a context that ends when a request comes for the stage's runs to be
// stopped.
func (s Stage) stoppable(ctx context.Context) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	left := make(chan struct{})
	go func() {
		defer close(left)
		for {
			if who, err := os.ReadFile(s.entries.Path() + stopSuffix); err == nil {
				cancel(StoppedError("stopped by " + string(who)))
				return
			}
			if !sleep(ctx, beat) {
				return
			}
		}
	}()
	return ctx, func() { cancel(nil); <-left }
}

// forgetStops removes what asked for runs to be stopped that are over.
func forgetStops(stateDir, journalPath string) {
	_ = os.Remove(journalPath + stopSuffix) // it was answered
	stale, _ := filepath.Glob(filepath.Join(JournalDir(stateDir), "*"+stopSuffix))
	for _, path := range stale {
		if info, err := os.Stat(path); err == nil && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(path)
		}
	}
}
