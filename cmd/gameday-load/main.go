// Command gameday-load sends users through journeys from inside a system's network. gameday
// runs it in a container of its own, without any capability.
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

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, strings.Join(os.Args[1:], " "))
	stop()
	os.Exit(code)
}

func run(ctx context.Context, arguments string) int {
	log.SetOutput(io.Discard) // net/http quotes there what a server sends beside its responses
	if arguments != "" {
		fmt.Fprintf(os.Stderr, "gameday-load %s: unknown command; gameday starts this program, and people do not need to\n", arguments)
		return 2
	}
	if err := probe.Work(ctx, os.Stdin, os.Stdout, steps.All()); err != nil {
		fmt.Fprintln(os.Stderr, "gameday-load:", err)
		return 1
	}
	return 0
}
