package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/skeleton"
)

func (p program) newCommand() *cli.Command {
	return &cli.Command{
		Name:  "new",
		Usage: "write a commented scenario or journey to start from",
		Description: "The file goes to scenarios/ or journeys/ beside gameday.yaml, or in this folder if there is none. It is valid as it is.\n" +
			"Nothing is overwritten.",
		Subcommands: []*cli.Command{
			{Name: "scenario", Usage: "write scenarios/NAME.yaml", ArgsUsage: "NAME", Action: p.write(skeleton.Scenario)},
			{Name: "journey", Usage: "write journeys/NAME.yaml", ArgsUsage: "NAME", Action: p.write(skeleton.Journey)},
		},
	}
}

func (p program) write(do func(scenario.Library, string) (skeleton.Written, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		name, err := one(c, "a name")
		if err != nil {
			return err
		}
		w, err := do(p.library(), name)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(c.App.Writer, shown(fmt.Sprintf("wrote %s\nnext: edit it, then run %s", w.Path, w.Next)))
		return err
	}
}
