package run

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// caseOf is the case of a journey, without its samples.
func caseOf(s scenario.Scenario, l scenario.JourneyLoad, marks verdict.Marks) verdict.Case {
	return verdict.Case{
		Marks: marks, Objective: s.Objective.Verdict(), Rate: l.Rate.PerSecond(),
		Stages: probe.Ramp(l.Rate, l.Stages), Poisson: l.Arrivals == probe.Poisson,
	}
}

// judgedPoll is a poll as pkg/verdict takes it.
func judgedPoll(p record.Poll, origin time.Time) verdict.Poll {
	return verdict.Poll{Asked: p.Asked.Sub(origin), Answered: p.Answered.Sub(origin), Known: p.Holds != nil, Holds: p.Holds != nil && *p.Holds, Why: p.Why}
}

// polls are the answers to a question.
func (f Folder) polls(of string, n int) ([]verdict.Poll, error) {
	var all []verdict.Poll
	for _, p := range f.Polls {
		if p.Of != of || p.N != n {
			continue
		}
		if _, _, err := f.moments(p); err != nil {
			return nil, err
		}
		all = append(all, judgedPoll(p, f.Marks[record.MarkBaseline]))
	}
	return all, nil
}

// moments are when a poll was asked and answered, since the baseline's mark.
func (f Folder) moments(p record.Poll) (asked, answered time.Duration, err error) {
	origin := f.Marks[record.MarkBaseline]
	asked, answered = p.Asked.Sub(origin), p.Answered.Sub(origin)
	for _, at := range []time.Duration{asked, answered} {
		if err := verdict.CheckMoment(at); err != nil {
			return 0, 0, fmt.Errorf("read run %s: %s: %s %d was asked at %s: %w", filepath.Base(f.Dir), record.PollsFile, p.Of, p.N, p.Asked.Format(time.RFC3339Nano), err)
		}
	}
	return asked, answered, nil
}

// conditions judges the declared conditions.
func (f Folder) conditions() (all []verdict.Conditioned, err error) {
	if len(f.Scenario.Must) == 0 {
		return nil, nil
	}
	origin := f.Marks[record.MarkBaseline]
	marks := f.marks(origin)
	_, struck := f.Marks[record.MarkFault]
	m := verdict.Conditioning{Struck: struck, Fault: marks.Fault, End: verdict.MaxSpan}
	if at, ok := f.Marks[record.MarkEnd]; ok {
		m.End = at.Sub(origin)
	}
	if marks.Reverted {
		m.Revert = &marks.Revert
	}
	for n, c := range f.Scenario.Must {
		polls, err := f.polls(record.PollCondition, n)
		if err != nil {
			return nil, err
		}
		all = append(all, m.Judge(verdict.Condition{Name: c.Title(), During: c.WhenMet(), AgainWithin: c.AgainWithin, Polls: polls}))
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
	d.Unaffected = d.FirstBad == nil && slices.ContainsFunc(judged.Journeys, func(j verdict.Journey) bool {
		return j.Name == judged.Deciding && j.State == verdict.Unaffected // whatever conditions made of it
	})
	return verdict.Detect(d), nil
}
