package run

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// instrument is what a run knows of its own load generator: the control load and the
// calibration beside each journey.
type instrument struct {
	origin time.Time

	mu           sync.Mutex
	control      map[string][]controlled    // by the journey of the users
	calibrations map[string][]record.Sample // by their own journey
	truths       []record.Truth
}

// controlled is a sample of the control load.
type controlled struct {
	verdict.Sample

	late time.Duration
}

func newInstrument(origin time.Time) *instrument {
	return &instrument{origin: origin, control: map[string][]controlled{}, calibrations: map[string][]record.Sample{}}
}

// take keeps a sample if it is of gameday's own load, and reports whether it is.
func (i *instrument) take(s record.Sample) bool {
	name, journey, own := strings.Cut(s.Journey, "/")
	if !own || name != probe.ControlJourney && !strings.HasPrefix(name, probe.CalibrationJourney) {
		return false
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if name == probe.ControlJourney {
		i.control[journey] = append(i.control[journey], controlled{judgedSample(s, i.origin), s.Late})
	} else {
		i.calibrations[s.Journey] = append(i.calibrations[s.Journey], s)
	}
	return true
}

// learn keeps what is known of a calibration.
func (i *instrument) learn(t record.Truth) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.truths = append(i.truths, t)
}

// known are the calibrations that have ended.
func (i *instrument) known() []record.Truth {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.truths)
}

// last is the last calibration beside a journey.
func (i *instrument) last(journey string) (t record.Truth, ok bool) {
	for _, known := range i.known() {
		if known.Journey == journey {
			t, ok = known, true
		}
	}
	return t, ok
}

// of are the control samples of a journey between two moments, in the order of sending.
func (i *instrument) of(journey string, from, to time.Time) (all []controlled) {
	begin, end := from.Sub(i.origin), to.Sub(i.origin)
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, s := range i.control[journey] {
		if s.Done() > begin && s.Sent < end {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b controlled) int { return cmp.Compare(a.Sent, b.Sent) })
	return all
}

// The control load is late or bad if a user of it was served later than a quarter of
// objective.Within after the time at which the user was due, and leastSlow: what it adds to
// the latencies of users could then turn good ones into bad ones.
const (
	slowShare = 4
	leastSlow = 50 * time.Millisecond
)

func (c controlled) bad(within time.Duration) bool {
	return c.Failed || c.late+c.Latency > max(within/slowShare, leastSlow)
}

// Span is a span of a run, since the first mark of the baseline.
type Span struct{ From, To time.Duration }

// voids are the spans in which the control load was late or bad, or sent nothing. Each begins
// with the last control user before it, and ends when the late one was served. They are since
// the instrument's origin.
func voids(control []controlled, within time.Duration) (spans []Span) {
	silent := max(250*time.Millisecond, 5*probe.ControlRate().Gap())
	for n, s := range control {
		from := s.Sent - s.late
		before := from
		if n > 0 {
			before = control[n-1].Sent
		}
		if !s.bad(within) && s.Sent-before <= silent {
			continue
		}
		span := Span{min(from, before), s.Done()}
		if last := len(spans) - 1; last >= 0 && spans[last].To >= span.From {
			spans[last].To = max(spans[last].To, span.To)
			spans[last].From = min(spans[last].From, span.From)
			continue
		}
		spans = append(spans, span)
	}
	return spans
}

// voided reports whether a sample was sent or done in one of the spans: it may be the load
// generator's own.
func voided(s verdict.Sample, spans []Span) bool {
	within := func(at time.Duration) bool {
		n, _ := slices.BinarySearchFunc(spans, at, func(span Span, at time.Duration) int { return cmp.Compare(span.To, at) })
		return n < len(spans) && spans[n].From <= at
	}
	return within(s.Sent) || within(s.Done())
}

// mostOverloaded is which part of the control load may be late or bad in a baseline. If it
// is more, the declared rate is beyond what the machine can send.
const mostOverloaded = 0.1

// overloaded reports whether the control load beside a journey shows that the machine cannot
// send more since a moment, and how large the part of it is that was late or bad.
func (i *instrument) overloaded(journey string, within time.Duration, since time.Time) (share float64, is bool) {
	control := i.of(journey, since, since.Add(verdict.MaxSpan))
	if len(control) < verdict.MinSamples {
		return 0, false
	}
	bad := 0
	for _, s := range control {
		if s.bad(within) {
			bad++
		}
	}
	share = float64(bad) / float64(len(control))
	return share, share > mostOverloaded
}

// describeOverload says that a machine cannot send more than it does.
func describeOverload(journey string, share, kept float64) string {
	return fmt.Sprintf("the load generator cannot keep the rate of journey %s: %.0f%% of the control load beside it was late or bad; this machine keeps about %.0f/s of this journey",
		journey, share*100, kept)
}

// readInstrument reads what a stored run knows of its load generator. A run of a gameday
// without a control load knows nothing.
func readInstrument(dir string, origin time.Time) (*instrument, error) {
	i := newInstrument(origin)
	for s, err := range record.Samples(dir, record.InstrumentFile) {
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return i, err
		}
		i.take(s)
	}
	var err error
	i.truths, err = record.Truths(dir)
	return i, err
}

// voidSpans are the spans in which the load generator of a journey was late or bad, since the
// baseline's mark.
func (f Folder) voidSpans(journey string, origin time.Time) []Span {
	return voids(f.instrument.of(journey, origin, origin.Add(verdict.MaxSpan)), f.Scenario.Objective.Verdict().Within)
}

// Calibrations are what the calibrations of a run have shown, in the order of its journeys.
func (f Folder) Calibrations() (all []Calibrated) {
	until, ordered := f.Marks[record.MarkFault]
	if !ordered {
		until = f.Marks[record.MarkEnd]
	}
	for _, l := range f.Scenario.Load {
		if t, ok := f.instrument.last(l.Name()); ok {
			all = append(all, f.instrument.judge(t, f.Scenario.Objective.Verdict(), until))
		}
	}
	return all
}

// notCalibrated reports whether the load generator is not shown to measure what it should.
func (f Folder) notCalibrated() bool {
	all := f.Calibrations()
	_, ordered := f.Marks[record.MarkFault]
	return f.Meta.NotCalibrated != "" || slices.ContainsFunc(all, func(c Calibrated) bool { return c.Wrong != "" }) ||
		f.Meta.Calibrate == scenario.On && ordered && len(all) < len(f.Scenario.Load)
}
