package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/gameday-dev/gameday/internal/toyenv"
)

// RunWithToy is main, with one more driver in the registry.
func RunWithToy() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) //nolint:forbidigo // as main does
	defer stop()
	return program{append(drivers(), toyenv.Driver())}.run(ctx, os.Args, os.Stdout, os.Stderr)
}

// Clip is a text of at most a width.
func Clip(text string, width int) string { return clip(text, width) }
