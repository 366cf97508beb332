package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/sweep"
)

func sweepCommand() *cli.Command {
	return &cli.Command{
		Name:  "sweep",
		Usage: "break every component that users reach, one after the other, and tell which are SPOFs",
		Description: "Each is broken, judged and put back before the next. What is known so far is in sweep.json of the sweep's folder:\n" +
			"--resume DIR goes on with an interrupted one.\n\n" + exitCodeHelp,
		Flags: append(walkFlags(),
			&cli.StringSliceFlag{Name: "fault", Value: cli.NewStringSlice("kill"), Usage: "the `KIND`s of faults, without settings"},
			&cli.StringSliceFlag{Name: "only", Usage: "only these `COMPONENT`s"},
			&cli.StringSliceFlag{Name: "except", Usage: "but not these `COMPONENT`s"},
			&cli.BoolFlag{Name: "zones", Usage: "every zone too, after the components"},
			&cli.BoolFlag{Name: "pairs", Usage: "every two of a tier at once too, after the components"},
			&cli.IntFlag{Name: "repeat", Value: 1, Usage: "so many trials of each, each with its own moment of injection; the worst decides"},
			&cli.DurationFlag{Name: "rto", Value: 10 * time.Second, Usage: "recovery time objective"},
			&cli.DurationFlag{Name: "baseline", Value: 5 * time.Second, Usage: "how long users are watched before each fault"},
			&cli.StringFlag{Name: "resume", Usage: "go on with the sweep of this `DIR`"},
			&cli.BoolFlag{Name: "json", Usage: "write sweep.json to standard output instead of the table"},
		),
		Action: sweepAction,
	}
}

func sweepAction(c *cli.Context) error {
	for _, kind := range c.StringSlice("fault") {
		if err := plainKind(kind); err != nil {
			return err
		}
	}
	w, err := newWalk(c, "sweep")
	if err != nil {
		return err
	}
	defer w.in.engine.Close()
	dir := c.String("resume")
	s := sweep.Sweep{Environment: w.in.environment.Name, Started: time.Now().UTC()}
	if dir != "" {
		if s, err = sweep.Load(dir); err != nil {
			return err
		}
		if s.Environment != w.in.environment.Name {
			return usageError("%s is a sweep of %s, and not of %s", dir, s.Environment, w.in.environment.Name)
		}
	} else {
		dir = filepath.Join(w.day.Out, run.NewID(w.in.scenario.Name, s.Started))
	}
	err = w.day.Hold(w.ctx, func(stage run.Stage) error { return w.sweep(c, stage, &s, dir) })
	w.view.close()
	if len(s.Components) == 0 && err != nil {
		return notPutBack(err)
	}
	if writeErr := writeFile(filepath.Join(dir, "sweep.md"), s.Markdown); writeErr != nil {
		return notPutBack(errors.Join(err, writeErr))
	}
	if err := showSweep(c, &s, dir); err != nil {
		return err
	}
	if err != nil {
		err = fmt.Errorf("%w\ngameday: go on with --resume %s", err, dir)
	}
	return ending(err, s.ExitCode())
}

// plainKind refuses kinds that need settings.
func plainKind(name string) error {
	text := fmt.Sprintf("version: 1\nname: x\nobjective: {rto: 30s}\nload: [{journey: x, rate: 50/s, critical: true}]\nfaults: [{%s: {target: {name: x}}}]", name)
	if _, err := scenario.Load("--fault", []byte(text), fault.Specs()); err != nil {
		return usageError("--fault %s: expected a kind that needs no settings, such as kill, crash, stop, pause or isolate (%w)", name, err)
	}
	return nil
}

// sweep draws the map, unless it goes on with an earlier one, and walks it.
func (w *walk) sweep(c *cli.Context, stage run.Stage, s *sweep.Sweep, dir string) error {
	var err error
	if len(s.Map.Nodes) == 0 {
		if s.Map, err = w.observe(5 * time.Second); err != nil {
			return err
		}
	}
	steps, err := sweep.Steps(s.Map, sweep.Choice{Kinds: c.StringSlice("fault"), Only: c.StringSlice("only"), Except: c.StringSlice("except"), Zones: c.Bool("zones"), Pairs: c.Bool("pairs")})
	if err != nil {
		return err
	}
	each := time.Duration(max(c.Int("repeat"), 1)) * (c.Duration("baseline") + c.Duration("rto") + 20*time.Second)
	left := s.Left(steps)
	w.view.progress(fmt.Sprintf("%d experiments, about %v: %s", len(left), (time.Duration(len(left)) * each).Round(time.Minute), names(left)))
	done := len(steps) - len(left)
	return s.Walk(w.ctx, dir, steps, func(ctx context.Context, step sweep.Step) ([]report.Report, error) {
		done++
		w.view.progress(fmt.Sprintf("%s %d of %d: %s of %s", share(done-1, len(steps)), done, len(steps), step.Kind, step.Node.Component))
		what, err := w.experiment(c, step)
		if err != nil {
			return nil, err
		}
		return w.trials(ctx, c, stage, step, what)
	})
}

// trials plays a step as often as was asked for, until somebody ends one.
func (w *walk) trials(ctx context.Context, c *cli.Context, stage run.Stage, step sweep.Step, what scenario.Scenario) ([]report.Report, error) {
	var all []report.Report
	var buildErr error
	take := func(folder string) bool {
		var r report.Report
		if r, buildErr = report.Build(folder); buildErr != nil {
			return false
		}
		all = append(all, r)
		w.view.progress(fmt.Sprintf("%s of %s: %s", step.Kind, step.Node.Component, r.Verdict.Outcome))
		return r.Aborted == ""
	}
	if n := c.Int("repeat"); n > 1 {
		err := stage.Trials(ctx, what, n, take)
		return all, errors.Join(err, buildErr)
	}
	folder, err := stage.Play(ctx, what)
	if err != nil {
		return nil, err
	}
	take(folder)
	return all, buildErr
}

// share is how much of a sweep is done.
func share(done, all int) string {
	const width = 20
	full := width * done / max(all, 1)
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", width-full) + "]"
}

func names(steps []sweep.Step) string {
	var all []string
	for _, s := range steps {
		if !slices.Contains(all, s.Node.Component) {
			all = append(all, s.Node.Component)
		}
	}
	return strings.Join(all, ", ")
}

// experiment is the scenario of one step, written as a person would.
func (w *walk) experiment(c *cli.Context, step sweep.Step) (scenario.Scenario, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nname: sweep-%s-%s\ntitle: %q\nenvironment: %q\n", strings.ToLower(strings.NewReplacer("_", "-", ".", "-", " + ", "-", " ", "-").Replace(step.Node.Component)), step.Kind,
		"A sweep: "+step.Kind+" of "+step.Node.Component, w.in.environment.Name)
	because := "The map predicts it: " + step.Node.Why + "."
	if !step.Node.Predicted {
		because = "The map predicts that there is another one; a sweep tries every one."
	}
	fmt.Fprintf(&b, "suspect: {component: %q, because: %q}\nobjective: {rto: %v}\nload:\n", step.Node.Component, because, c.Duration("rto"))
	for _, l := range w.in.scenario.Load {
		fmt.Fprintf(&b, "  - {journey: %q, rate: %s, critical: true}\n", l.Journey, w.rate)
	}
	b.WriteString("faults:\n")
	if step.Zone != "" {
		fmt.Fprintf(&b, "  - %s: {name: %q}\n", step.Kind, step.Zone)
	}
	for _, target := range step.Targets {
		fmt.Fprintf(&b, "  - %s: {target: {name: %q}}\n", step.Kind, target)
	}
	fmt.Fprintf(&b, "timing: {baseline: %v}\n", c.Duration("baseline"))
	return scenario.Load("sweep", []byte(b.String()), fault.Specs())
}

func showSweep(c *cli.Context, s *sweep.Sweep, dir string) error {
	if c.Bool("json") {
		return report.Document(c.App.Writer, s)
	}
	if err := s.Terminal(c.App.Writer); err != nil {
		return err
	}
	_, err := io.WriteString(c.App.Writer, "\nReport      "+filepath.Join(dir, "sweep.md")+"\n")
	return err
}
