package run

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// polls are the answers to a question, as pkg/verdict takes them.
func (f Folder) polls(of string, n int) ([]verdict.Poll, error) {
	origin := f.Marks[record.MarkBaseline]
	var all []verdict.Poll
	for _, p := range f.Polls {
		if p.Of != of || p.N != n {
			continue
		}
		judged := verdict.Poll{Asked: p.Asked.Sub(origin), Answered: p.Answered.Sub(origin), Known: p.Holds != nil, Holds: p.Holds != nil && *p.Holds, Why: p.Why}
		for _, at := range []time.Duration{judged.Asked, judged.Answered} {
			if err := verdict.CheckMoment(at); err != nil {
				return nil, fmt.Errorf("read run %s: %s: %s %d was asked at %s: %w", filepath.Base(f.Dir), record.PollsFile, of, n, p.Asked.Format(time.RFC3339Nano), err)
			}
		}
		all = append(all, judged)
	}
	return all, nil
}

// Detect judges whether the declared alerts told of the fault; nil if none is declared.
// judged is what [Folder.Judge] found.
func (f Folder) Detect(judged verdict.Run) (*verdict.Detection, error) {
	marks := f.marks(f.Marks[record.MarkBaseline])
	d := verdict.Detecting{Aside: len(f.Meta.AlertsAside), Fault: marks.Fault}
	for n, a := range f.Scenario.ExpectAlerts {
		if slices.Contains(f.Meta.AlertsAside, n) {
			continue
		}
		polls, err := f.polls(record.PollAlert, n)
		if err != nil {
			return nil, err
		}
		d.Expected = append(d.Expected, verdict.Expected{Name: a.Name, Within: a.Within, ClearsWithin: a.ClearsWithin, Polls: polls})
	}
	for _, j := range judged.Journeys {
		if j.FirstImpact == nil {
			continue
		}
		if at := marks.Fault + j.FirstImpact.Duration(); d.FirstBad == nil || at < *d.FirstBad {
			d.FirstBad = &at
		}
	}
	if marks.Reverted {
		d.Revert = &marks.Revert
	}
	_, ordered := f.Marks[record.MarkFault]
	d.Struck = ordered && (d.FirstBad != nil || !f.Meta.NotInForce && !f.Meta.NotFelt)
	d.Unaffected = judged.State == verdict.Unaffected && d.FirstBad == nil
	return verdict.Detect(d), nil
}
