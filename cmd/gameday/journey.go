package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
)

func (p program) journeyCommand() *cli.Command {
	return &cli.Command{
		Name:        "journey",
		Usage:       "import a journey, or walk one step by step",
		Subcommands: []*cli.Command{p.journeyImportCommand(), p.journeyTryCommand(), journeyReferenceCommand()},
	}
}

// triedSchema is the version of the JSON of gameday journey try.
const triedSchema = "gameday/journey-try/v1"

func (p program) journeyTryCommand() *cli.Command {
	return &cli.Command{
		Name:      "try",
		Usage:     "walk a journey once and show each step",
		ArgsUsage: "JOURNEY",
		Description: "Walks a journey in an environment, outside a game day, and shows each request and response, what was captured, " +
			"and which assertion failed. JOURNEY is a name, or the path of a file. Secrets are redacted. Exit code 1: a user was not served.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "env", Usage: "environment: `NAME` in gameday.yaml, or lab/NAME", Required: true},
			&cli.IntFlag{Name: "users", Value: 1, Usage: "number of users, ten a second; more than one are shown as a table"},
			&cli.StringFlag{Name: "from", Usage: "`PLACE` that users come from: inside or outside (default: the environment's)"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON document"},
		},
		Action: p.tryJourney,
	}
}

// maxTried is the maximum number of users who try a journey.
const maxTried = 1000

func (p program) tryJourney(c *cli.Context) error {
	name, err := one(c, "a journey")
	if err != nil {
		return err
	}
	users := c.Int("users")
	if users < 1 || users > maxTried {
		return usageError("--users %d: expected a number from 1 to %d", users, maxTried)
	}
	s, err := p.session("", nil)
	if err != nil {
		return err
	}
	var met []probe.Tried
	failed := false
	err = s.Try(c.Context, session.TryRequest{
		Journey: name, Environment: c.String("env"), Users: users, From: c.String("from"),
		Say: func(text string) { fmt.Fprintln(c.App.ErrWriter, shown(text)) },
	}, func(t probe.Tried) {
		met = append(met, t)
		failed = failed || t.Failed()
	})
	if err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		err = report.Document(c.App.Writer, map[string]any{"schema": triedSchema, "journey": name, "environment": c.String("env"), "users": met})
	case users == 1:
		err = report.Tried(c.App.Writer, met[0])
	default:
		head, rows := report.TriedTable(met)
		err = table(c.App.Writer, head, rows)
		if err == nil {
			_, err = fmt.Fprintf(c.App.Writer, "\n%d of %d users were served.\n", served(met), users)
		}
	}
	if err == nil && failed {
		return &exitError{code: session.ExitProven}
	}
	return err
}

func served(met []probe.Tried) (n int) {
	for _, t := range met {
		if !t.Failed() {
			n++
		}
	}
	return n
}

func journeyReferenceCommand() *cli.Command {
	return &cli.Command{
		Name:  "reference",
		Usage: "print all keys of a journey, with examples, as Markdown",
		Action: func(c *cli.Context) error {
			_, err := fmt.Fprint(c.App.Writer, scenario.JourneysPage())
			return err
		},
	}
}
