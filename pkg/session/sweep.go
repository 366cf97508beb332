package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/sweep"
)

// SweepRequest asks for a sweep of an environment.
type SweepRequest struct {
	Request

	Choice   sweep.Choice
	RTO      time.Duration // of each experiment
	Within   time.Duration // of each experiment; 0 is the default
	Good     unit.Ratio    // of each experiment; 0 is the default
	Baseline time.Duration // of each experiment
	Until    string        // as in [scenario.Timing]; empty is [scenario.UntilDecided]
	Repeat   int           // trials of each experiment
	Resume   string        // the folder of an interrupted sweep, or ""
}

// Swept is a sweep that has found something.
type Swept struct {
	Dir   string
	Sweep sweep.Sweep

	runs []report.Report // of this process
}

// mapFor is how long a sweep looks at who talks to whom.
const mapFor = 5 * time.Second

// aroundEach is about what an experiment takes beside its baseline and its RTO.
const aroundEach = 20 * time.Second

// Sweep breaks every component of an environment in turn. The result is nil if nothing
// was found.
func (s Session) Sweep(ctx context.Context, r SweepRequest) (*Swept, error) {
	found := Swept{Dir: r.Resume, Sweep: sweep.Sweep{Environment: r.Environment.Name, Started: time.Now().UTC()}}
	if r.Resume == "" {
		found.Dir = filepath.Join(s.Out, run.NewID(r.Scenario.Name, found.Sweep.Started))
	} else {
		var err error
		if found.Sweep, err = sweep.Load(r.Resume); err != nil {
			return nil, err
		}
		if found.Sweep.Environment != r.Environment.Name {
			return nil, fmt.Errorf("%s is a sweep of %s, not of %s", r.Resume, found.Sweep.Environment, r.Environment.Name)
		}
	}
	err := s.with(ctx, r.Request, func(ctx context.Context, day run.Day) error {
		return day.Hold(ctx, func(ctx context.Context, stage run.Stage) error {
			return s.sweep(ctx, r, sweepStage{day, stage}, &found)
		})
	})
	s.track(ctx, r.Environment.Notify, found.runs) // an environment is not held while a tracker answers
	if len(found.Sweep.Components) == 0 && err != nil {
		return nil, err
	}
	if writeErr := writeReport(filepath.Join(found.Dir, "sweep.md"), func(w io.Writer) error { return found.Sweep.Markdown(w) }); writeErr != nil {
		return nil, errors.Join(err, writeErr)
	}
	if err != nil {
		err = fmt.Errorf("%w\ngameday: continue with --resume %s", err, found.Dir)
	}
	return &found, err
}

// sweepStage is an environment that is held for a sweep.
type sweepStage struct {
	day   run.Day
	stage run.Stage
}

// sweep draws the map, unless it continues an earlier sweep, and takes its steps.
func (s Session) sweep(ctx context.Context, r SweepRequest, on sweepStage, found *Swept) (err error) {
	say := func(format string, args ...any) { on.day.Observe(run.Update{Text: fmt.Sprintf(format, args...)}) }
	if len(found.Sweep.Map.Nodes) == 0 {
		if found.Sweep.Map, err = observe(ctx, on.day, mapFor); err != nil {
			return err
		}
	}
	steps, err := sweep.Steps(found.Sweep.Map, r.Choice)
	if err != nil {
		return err
	}
	repeat := max(r.Repeat, 1)
	left := found.Sweep.Left(steps)
	each := time.Duration(repeat) * (r.Baseline + r.RTO + aroundEach)
	say("%d experiments, about %v: %s", len(left), (time.Duration(len(left)) * each).Round(time.Minute), names(left))
	done := len(steps) - len(left)
	return found.Sweep.Walk(ctx, found.Dir, steps, func(ctx context.Context, step sweep.Step) ([]report.Report, error) {
		done++
		say("%s %d of %d: %s of %s", share(done-1, len(steps)), done, len(steps), step.Kind, step.Node.Component)
		what, err := s.experiment(r, step)
		if err != nil {
			return nil, err
		}
		runs, err := trials(ctx, on.stage, what, repeat, func(trial report.Report, _ int) {
			say("%s of %s: %s", step.Kind, step.Node.Component, trial.Outcome)
		})
		found.runs = append(found.runs, runs...)
		return runs, err
	})
}

// experiment is the scenario of one step, checked as a person's file is.
func (s Session) experiment(r SweepRequest, step sweep.Step) (scenario.Scenario, error) {
	what, err := step.Scenario(sweep.Experiment{
		Environment: r.Environment.Name, Load: r.Scenario.Load, RTO: r.RTO, Within: r.Within, Good: r.Good, Baseline: r.Baseline,
		Until: cmp.Or(r.Until, scenario.UntilDecided),
	}, s.Library.Kinds)
	if err != nil {
		return what, err
	}
	what, err = scenario.Checked(what, s.Library.Kinds)
	return what.In(r.Environment), err
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

// Defaults of a sweep and of a map.
const (
	DefaultRate     = "50/s"
	DefaultRTO      = 10 * time.Second
	DefaultBaseline = 5 * time.Second
	DefaultKind     = "kill"
)

// Scheduled is the request of a schedule's sweep.
func (s Session) Scheduled(environment string, what scenario.Sweep) (SweepRequest, error) {
	r := SweepRequest{
		Choice: sweep.Choice{Kinds: []string{DefaultKind}, Only: what.Only, Except: what.Except, Zones: what.Zones},
		RTO:    cmp.Or(what.RTO, DefaultRTO), Baseline: DefaultBaseline,
	}
	w := Walk{Name: scenario.SweepWord, Environment: environment}
	if err := w.Rate.UnmarshalText([]byte(cmp.Or(what.Rate, DefaultRate))); err != nil {
		return r, fmt.Errorf("rate %s: %w", what.Rate, err)
	}
	var err error
	r.Input, err = s.Bound(w)
	return r, err
}
