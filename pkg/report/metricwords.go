package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// mostGapsTold is how many gaps of a metric a line of a report has.
const mostGapsTold = 3

// joined are the reasons for one gap, in their order.
func joined(whys []string) string { return strings.Join(whys, "; then ") }

// Title is the metric's name with its unit.
func (m Metric) Title() string { return scenario.Metric{Name: m.Name, Unit: m.Unit}.Title() }

// metricFacts are the lines about what was observed beside the users.
func metricFacts(r Report, add func(name, format string, args ...any)) {
	for _, m := range r.Metrics {
		add("Metric", "%s: %s", m.Name, m.text())
	}
}

// text is what became of a metric, in one line.
func (m Metric) text() string {
	if len(m.Values) == 0 && len(m.gaps) == 1 {
		return "no value in the whole run: " + m.gaps[0].Why
	}
	var parts []string
	in := map[string]string{verdict.PhaseBaseline: "in the baseline", verdict.PhaseFault: "during the fault", verdict.PhaseRepair: "after the revert"}
	for _, name := range []string{verdict.PhaseBaseline, verdict.PhaseFault, verdict.PhaseRepair} {
		switch p, ok := m.phase(name); {
		case ok && name == verdict.PhaseBaseline:
			parts = append(parts, "median "+m.number(p.Median)+" "+in[name])
		case ok:
			parts = append(parts, m.numbers(p.Lowest, p.Highest)+" "+in[name])
		case name == verdict.PhaseBaseline || name == verdict.PhaseFault && m.struck || name == verdict.PhaseRepair && m.after:
			parts = append(parts, "no value "+in[name])
		}
	}
	parts = []string{strings.Join(parts, ", ")}
	for _, g := range m.gaps[:min(len(m.gaps), mostGapsTold)] {
		parts = append(parts, "no value from "+m.span(g)+": "+g.Why)
	}
	if more := m.gaps[min(len(m.gaps), mostGapsTold):]; len(more) > 0 {
		var sum verdict.Seconds
		for _, g := range more {
			sum += g.To - g.From
		}
		parts = append(parts, fmt.Sprintf("%d more gaps, %s in all", len(more), tenths(sum.Duration())))
	}
	return strings.Join(parts, "; ")
}

// phase is the sum of a phase, if it has values.
func (m Metric) phase(name string) (MetricPhase, bool) {
	for _, p := range m.Phases {
		if p.Name == name {
			return p, true
		}
	}
	return MetricPhase{}, false
}

// span is a gap in words.
func (m Metric) span(g MetricGap) string {
	if m.struck {
		return tenths(g.From.Duration()) + " to " + tenths(g.To.Duration()) + " after injection"
	}
	return tenths(g.From.Duration()+m.fault) + " to " + tenths(g.To.Duration()+m.fault) + " after the beginning of the baseline"
}

func tenths(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s" }

// numbers are two values with their unit.
func (m Metric) numbers(low, high float64) string {
	if figures(low) == figures(high) {
		return m.number(low)
	}
	return figures(low) + " to " + m.number(high)
}

// number is a value with its unit.
func (m Metric) number(v float64) string {
	switch m.Unit {
	case "":
		return figures(v)
	case "%":
		return figures(v) + "%"
	}
	return figures(v) + " " + m.Unit
}

// figures is a value with four significant digits, or all of those before its point.
func figures(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 1e15, abs > 0 && abs < 1e-4:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case abs >= 999.5:
		text := thousands(int(math.Round(abs)))
		if v < 0 {
			text = "-" + text
		}
		return text
	}
	return strconv.FormatFloat(rounded(v), 'f', -1, 64)
}

// rounded is a value with four significant digits.
func rounded(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64) // always a number
	return r
}

// cell is what a metric was in a span of the chart's table, since the fault.
func (m Metric) cell(from, to time.Duration) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range m.Values {
		if at := v.At.Duration(); at >= from && at < to {
			low, high = min(low, v.Value), max(high, v.Value)
		}
	}
	switch {
	case low == high:
		return figures(low)
	case low < high:
		return figures(low) + " to " + figures(high)
	}
	for _, g := range m.gaps {
		if g.From.Duration() < to && g.To.Duration() > from {
			return "no value"
		}
	}
	return ""
}
