package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
)

func (p program) runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run a scenario and judge it",
		ArgsUsage: "SCENARIO",
		Description: "gameday simulates users on the scenario's journeys and injects the scenario's faults. The verdict says whether\n" +
			"service recovered within the recovery time objective (RTO).\n\n" +
			"SCENARIO is the name of a bundled scenario, NAME for scenarios/NAME.yaml, or a path; gameday scenarios lists the names.\n" +
			"On a terminal, gameday run without SCENARIO lets you choose one.\n" +
			"If the scenario runs in a lab that is not up, gameday starts the lab first and removes it afterwards.\n\n" + exitCodeHelp,
		Flags: append(scenarioFlags(),
			outFlag(),
			&cli.BoolFlag{Name: "json", Usage: "write verdict.json to standard output instead of the report"},
			&cli.IntFlag{Name: "repeat", Value: 1, Usage: "number of trials, each injecting at a different time; the worst verdict counts"},
			&cli.BoolFlag{Name: "keep-lab", Usage: "do not remove the lab afterwards"},
			&cli.IntFlag{Name: "logs", Usage: "save the last `N` log lines of each component"},
		),
		BashComplete: completeScenarios,
		Action:       p.runScenario,
	}
}

func scenarioFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "env", Usage: "environment to run in: `NAME` in gameday.yaml, or lab/NAME (default: the scenario's own)"},
		&cli.StringSliceFlag{Name: "set", Usage: "override a value of the scenario: `KEY=VALUE`, for example objective.rto=60s"},
	}
}

func (p program) runScenario(c *cli.Context) error {
	s, in, err := p.resolve(c)
	if err != nil {
		return err
	}
	s, request, view := watched(c, s, in)
	if err := checkRepeat(c); err != nil {
		return err
	}
	if c.Int("repeat") > 1 {
		return repeat(c, s, request, view)
	}
	o, err := s.Run(c.Context, request)
	view.close()
	if o == nil {
		return ending(err, session.ExitOK)
	}
	unprinted(c, o.Dir, show(c, o.Report, o.Dir))
	return ending(err, o.Report.ExitCode())
}

// resolve finds the scenario of a command with all that it names.
func (p program) resolve(c *cli.Context) (s session.Session, in session.Input, err error) {
	var name string
	if c.Args().Present() {
		name, err = one(c, "a scenario")
	} else {
		name, err = p.pick(c)
	}
	if err != nil {
		return s, in, err
	}
	var overrides []scenario.Override
	for _, set := range c.StringSlice("set") {
		path, value, ok := strings.Cut(set, "=")
		if !ok {
			return s, in, usageError("--set %s: expected KEY=VALUE, for example objective.rto=60s", set)
		}
		overrides = append(overrides, scenario.Override{Path: path, Value: value})
	}
	if s, err = p.session(c.String("out"), nil); err != nil {
		return s, in, err
	}
	err = untilDone(c.Context, func() error { // nothing is held yet, and the scenario may come from a pipe
		found, err := s.Find(name, c.String("env"), overrides...)
		if err == nil {
			in = found
		}
		return err
	})
	return s, in, err
}

func checkRepeat(c *cli.Context) error {
	if n := c.Int("repeat"); n < 1 {
		return usageError("--repeat %d: expected 1 or more", n)
	}
	return nil
}

// watched is a request with a view of it.
func watched(c *cli.Context, s session.Session, in session.Input) (session.Session, session.Request, *view) {
	meter := run.NewMeter(in.Scenario.Objective.Verdict())
	view := newView(c.App.ErrWriter, in.Scenario, meter)
	s.Warn = func(err error) { view.progress("warning: " + shown(err.Error())) }
	return s, session.Request{
		Input: in, Meter: meter, Observe: view.observe, KeepLab: c.Bool("keep-lab"), Logs: c.Int("logs"), Again: rerun(c, in),
		Person: newPerson(func(text string) {
			view.observe(run.Update{Event: &record.Event{At: time.Now(), Kind: record.KindNote, What: text}})
		}),
	}, view
}

// rerun is the command that does the same again.
func rerun(c *cli.Context, in session.Input) string {
	if c.Command.Name != "run" {
		return ""
	}
	// One that was picked from the list is named after its file.
	name := cmp.Or(c.Args().First(), strings.TrimSuffix(filepath.Base(in.Scenario.File), ".yaml"))
	words := []string{"gameday", "run", name}
	if env := c.String("env"); env != "" {
		words = append(words, "--env", env)
	}
	for _, set := range c.StringSlice("set") {
		words = append(words, "--set", set)
	}
	return shellescape.QuoteCommand(words)
}

// repeat runs several trials of a scenario.
func repeat(c *cli.Context, s session.Session, request session.Request, view *view) error {
	n := c.Int("repeat")
	t, err := s.Repeat(c.Context, request, n, func(trial report.Report, done int) {
		view.progress(fmt.Sprintf("trial %d of %d: %s, %s", done, n, trial.Outcome, report.RecoveryOf(trial)))
	})
	view.close()
	if t == nil {
		return ending(err, session.ExitOK)
	}
	unprinted(c, t.Dir, showTrials(c, t))
	return ending(err, t.Report.ExitCode())
}

func showTrials(c *cli.Context, t *session.Trials) error {
	if c.Bool("json") {
		return report.Document(c.App.Writer, t.Report)
	}
	if err := report.TrialsTerminal(c.App.Writer, t.Report); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.App.Writer, "\nReport      %s\n", filepath.Join(t.Dir, "trials.md"))
	return err
}

// unprinted tells why a result could not be written to standard output. It is on disk, and
// still decides the exit code.
func unprinted(c *cli.Context, dir string, err error) {
	if err != nil {
		fmt.Fprintf(c.App.ErrWriter, "gameday: the result could not be written to standard output (%v); it is in %s\n", err, dir)
	}
}

// show writes the report for a person, or the document for a program.
func show(c *cli.Context, r report.Report, dir string) error {
	if c.Bool("json") {
		return report.JSON(c.App.Writer, r)
	}
	if err := report.Terminal(c.App.Writer, r); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.App.Writer, "\nReport      %s\n", filepath.Join(dir, "report.html"))
	return err
}
