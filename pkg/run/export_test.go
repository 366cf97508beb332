package run

import (
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Exports for tests.
type Instrument = instrument

var NewInstrument = newInstrument

func (i *instrument) Take(s record.Sample) bool { return i.take(s) }
func (i *instrument) Learn(t record.Truth)      { i.learn(t) }
func (i *instrument) Known() []record.Truth     { return i.known() }
func (i *instrument) Judge(t record.Truth, o verdict.Objective, until time.Time) Calibrated {
	return i.judge(t, o, until)
}

func (i *instrument) Voids(journey string, from, to time.Time, within time.Duration) []Span {
	return voids(i.of(journey, from, to), within)
}
