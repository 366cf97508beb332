// Command gameday proves or disproves single points of failure by experiment.
package main

import (
	"context"
	"os"
	"regexp"

	"github.com/urfave/cli/v2"
)

func main() {
	cli.FlagStringer = flagHelp(cli.FlagStringer)
	os.Exit(program{drivers()}.main())
}

// flagHelp is how --help shows a flag: without a default that only means "not set".
func flagHelp(shown cli.FlagStringFunc) cli.FlagStringFunc {
	unset := regexp.MustCompile(` \(default: (0|0s|false)\)`)
	return func(f cli.Flag) string {
		return unset.ReplaceAllString(shown(f), "")
	}
}

// main runs the program until it ends, or until a signal asks it to.
func (p program) main() int {
	ctx, leave := untilSignal(context.Background())
	defer leave()
	return p.run(ctx, os.Args, os.Stdout, os.Stderr)
}
