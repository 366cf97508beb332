package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/lab"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target/docker"
	"github.com/gameday-dev/gameday/pkg/trace"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "break what the scenario names while users walk its journeys, and judge",
		ArgsUsage: "SCENARIO",
		Description: "SCENARIO is a bundled scenario, scenarios/NAME.yaml, or a path.\n\n" +
			"A lab that the scenario names is brought up first and taken down after, unless it is up already.\n\n" + exitCodeHelp,
		Flags: append(scenarioFlags(),
			outFlag(),
			&cli.BoolFlag{Name: "json", Usage: "write verdict.json to standard output instead of the report"},
			&cli.IntFlag{Name: "repeat", Value: 1, Usage: "so many trials, each with its own moment of injection; the worst decides"},
			&cli.BoolFlag{Name: "keep-lab", Usage: "leave the lab up"},
			&cli.IntFlag{Name: "logs", Usage: "keep so many last lines of what the broken components have said"},
		),
		BashComplete: completeScenarios,
		Action: func(c *cli.Context) error {
			in, err := resolve(c)
			if err != nil {
				return err
			}
			defer in.engine.Close()
			return play(c, in)
		},
	}
}

func scenarioFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "env", Usage: "environment to run in, instead of the scenario's: `NAME` of gameday.yaml, or lab/NAME"},
		&cli.StringSliceFlag{Name: "set", Usage: "override a value of the scenario: `KEY=VALUE`, as in objective.rto=60s"},
	}
}

// input is all that a command about a scenario rests on.
type input struct {
	scenario    scenario.Scenario
	environment scenario.Environment
	journeys    []probe.Journey
	lab         string
	engine      *docker.Environment
}

// resolve loads a scenario with all that it names, and reaches its engine.
func resolve(c *cli.Context) (in input, err error) {
	name, err := one(c, "a scenario")
	if err != nil {
		return in, err
	}
	var overrides []scenario.Override
	for _, set := range c.StringSlice("set") {
		path, value, ok := strings.Cut(set, "=")
		if !ok {
			return in, usageError("--set %s: expected KEY=VALUE, as in objective.rto=60s", set)
		}
		overrides = append(overrides, scenario.Override{Path: path, Value: value})
	}
	if in, err = bind(name, c.String("env"), overrides...); err != nil {
		return in, err
	}
	in.engine, err = openEnvironment(c.Context, in.environment)
	return in, err
}

// bind loads a scenario with all that it names.
func bind(name, env string, overrides ...scenario.Override) (input, error) {
	files := library()
	s, err := files.Scenario(name, overrides...)
	if err != nil {
		return input{}, err
	}
	return bindFiles(files, s, env)
}

// bindFiles finds the environment and the journeys that a scenario names.
func bindFiles(files scenario.Library, s scenario.Scenario, env string) (in input, err error) {
	in.scenario = s
	if env != "" {
		in.scenario.Environment = env
	}
	if in.scenario.Environment == "" {
		return in, usageError("scenario %s names no environment: give one with --env", s.Name)
	}
	if in.environment, err = files.Environment(in.scenario.Environment); err != nil {
		return in, err
	}
	if err := errors.Join(in.scenario.CheckRoles(in.environment), in.scenario.CheckLoad(in.environment)); err != nil {
		return in, err
	}
	in.lab, _ = strings.CutPrefix(in.scenario.Environment, scenario.LabPrefix)
	if in.lab == in.scenario.Environment {
		in.lab = ""
	}
	for _, l := range s.Load {
		j, err := files.Journey(in.scenario.Environment, l.Journey)
		if err != nil {
			return in, err
		}
		in.journeys = append(in.journeys, j)
	}
	return in, nil
}

func openEnvironment(ctx context.Context, env scenario.Environment) (*docker.Environment, error) {
	return docker.Open(ctx, docker.Options{Config: env.Docker, Roles: env.Roles, Protect: env.Protect})
}

// newDay is a game day with its view.
func newDay(c *cli.Context, in input) (run.Day, *view, error) {
	state, err := stateDir()
	if err != nil {
		return run.Day{}, nil, err
	}
	meter := run.NewMeter(in.scenario.Objective.Verdict())
	view := newView(c.App.ErrWriter, in.scenario, meter)
	observe := view.observe
	if w := watchingOf(c.Context); w != nil {
		observe = w.follow(meter, observe)
	}
	observe = annotated(c.Context, in, observe)
	return run.Day{
		Scenario: in.scenario, Environment: in.environment, Journeys: in.journeys, Engine: in.engine,
		Labs: lab.Labs{Files: labs.Files, Engine: in.engine.Engine, Progress: view.progress, Detail: view.detail},
		Lab:  in.lab, KeepLab: c.Bool("keep-lab"), StateDir: state, Out: c.String("out"),
		Again: rerun(c), Logs: c.Int("logs"),
		Gameday: version(), Guard: startGuard, Observe: observe, Meter: meter, Report: func(dir string) error { return writeReports(context.WithoutCancel(c.Context), dir) },
	}, view, nil
}

// rerun is the command that does the same again.
func rerun(c *cli.Context) string {
	if c.Command.Name != "run" {
		return ""
	}
	words := []string{"gameday", "run", c.Args().First()}
	if env := c.String("env"); env != "" {
		words = append(words, "--env", env)
	}
	for _, set := range c.StringSlice("set") {
		words = append(words, "--set", set)
	}
	return shellescape.QuoteCommand(words)
}

// withPerson is a context in which whoever sits at the terminal can be asked.
func withPerson(ctx context.Context, v *view) context.Context {
	if watchingOf(ctx) != nil {
		return fault.WithPerson(ctx, absent{}) // whoever sits there has not asked for this run
	}
	return fault.WithPerson(ctx, newPerson(func(text string) {
		v.observe(run.Update{Event: &record.Event{At: time.Now(), Kind: record.KindNote, What: text}})
	}))
}

// play is a game day with its view and its reports.
func play(c *cli.Context, in input) error {
	day, view, err := newDay(c, in)
	if err != nil {
		return err
	}
	ctx := withPerson(c.Context, view)
	if n := c.Int("repeat"); n > 1 {
		return playTrials(ctx, c, day, view)
	}
	notify(ctx, c.App.ErrWriter, in.environment, attach.Message{
		Event: attach.Started, Run: in.scenario.Name, Line: "a game day begins: " + in.scenario.Name + " in " + in.environment.Name,
	})
	dir, err := day.Run(ctx)
	view.close()
	if dir == "" {
		return notPutBack(err)
	}
	r, buildErr := report.Build(dir)
	if buildErr != nil {
		return notPutBack(errors.Join(err, buildErr))
	}
	if err := errors.Join(show(c, r, dir), tell(ctx, c, in, r)); err != nil {
		return err
	}
	return ending(err, r.ExitCode())
}

// tell tells of a verdict.
func tell(ctx context.Context, c *cli.Context, in input, r report.Report) error {
	m, err := attach.Of(r)
	if err == nil {
		notify(ctx, c.App.ErrWriter, in.environment, m)
	}
	return err
}

// ending is how a command ends that has a verdict.
func ending(err error, code int) error {
	if err != nil {
		return notPutBack(err)
	}
	if code != exitOK {
		return &exitError{code: code}
	}
	return nil
}

// writeFile writes a report whole or not at all. A symbolic link is replaced: the
// folder may be a stranger's.
func writeFile(path string, write func(io.Writer) error) error {
	if err := atomicfile.Write(path, 0o666, write); err != nil { // less the umask
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// notPutBack gives the loudest of all outcomes its exit code.
func notPutBack(err error) error {
	if errors.Is(err, run.ErrNotPutBack) {
		return &exitError{exitNotPutBack, fmt.Errorf("%w\ngameday: run `gameday undo` to put back what is left", err)}
	}
	if errors.Is(err, context.Canceled) {
		return &exitError{exitAborted, errors.New("ended by a person before anything was broken")}
	}
	return err
}

// writeReports writes the reports of a run into its folder, with what the
// register says of it.
func writeReports(ctx context.Context, dir string) error {
	r, err := report.Build(dir)
	if err != nil {
		return err
	}
	decisions, err := openRegister()
	if err != nil {
		return err
	}
	if r.Accepted = report.AcceptanceOf(r, decisions, time.Now()); r.Accepted != nil {
		if err := report.SaveAcceptance(dir, r.Accepted); err != nil {
			return err
		}
	}
	if err := trace.Export(ctx, r); err != nil {
		slog.Warn(err.Error()) // it changes nothing about the run
	}
	for _, f := range report.Files() {
		if err := writeFile(filepath.Join(dir, f.Name), func(w io.Writer) error { return f.Format(w, r) }); err != nil {
			return err
		}
	}
	return nil
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
