package run

import (
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Exports for tests.
type Instrument = instrument

var (
	NewInstrument = newInstrument
	Judged        = judgedSample
)

func (i *instrument) Take(s record.Sample) bool { return i.take(s) }
func (i *instrument) Learn(t record.Truth)      { i.learn(t) }
func (i *instrument) Known() []record.Truth     { return i.known() }
func (i *instrument) Judge(t record.Truth, o verdict.Objective, until time.Time) Calibrated {
	return i.judge(t, o, until)
}

func (i *instrument) Voids(journey string, from, to time.Time, within time.Duration) []Span {
	return voids(i.of(journey, from, to), within)
}

// NotVoid are the samples of a journey that are judged.
func (i *instrument) NotVoid(journey string, samples []verdict.Sample, within time.Duration) []verdict.Sample {
	spans := voids(i.of(journey, i.origin, i.origin.Add(verdict.MaxSpan)), within)
	return slices.DeleteFunc(samples, func(s verdict.Sample) bool { return voided(s, spans) })
}

// Early is what is known before the fault.
type Early struct{ *early }

// NewEarly is for one load.
func NewEarly(began time.Time, l probe.Load) Early {
	e := newEarly(scenario.Scenario{
		Objective: scenario.Objective{RTO: time.Second}, Load: []scenario.JourneyLoad{{Journey: l.Journey.Name, Rate: l.Rate, Critical: true}},
	})
	e.instrument = newInstrument(began)
	return Early{e}
}

func (e Early) Add(s record.Sample) {
	if !e.instrument.take(s) {
		e.add(s)
	}
}

// Refused says why the rate is refused, or "".
func (e Early) Refused(since time.Time) string {
	if reason, text := e.reason(since); reason == verdict.RateNotKept {
		return text
	}
	return ""
}

// LeftOut are the loads of a scenario whose users do not count for recovery after the revert.
func LeftOut(s scenario.Scenario) (names []string) {
	r := &conduct{plan: plan.Plan{Scenario: s}}
	for _, l := range s.Load {
		if r.leftOut(l) {
			names = append(names, l.Name())
		}
	}
	if (r.recovering() != nil) != (len(names) > 0) {
		panic("a meter of the others")
	}
	return names
}
