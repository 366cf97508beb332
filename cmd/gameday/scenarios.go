package main

import (
	"cmp"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/redact"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
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
				return report.Document(c.App.Writer, map[string]any{"schema": "gameday/scenarios/v1", "scenarios": listedJSON(all)})
			}
			rows := make([][]string, len(all))
			for i, s := range all {
				title := s.Title
				if s.Problem != nil {
					title = "invalid: gameday validate " + s.File + " says why"
				}
				rows[i] = []string{s.Name, cmp.Or(strings.Join(s.Kinds, ", "), "-"), cmp.Or(s.Environment, "-"), from(s), title}
			}
			return table(c.App.Writer, []string{"scenario", "faults", "environment", "from", "title"}, rows)
		},
	}
}

// from is where a scenario comes from.
func from(s scenario.Listed) string {
	if s.Bundled() {
		return "bundled"
	}
	return s.File
}

// listedScenario is a scenario as JSON shows it.
type listedScenario struct {
	Name        string   `json:"name"`
	Title       string   `json:"title,omitempty"`
	Environment string   `json:"environment,omitempty"`
	Faults      []string `json:"faults,omitempty"`
	Bundled     bool     `json:"bundled"`
	File        string   `json:"file,omitempty"`
	Problem     string   `json:"problem,omitempty"`
}

func listedJSON(all []scenario.Listed) []listedScenario {
	list := make([]listedScenario, len(all))
	for i, s := range all {
		list[i] = listedScenario{Name: s.Name, Title: s.Title, Environment: s.Environment, Faults: s.Kinds, Bundled: s.Bundled(), File: s.File}
		if s.Problem != nil {
			list[i].Problem = redact.Common().Text(s.Problem.Error())
		}
	}
	return list
}
