// Command gameday-helper is what gameday runs in containers of its own: beside a component,
// with the one capability that a fault needs, or on a network, to load from inside.
//
// It speaks with gameday on its standard input and output, and ends with them.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/probe"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, strings.Join(os.Args[1:], " "))
	stop()
	os.Exit(code)
}

func run(ctx context.Context, command string) int {
	log.SetOutput(io.Discard) // net/http quotes there what a server sends beside its responses
	var err error
	switch command {
	case helper.CommandServe:
		err = helper.Serve(ctx, os.Stdin, os.Stdout)
	case helper.CommandLoad:
		err = probe.Work(ctx, os.Stdin, os.Stdout, nil)
	default:
		fmt.Fprintf(os.Stderr, "gameday-helper %s: unknown command; gameday starts this program, and people do not need to\n", command)
		return 2
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gameday-helper:", err)
		return 1
	}
	return 0
}
