package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpLast turns `gameday help run` into `gameday run --help`, which is what other programs
// take, too.
func helpLast(args []string) []string {
	if len(args) < 2 || args[1] != "help" {
		return args
	}
	return append(slices.Concat(args[:1], args[2:]), "--help")
}

// permute moves flags before arguments, which is where urfave/cli v2 looks for
// them, so that `gameday run NAME --json` works. What follows -- stays.
func permute(args []string, app *cli.App) []string {
	if len(args) == 0 || args[len(args)-1] == completing {
		return args
	}
	out, rest := args[:1:1], args[1:]
	commands, flags := app.Commands, app.Flags
	// Descend through the subcommands; what stands before them is theirs.
	for len(rest) > 0 {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(rest[0]) })
		if i < 0 {
			break
		}
		out, rest = append(out, rest[0]), rest[1:]
		commands, flags = commands[i].Subcommands, commands[i].Flags
	}
	var front, back []string
	for i := 0; i < len(rest); i++ {
		arg := rest[i]
		switch {
		case arg == "--":
			back = append(back, rest[i:]...)
			i = len(rest)
		case len(arg) < 2 || arg[0] != '-':
			back = append(back, arg)
		default:
			front = append(front, arg)
			if !strings.Contains(arg, "=") && takesValue(flags, strings.TrimLeft(arg, "-")) && i+1 < len(rest) {
				i++
				front = append(front, rest[i])
			}
		}
	}
	return append(append(out, front...), back...)
}

func takesValue(flags []cli.Flag, name string) bool {
	for _, f := range flags {
		if _, isBool := f.(*cli.BoolFlag); !isBool && slices.Contains(f.Names(), name) {
			return true
		}
	}
	return false
}
