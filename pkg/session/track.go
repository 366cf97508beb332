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
	for _, n := range to {
		if !n.Tracks() {
			continue
		}
		if _, err := s.Track(context.WithoutCancel(ctx), n.To, s.outcomes(runs)); err != nil {
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
		linked := linked(o.Report, found, issues)
		if len(linked) == 0 {
			continue
		}
		saveErr := report.SaveIssues(o.Dir, linked)
		if saveErr == nil {
			saveErr = rewrite(o.Dir)
		}
		err = errors.Join(err, saveErr)
	}
	return issues, err
}

// linked are the issues of a run: those that it had, and the new ones that are about it.
func linked(r report.Report, found []report.Found, issues []report.Issue) []report.Issue {
	var mine []report.Issue
	for _, i := range issues {
		if i.URL != "" && slices.ContainsFunc(found, func(f report.Found) bool { return f.Key == i.Finding && f.Report.ID == r.ID }) {
			mine = append(mine, i)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	kept := slices.DeleteFunc(slices.Clone(r.Issues), func(old report.Issue) bool {
		return slices.ContainsFunc(mine, func(i report.Issue) bool { return i.URL == old.URL })
	})
	return append(kept, mine...)
}
