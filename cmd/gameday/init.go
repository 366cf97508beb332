package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/charmbracelet/huh"
	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/starter"
)

func (p program) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "write the first files beside a running compose project",
		Description: "gameday looks at what runs, tries its published ports, and observes who talks to whom while a few users open the first page.\n" +
			"It writes gameday.yaml, journeys/home.yaml, and a scenario for each component that users reach. Nothing is broken.\n" +
			"Files that are there are never changed: what could be added is shown.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "project", Usage: "the compose `PROJECT` (default: the only one, or ask)"},
			&cli.StringFlag{Name: "entry", Usage: "base `URL` of the users (default: the best published port, or ask)"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the environment (default: the project's)"},
			&cli.DurationFlag{Name: "observe", Value: 5 * time.Second, Usage: "how long connections are observed; 0s: write a scenario for every service"},
			&cli.BoolFlag{Name: "yes", Usage: "ask nothing: take the best"},
			&cli.BoolFlag{Name: "json", Usage: "write one JSON document"},
		},
		Action: p.begin,
	}
}

func (p program) begin(c *cli.Context) error {
	s, err := p.session("", nil)
	if err != nil {
		return err
	}
	s, request, view := watched(c, s, session.Input{})
	defer view.close()
	r := starter.Request{
		Project: c.String("project"), Entry: c.String("entry"), Name: c.String("name"), Observe: c.Duration("observe"),
		Say: func(text string) { view.progress(text) }, Session: request,
	}
	if out, ok := asks(c); ok && !c.Bool("yes") {
		r.Choose = func(title string, options []string) (int, error) { return ask(c, out, title, options) }
	}
	result, err := starter.Begin(c.Context, s, r)
	view.close()
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return report.Document(c.App.Writer, struct {
			Schema string `json:"schema"`
			starter.Result
		}{"gameday/init/v1", result})
	}
	return began(c.App.Writer, result)
}

// ask lets the person at the terminal choose one of several.
func ask(c *cli.Context, out io.Writer, title string, options []string) (n int, err error) {
	all := make([]huh.Option[int], len(options))
	for i, text := range options {
		all[i] = huh.NewOption(text, i)
	}
	err = form(c, out, os.Stdin, huh.NewSelect[int]().Title(title).Options(all...).Height(pickHeight).Value(&n), "nothing was written")
	return n, err
}

// began says what was written, and what to do next.
func began(w io.Writer, r starter.Result) error {
	var b strings.Builder
	for _, path := range r.Wrote {
		fmt.Fprintf(&b, "wrote %s\n", path)
	}
	for _, path := range r.Kept {
		fmt.Fprintf(&b, "kept  %s, which was there\n", path)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if r.Add != "" {
		fmt.Fprintf(&b, "\n%s was not changed. To add this environment to it, put this under environments:\n\n%s", scenario.EnvironmentFile, r.Add)
	}
	if r.First != "" {
		fmt.Fprintf(&b, "\nnext: gameday journey try %s --env %s\n      gameday run %s\n", starter.Journey, r.Environment, r.First)
	}
	_, err := io.WriteString(w, shown(b.String()))
	return err
}
