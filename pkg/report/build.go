package report

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sync/errgroup"

	"github.com/gameday-dev/gameday/internal/folder"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Build judges a stored run and builds its report.
func Build(dir string) (Report, error) {
	f, err := run.Open(dir)
	if err != nil {
		return Report{}, err
	}
	// Reading the samples of a long run takes most of the time, so both files are read
	// at once.
	var steps []*tally
	var reading errgroup.Group
	reading.Go(func() (err error) {
		steps, err = stepTallies(dir, phasingOf(f))
		return err
	})
	errs := classes{}
	late := latenessOf(f.Scenario)
	judged, cases, err := f.Judge(func(s record.Sample) { errs.add(s); late.add(s) })
	if err := errors.Join(err, reading.Wait()); err != nil {
		return Report{}, err
	}
	// The environment's events arrive late, with timestamps of its own clock.
	slices.SortStableFunc(f.Events, func(a, b record.Event) int { return a.At.Compare(b.At) })
	s := f.Scenario
	r := Report{
		Schema: Schema, ID: f.Meta.ID, Gameday: f.Meta.Gameday, Scenario: s.Name, Title: s.Title,
		Environment: f.Meta.Environment, Suspect: Suspect(s.Suspect),
		Objective: ObjectiveOf(s.Objective.Verdict(), s.Objective.RPO), Run: judged,
		Instrument: instrumentOf(f), Decided: f.Meta.Decided, NotKept: f.Meta.NotKept, Aborted: f.Meta.Aborted, Left: f.Meta.Left, Seed: f.Meta.Seed, Faults: f.Meta.Steps, Events: f.Events,
		Started: f.Meta.Started, Finished: f.Meta.Finished, Ended: f.Marks[record.MarkEnd],
		FaultAt: moment(f.Marks, record.MarkFault), Revert: moment(f.Marks, record.MarkRevert),
		People: s.People, Runbook: s.Runbook, ByHand: f.Meta.ByHand,
		Connection: f.Meta.Connection, Again: f.Meta.Again, Versions: f.Meta.Versions, resolved: f.Resolved,
	}
	r.required = s.Alerts == scenario.AlertsRequired
	if r.Detection, err = f.Detect(judged); err != nil {
		return r, err
	}
	if r.Accepted, err = loadAcceptance(dir); err != nil {
		return r, err
	}
	if r.Issues, err = loadIssues(dir); err != nil {
		return r, err
	}
	r.addLoads(cases, f.Marks)
	if len(cases) > 0 {
		if err := r.addMetrics(f, cases[0].Marks); err != nil {
			return r, err
		}
	}
	for i, l := range s.Load {
		if len(l.Stages) > 0 || l.Arrivals == probe.Poisson {
			r.Load[i].Arrivals = l.String()
		}
		r.Load[i].Lateness = late.of(l.Name())
		r.Load[i].Errors, r.Load[i].More = errs.of(r.Load[i].Journey)
	}
	r.addSteps(steps)
	if err := errors.Join(r.advise(s), r.addLogs(dir)); err != nil {
		return r, err
	}
	r.findWhy()
	return r, nil
}

// addLoads adds the figures of the journeys.
func (r *Report) addLoads(cases []run.Case, marks record.Marks) {
	for _, c := range cases {
		switch {
		case r.Revert == nil:
		case c.Journey == r.Deciding:
			r.ServedAgain = servedAgain(c.Case)
			r.stillBad = r.ServedAgain == nil
		case c.Critical && servedAgain(c.Case) == nil:
			r.others = append(r.others, c.Journey)
		}
		if c.Journey == r.Deciding {
			r.dissect(c.Case, marks)
		}
		load := LoadOf(c.Journey, c.Case)
		load.walkedBy(c.Client)
		load.Void = voidOf(c)
		load.WarmUp, load.WarmUpBad = len(c.WarmUp), count(c.WarmUp, c.Bad)
		r.Load = append(r.Load, load)
		r.series = append(r.series, seriesOf(c.Journey, c.Case))
	}
}

// LoadOf builds the figures of a journey that need no more than its samples.
func LoadOf(journey string, c verdict.Case) Load {
	l := Load{Journey: journey, Rate: c.Rate}
	l.Phases, l.before = phases(c)
	for _, silence := range verdict.Silences(c) {
		l.Silences = append(l.Silences, Silence{
			verdict.Seconds(silence.From - c.Marks.Fault), verdict.Seconds(silence.To - c.Marks.Fault),
		})
	}
	l.Retries = retries(c)
	return l
}

// count is how many samples are bad.
func count(samples []verdict.Sample, bad func(verdict.Sample) bool) (n int) {
	for _, s := range samples {
		if bad(s) {
			n++
		}
	}
	return n
}

func moment(marks record.Marks, name record.MarkName) *time.Time {
	at, ok := marks[name]
	if !ok {
		return nil
	}
	return &at
}

// servedAgain is the time from the revert to the last failed or slow request.
func servedAgain(c verdict.Case) *verdict.Seconds {
	var lastBad, last time.Duration
	for _, s := range c.Samples {
		last = max(last, s.Sent)
		if c.Bad(s) {
			lastBad = max(lastBad, s.Sent)
		}
	}
	if lastBad == last && last > 0 {
		return nil
	}
	return new(verdict.Seconds(max(lastBad-c.Marks.Revert, 0)))
}

// phases are the figures of each phase that has samples.
func phases(c verdict.Case) (figures []Figures, before beforehand) {
	phaseOf := c.PhaseOf()
	tallies := map[string]*tally{}
	current := newTally("")
	for _, s := range c.Samples {
		if name := phaseOf(s); name != current.name {
			if tallies[name] == nil {
				tallies[name] = newTally(name)
			}
			current = tallies[name]
		}
		bad := c.Bad(s)
		current.add(s.Latency, bad)
		switch {
		case !bad || current.name != verdict.PhaseBaseline:
		case s.Failed:
			before.failed++
		default:
			before.slow++
		}
	}
	for _, name := range []string{verdict.PhaseBaseline, verdict.PhaseFault, verdict.PhaseRepair} {
		if t := tallies[name]; t != nil {
			figures = append(figures, t.figures())
		}
	}
	return figures, before
}

// addLogs reads the logs of the faulted components, if they were saved.
func (r *Report) addLogs(dir string) error {
	names, err := folder.Names(dir, run.LogsDir)
	if err != nil {
		return fmt.Errorf("read the logs: %w", err)
	}
	for _, name := range names {
		component, ok := strings.CutSuffix(name, ".log")
		if !ok {
			continue
		}
		text, err := folder.ReadFile(dir, filepath.Join(run.LogsDir, name))
		if err != nil {
			return fmt.Errorf("read the logs: %w", err)
		}
		r.logs = append(r.logs, Log{component, string(text)})
	}
	return nil
}

// addSteps adds the figures of the steps.
func (r *Report) addSteps(steps []*tally) {
	for i := range r.Load {
		l := &r.Load[i]
		l.Requests = requests(l.Journey, steps)
		for _, t := range steps {
			if step, ok := cutJourney(t.name, l.Journey); ok {
				figures := t.figures()
				figures.Name = step
				l.Steps = append(l.Steps, figures)
			}
		}
	}
}

// maxSteps is the number of steps of which a report has figures. Each takes 200 kB of
// memory.
const maxSteps = 500

// stepTallies counts the steps of all journeys from the baseline on, in the order of their
// first use.
func stepTallies(dir string, p phasing) ([]*tally, error) {
	index := map[string]*tally{}
	var steps []*tally
	for s, err := range record.Samples(dir, record.StepsFile) {
		if err != nil {
			return nil, err
		}
		if err := (verdict.Sample{Latency: s.Latency}).Check(); err != nil {
			return nil, fmt.Errorf("read step %s of user %d: %w", s.Journey, s.Seq, err)
		}
		t := index[s.Journey]
		if t == nil && len(steps) == maxSteps {
			continue
		}
		if t == nil {
			t = newTally(s.Journey)
			index[s.Journey] = t
			steps = append(steps, t)
		}
		// Steps before the baseline give the order only: at its begin, slow users are in the
		// midst of theirs.
		if s.Sent.Add(s.Latency).After(p.baseline) {
			t.add(s.Latency, s.Failed())
			t.phases[p.of(s.Sent)]++
		}
	}
	return slices.DeleteFunc(steps, func(t *tally) bool { return t.n == 0 }), nil
}

func cutJourney(name, journey string) (step string, ok bool) {
	if len(name) > len(journey) && name[:len(journey)] == journey && name[len(journey)] == '/' {
		return name[len(journey)+1:], true
	}
	return "", false
}

// tally counts samples, with their latencies in a histogram: three significant
// digits, constant memory, from 1µs to 15 minutes.
type tally struct {
	name   string
	n, bad int
	hist   *hdrhistogram.Histogram
	max    time.Duration
	phases [3]int // those of n by phase, if they are counted; see [phasing]
}

func newTally(name string) *tally {
	return &tally{name: name, hist: hdrhistogram.New(1, int64(15*time.Minute/time.Microsecond), 3)}
}

//nolint:revive // flag-parameter: bad is what is counted, not a switch
func (t *tally) add(latency time.Duration, bad bool) {
	t.n++
	if bad {
		t.bad++
	}
	t.max = max(t.max, latency)
	_ = t.hist.RecordValue(min(latency.Microseconds(), t.hist.HighestTrackableValue())) // cannot be too large
}

func (t *tally) figures() Figures {
	at := func(q float64) verdict.Seconds {
		return verdict.Seconds(min(time.Duration(t.hist.ValueAtPercentile(q))*time.Microsecond, t.max))
	}
	return Figures{Name: t.name, N: t.n, Bad: t.bad, P50: at(50), P95: at(95), P99: at(99), Max: verdict.Seconds(t.max)}
}
