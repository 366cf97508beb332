// Command gameday-helper is what gameday runs in containers of its own beside a component,
// with the one capability that a fault needs.
//
// It speaks with gameday on its standard input and output, and ends with them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gameday-dev/gameday/pkg/helper"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, strings.Join(os.Args[1:], " "))
	stop()
	os.Exit(code)
}

func run(ctx context.Context, command string) int {
	if command != helper.CommandServe {
		fmt.Fprintf(os.Stderr, "gameday-helper %s: unknown command; gameday starts this program, and people do not need to\n", command)
		return 2
	}
	if err := helper.Serve(ctx, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gameday-helper:", err)
		return 1
	}
	return 0
}
