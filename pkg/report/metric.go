package report

import (
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Metric is what a run observed beside its users. It changes no verdict. Times are seconds
// since the fault was ordered; since the end of the run if none was, as on its chart.
type Metric struct {
	Name   string        `json:"name"`
	Unit   string        `json:"unit,omitempty"`
	Query  string        `json:"query,omitempty"`
	Server string        `json:"server,omitempty"`
	Phases []MetricPhase `json:"phases,omitempty"` // those that have values
	// Values are at most two for each span of the chart: the lowest and the highest one. All of
	// them are in the record.
	Values   []MetricValue `json:"values,omitempty"`
	Gaps     []MetricGap   `json:"gaps,omitempty"`      // in which there was no value
	MoreGaps int           `json:"more_gaps,omitempty"` // those that are not listed

	gaps   []MetricGap   // all of them
	fault  time.Duration // since the baseline
	struck bool          // a fault was ordered
	after  bool          // and reverted
}

// MetricPhase sums the values of a metric in a phase up.
type MetricPhase struct {
	Name    string  `json:"name"`
	N       int     `json:"values"`
	Median  float64 `json:"median"`
	Lowest  float64 `json:"lowest"`
	Highest float64 `json:"highest"`
}

// MetricValue is a value at the moment of the server's answer.
type MetricValue struct {
	At    verdict.Seconds `json:"at_s"`
	Value float64         `json:"value"`
	// AfterGap says that there was a gap between the value before and this one.
	AfterGap bool `json:"after_gap,omitempty"`
}

// MetricGap is a span without a value, and why there was none.
type MetricGap struct {
	From verdict.Seconds `json:"from_s"`
	To   verdict.Seconds `json:"to_s"`
	Why  string          `json:"why"`
}

// mostGaps is how many gaps of a metric a report lists.
const mostGaps = 100

// addMetrics adds what the run observed, on the time axis of a case.
func (r *Report) addMetrics(f run.Folder, marks verdict.Marks) error {
	end, ended := f.Marks[record.MarkEnd]
	for n, declared := range f.Scenario.Observe[:min(len(f.Scenario.Observe), scenario.MostMetrics)] {
		readings, err := f.Readings(n)
		if err != nil {
			return err
		}
		lasted := time.Duration(0)
		if ended {
			lasted = end.Sub(f.Marks[record.MarkBaseline])
		}
		if len(readings) > 0 {
			lasted = max(lasted, readings[len(readings)-1].Answered)
		}
		m := Metric{Name: declared.Name, Unit: declared.Unit, fault: marks.Fault, struck: r.FaultAt != nil, after: marks.Reverted}
		if p := declared.Prometheus; p != nil {
			m.Query, m.Server = p.Query, p.Server()
		}
		all := m.read(readings, lasted)
		m.Phases = phasesOf(all, marks)
		m.Values = thin(all, widthFor(lasted))
		m.Gaps = m.gaps[:min(len(m.gaps), mostGaps)]
		m.MoreGaps = len(m.gaps) - len(m.Gaps)
		r.Metrics = append(r.Metrics, m)
	}
	return nil
}

// read finds the values and the gaps of readings; lasted is how long the run was, since the
// baseline.
func (m *Metric) read(readings []run.Reading, lasted time.Duration) (all []MetricValue) {
	last, failing := time.Duration(0), time.Duration(-1) // the last value, or the baseline; the first failure since then
	var whys []string
	gap := func(from, to time.Duration, why string) {
		m.gaps = append(m.gaps, MetricGap{verdict.Seconds(from - m.fault), verdict.Seconds(to - m.fault), why})
	}
	for _, one := range readings {
		if one.Value == nil {
			if failing < 0 {
				failing = max(one.Asked, last)
			}
			if len(all) == 0 {
				failing = 0 // there was none since the baseline began
			}
			whys = with(whys, one.Why)
			continue
		}
		late := one.Answered-last > silent(one.Answered)
		switch {
		case failing >= 0:
			gap(failing, one.Answered, joined(whys))
		case late && one.Answered-one.Asked > silent(one.Answered)/2:
			gap(last, one.Answered, "the answer took "+short(new(verdict.Seconds(one.Answered-one.Asked))))
		case late:
			gap(last, one.Answered, "it was not asked for")
		}
		all = append(all, MetricValue{verdict.Seconds(one.Answered - m.fault), *one.Value, failing >= 0 || late})
		last, failing, whys = one.Answered, -1, nil
	}
	if len(readings) == 0 && lasted > 0 {
		gap(0, lasted, "it was not asked for")
		return nil
	}
	ends := len(readings) > 0 && lasted-readings[len(readings)-1].Answered > silent(lasted)
	if ends {
		whys = append(whys, "no more answers were recorded")
	}
	switch {
	case failing >= 0:
		gap(failing, max(lasted, failing), joined(whys))
	case ends:
		gap(last, lasted, joined(whys))
	}
	return all
}

// silent is how long a run may be without a value before that is a gap: a poll may be late,
// and its answer take a moment.
func silent(at time.Duration) time.Duration { return 4 * run.ObserveEvery(at) }

// mostWhys is how many reasons for one gap a report has.
const mostWhys = 3

// with adds a reason that is not among them.
func with(whys []string, why string) []string {
	if len(whys) == mostWhys || slices.Contains(whys, why) {
		return whys
	}
	return append(whys, why)
}

// phasesOf sums the values of each phase up.
func phasesOf(all []MetricValue, marks verdict.Marks) (phases []MetricPhase) {
	inPhase := map[string][]float64{}
	for _, v := range all {
		name := verdict.PhaseFault
		switch at := v.At.Duration(); {
		case at < 0:
			name = verdict.PhaseBaseline
		case marks.Reverted && at >= marks.Revert-marks.Fault:
			name = verdict.PhaseRepair
		}
		inPhase[name] = append(inPhase[name], v.Value)
	}
	for _, name := range []string{verdict.PhaseBaseline, verdict.PhaseFault, verdict.PhaseRepair} {
		values := inPhase[name]
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		middle := values[len(values)/2]
		if len(values)%2 == 0 {
			middle = middle/2 + values[len(values)/2-1]/2
		}
		phases = append(phases, MetricPhase{Name: name, N: len(values), Median: middle, Lowest: values[0], Highest: values[len(values)-1]})
	}
	return phases
}

// thin keeps the lowest and the highest value of each span of a width, at their own moments.
func thin(all []MetricValue, width time.Duration) (kept []MetricValue) {
	broken := false // a gap since the value that was kept last
	for i := 0; i < len(all); {
		place := binOf(all[i].At.Duration(), width)
		low, high, next := i, i, i
		for ; next < len(all) && binOf(all[next].At.Duration(), width) == place; next++ {
			if all[next].Value < all[low].Value {
				low = next
			}
			if all[next].Value > all[high].Value {
				high = next
			}
		}
		for k := i; k < next; k++ {
			broken = broken || all[k].AfterGap
			if k == low || k == high {
				one := all[k]
				one.AfterGap, broken = broken, false
				kept = append(kept, one)
			}
		}
		i = next
	}
	return kept
}

// binOf is the place of a moment in spans of a width, of which one begins at the fault.
func binOf(at, width time.Duration) int {
	place := int(at / width)
	if at < 0 && at%width != 0 {
		place--
	}
	return place
}
