package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// track brings the findings of runs to the trackers among the receivers. What goes wrong
// changes nothing about the runs, and is a warning.
func (s Session) track(ctx context.Context, to []scenario.Notice, runs []report.Report) {
	outcomes := s.outcomes(runs)
	for _, n := range to {
		if !n.Tracks() {
			continue
		}
		if _, err := s.Track(context.WithoutCancel(ctx), n.To, outcomes); err != nil {
			s.Warn(fmt.Errorf("could not bring the findings to their issues: %w", err))
		}
	}
}

// outcomes are runs with their folders.
func (s Session) outcomes(runs []report.Report) []Outcome {
	all := make([]Outcome, len(runs))
	for i, r := range runs {
		all[i] = Outcome{filepath.Join(s.Out, r.ID), r}
	}
	return all
}

// Track brings the findings of runs to a tracker of issues. The reports of the runs get the
// links. If several runs find the same, the issue is about one of them.
func (s Session) Track(ctx context.Context, to string, runs []Outcome) ([]report.Issue, error) {
	reports := make([]report.Report, len(runs))
	for i, o := range runs {
		reports[i] = o.Report
	}
	found := report.FindingsOfAll(reports)
	issues, err := attach.Track(ctx, to, found, filepath.Join(s.StateDir, "findings"))
	for _, o := range runs {
		mine := linked(o.Report.ID, found, issues)
		if len(mine) == 0 {
			continue
		}
		saveErr := report.AddIssues(o.Dir, mine)
		if saveErr == nil {
			saveErr = rewrite(o.Dir)
		}
		err = errors.Join(err, saveErr)
	}
	return issues, err
}

// linked are the issues that are about a run.
func linked(run string, found []report.Found, issues []report.Issue) (mine []report.Issue) {
	for _, i := range issues {
		if i.URL != "" && slices.ContainsFunc(found, func(f report.Found) bool { return f.Key == i.Finding && f.Report.ID == run }) {
			mine = append(mine, i)
		}
	}
	return mine
}
