package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/gameday-dev/gameday/pkg/run"
)

// untilSignal is a context that ends with the first signal that asks the program to end: by
// a person, by the system, or because the terminal was closed.
func untilSignal(ctx context.Context) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case s := <-asked:
			cancel(run.StoppedError(endedBy(s)))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(asked); cancel(nil) }
}

func endedBy(s os.Signal) string {
	switch s {
	case os.Interrupt:
		return "ended by a person"
	case syscall.SIGHUP:
		return "ended: the terminal was closed (SIGHUP)"
	}
	return "ended by SIGTERM"
}
