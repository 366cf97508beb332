package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// playTrials is several runs of one scenario.
func playTrials(ctx context.Context, c *cli.Context, day run.Day, view *view) error {
	var runs []report.Report
	var buildErr error
	n := c.Int("repeat")
	err := day.Hold(ctx, func(stage run.Stage) error {
		return stage.Trials(ctx, day.Scenario, n, func(dir string) bool {
			var r report.Report
			if r, buildErr = report.Build(dir); buildErr != nil {
				return false
			}
			runs = append(runs, r)
			view.progress(fmt.Sprintf("trial %d of %d: %s, %s", len(runs), n, r.Verdict.Outcome, report.Recovery(r.Verdict, r.Objective.RTO)))
			return r.Aborted == ""
		})
	})
	view.close()
	err = errors.Join(err, buildErr)
	if len(runs) == 0 {
		return notPutBack(err)
	}
	t := report.TrialsOf(runs)
	dir := filepath.Join(day.Out, runs[0].ID+"-trials")
	if writeErr := writeTrials(dir, t); writeErr != nil {
		return notPutBack(errors.Join(err, writeErr))
	}
	if c.Bool("json") {
		if err := report.Document(c.App.Writer, t); err != nil {
			return err
		}
		return ending(err, t.ExitCode())
	}
	if err := report.TrialsTerminal(c.App.Writer, t); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.App.Writer, "\nReport      %s\n", filepath.Join(dir, "trials.md")); err != nil {
		return err
	}
	return ending(err, t.ExitCode())
}

// writeTrials writes the reports of trials into a folder of their own.
func writeTrials(dir string, t report.Trials) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return errors.Join(
		writeFile(filepath.Join(dir, "trials.json"), func(w io.Writer) error { return report.Document(w, t) }),
		writeFile(filepath.Join(dir, "trials.md"), func(w io.Writer) error { return report.TrialsMarkdown(w, t) }),
	)
}
