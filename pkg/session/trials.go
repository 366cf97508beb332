package session

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Trials are several runs of one scenario.
type Trials struct {
	Dir    string // the folder of the reports about all of them
	Report report.Trials
}

// Repeat runs a scenario n times, each time with a fault at another moment. on
// receives each trial that has ended. The result is nil if no trial got a verdict.
func (s Session) Repeat(ctx context.Context, r Request, n int, on func(trial report.Report, done int)) (*Trials, error) {
	var runs []report.Report
	err := s.with(ctx, r, func(ctx context.Context, day run.Day) error {
		return day.Hold(ctx, func(ctx context.Context, stage run.Stage) (err error) {
			runs, err = trials(ctx, stage, r.Scenario, n, on)
			return err
		})
	})
	if len(runs) == 0 {
		return nil, err
	}
	s.track(ctx, r.Environment.Notify, runs)
	t := Trials{Dir: filepath.Join(s.Out, runs[0].ID+"-trials"), Report: report.TrialsOf(runs)}
	return &t, errors.Join(err, t.write())
}

// trials plays a scenario n times on a stage, until one is aborted.
func trials(ctx context.Context, stage run.Stage, what scenario.Scenario, n int, on func(trial report.Report, done int)) (all []report.Report, err error) {
	take := func(dir string) bool {
		var r report.Report
		if r, err = report.Build(dir); err != nil {
			return false
		}
		all = append(all, r)
		on(r, len(all))
		return r.Aborted == ""
	}
	if n > 1 {
		playErr := stage.Trials(ctx, what, n, take)
		return all, errors.Join(playErr, err)
	}
	dir, err := stage.Play(ctx, what)
	if err != nil {
		return nil, err
	}
	take(dir)
	return all, err
}

// write writes the reports of trials into a folder of their own.
func (t Trials) write() error {
	if err := os.MkdirAll(t.Dir, 0o750); err != nil {
		return err
	}
	return errors.Join(
		writeReport(filepath.Join(t.Dir, "trials.json"), func(w io.Writer) error { return report.Document(w, t.Report) }),
		writeReport(filepath.Join(t.Dir, "trials.md"), func(w io.Writer) error { return report.TrialsMarkdown(w, t.Report) }),
	)
}
