package main

import (
	"cmp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/report"
)

func (p program) scenariosCommand() *cli.Command {
	return &cli.Command{
		Name:  "scenarios",
		Usage: "list the scenarios that can be run by name",
		Description: "Your own scenarios are the files in scenarios/, below this folder and beside gameday.yaml. An own scenario replaces\n" +
			"a bundled one of the same name. Other files are run by their path.",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			all, err := p.library().List()
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return report.Document(c.App.Writer, map[string]any{"schema": "gameday/scenarios/v1", "scenarios": all})
			}
			rows := make([][]string, len(all))
			for i, s := range all {
				title := s.Title
				if s.Problem != "" {
					title = "invalid: gameday validate " + s.File + " says why"
				}
				rows[i] = []string{s.Name, cmp.Or(strings.Join(s.Kinds, ", "), "-"), cmp.Or(s.Environment, "-"), cmp.Or(s.File, "bundled"), title}
			}
			return table(c.App.Writer, []string{"scenario", "faults", "environment", "from", "title"}, rows)
		},
	}
}
