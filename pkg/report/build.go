package report

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Build judges a stored run and sums it up.
func Build(dir string) (Report, error) {
	f, err := run.Open(dir)
	if err != nil {
		return Report{}, err
	}
	judged, cases, err := f.Judge()
	if err != nil {
		return Report{}, err
	}
	// The environment's events come by its own clock, and late.
	slices.SortStableFunc(f.Events, func(a, b record.Event) int { return a.At.Compare(b.At) })
	s := f.Scenario
	r := Report{
		Schema: Schema, ID: f.Meta.ID, Gameday: f.Meta.Gameday, Scenario: s.Name, Title: s.Title,
		Environment: f.Meta.Environment, Suspect: Suspect(s.Suspect),
		Objective: ObjectiveOf(s.Objective.Verdict(), s.Objective.RPO), Run: judged,
		Aborted: f.Meta.Aborted, Left: f.Meta.Left, Seed: f.Meta.Seed, Faults: f.Meta.Steps, Events: f.Events,
		Started: f.Meta.Started, Finished: f.Meta.Finished, Ended: f.Marks[record.MarkEnd],
		FaultAt: moment(f.Marks, record.MarkFault), Revert: moment(f.Marks, record.MarkRevert),
	}
	if r.Accepted, err = loadAcceptance(dir); err != nil {
		return r, err
	}
	for _, c := range cases {
		if c.Journey == judged.Deciding && r.Revert != nil {
			r.ServedAgain = servedAgain(c.Case)
		}
		r.Load = append(r.Load, LoadOf(c.Journey, c.Case))
	}
	return r, r.addDetails(dir)
}

// LoadOf is what the samples of a case alone tell of a journey.
func LoadOf(journey string, c verdict.Case) Load {
	l := Load{Journey: journey, Rate: c.Rate, Phases: phases(c)}
	for _, silence := range verdict.Silences(c) {
		l.Silences = append(l.Silences, Silence{
			verdict.Seconds(silence.From - c.Marks.Fault), verdict.Seconds(silence.To - c.Marks.Fault),
		})
	}
	return l
}

func moment(marks record.Marks, name record.MarkName) *time.Time {
	at, ok := marks[name]
	if !ok {
		return nil
	}
	return &at
}

// servedAgain is when after the undoing the last badly served user came.
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
func phases(c verdict.Case) []Figures {
	phaseOf := c.PhaseOf()
	tallies := map[string]*tally{}
	for _, s := range c.Samples {
		name := phaseOf(s)
		if tallies[name] == nil {
			tallies[name] = newTally(name)
		}
		tallies[name].add(s.Latency, c.Bad(s))
	}
	var figures []Figures
	for _, name := range []string{verdict.PhaseBaseline, verdict.PhaseFault, verdict.PhaseRepair} {
		if t := tallies[name]; t != nil {
			figures = append(figures, t.figures())
		}
	}
	return figures
}

// addDetails adds what only the stored samples tell: steps, and errors.
func (r *Report) addDetails(dir string) error {
	steps, err := stepTallies(dir)
	if err != nil {
		return err
	}
	classes, err := errorClasses(dir)
	if err != nil {
		return err
	}
	for i := range r.Load {
		l := &r.Load[i]
		for _, t := range steps {
			if step, ok := cutJourney(t.name, l.Journey); ok {
				figures := t.figures()
				figures.Name = step
				l.Steps = append(l.Steps, figures)
			}
		}
		for _, c := range slices.SortedFunc(maps.Values(classes[l.Journey]), byCount) {
			l.Errors = append(l.Errors, *c)
		}
	}
	return nil
}

// stepTallies counts the steps of all journeys, in the order in which they
// were first taken.
func stepTallies(dir string) ([]*tally, error) {
	index := map[string]*tally{}
	var steps []*tally
	for s, err := range record.Samples(dir, record.StepsFile) {
		if err != nil {
			return nil, err
		}
		t := index[s.Journey]
		if t == nil {
			t = newTally(s.Journey)
			index[s.Journey] = t
			steps = append(steps, t)
		}
		t.add(s.Latency, s.Failed())
	}
	return steps, nil
}

// errorClasses counts the failed samples of every journey by their error.
func errorClasses(dir string) (map[string]map[string]*Class, error) {
	classes := map[string]map[string]*Class{}
	for s, err := range record.Samples(dir, record.SamplesFile) {
		if err != nil {
			return nil, err
		}
		if s.Error == "" {
			continue
		}
		of := classes[s.Journey]
		if of == nil {
			of = map[string]*Class{}
			classes[s.Journey] = of
		}
		c := of[s.Error]
		if c == nil {
			c = &Class{Error: s.Error, First: s.Sent}
			of[s.Error] = c
		}
		c.N++
		if s.Sent.Before(c.First) {
			c.First = s.Sent
		}
	}
	return classes, nil
}

func cutJourney(name, journey string) (step string, ok bool) {
	if len(name) > len(journey) && name[:len(journey)] == journey && name[len(journey)] == '/' {
		return name[len(journey)+1:], true
	}
	return "", false
}

func byCount(a, b *Class) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Error, b.Error)) }

// tally counts samples, with their latencies in a histogram: to three digits,
// in constant memory, from a microsecond to a quarter of an hour.
type tally struct {
	name   string
	n, bad int
	hist   *hdrhistogram.Histogram
	max    time.Duration
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
