// Command gameday proves or disproves single points of failure by experiment.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := program{drivers()}.run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
