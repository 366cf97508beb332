// Command gameday proves or disproves single points of failure by experiment.
package main

import (
	"context"
	"os"

	"github.com/urfave/cli/v2"
)

func main() {
	cli.FlagStringer = flagHelp(cli.FlagStringer)
	os.Exit(program{drivers()}.main())
}

// main runs the program until it ends, or until a signal asks it to.
func (p program) main() int {
	ctx, leave := untilSignal(context.Background())
	defer leave()
	return p.run(ctx, os.Args, os.Stdout, os.Stderr)
}
