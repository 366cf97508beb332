package verdict

import (
	"slices"
	"time"
)

// thinWindow is the shortest window in which a closed-loop load is compared with that of
// the baseline, and thinSamples is how many samples the window expects: fewer than half of
// them come by chance in one of 20,000 windows.
const (
	thinWindow  = 5 * time.Second
	thinSamples = 50
)

// doubt is the verdict of a case whose load may hide what users would have met. Samples of
// unknown times support no verdict. A load that thinned out during the fault supports none
// that is good.
func (c Case) doubt(s *series, v Verdict) Verdict {
	if v.Outcome == Inconclusive {
		return v
	}
	if c.Undated || c.Closed && v.Outcome == Disproved && s.thinned() {
		v.Outcome, v.Reason, v.State = Inconclusive, LoadClosed, ""
	}
	return v
}

// thinned reports whether less than half of the baseline's load was sent in some window of
// the fault, outside its outages: users who wait for an answer send nothing.
func (s *series) thinned() bool {
	rate := s.baselineRate()
	if rate <= 0 {
		return true // nothing to compare with
	}
	window := min(max(thinWindow, time.Duration(thinSamples/rate*float64(time.Second))), s.end-s.marks.Fault)
	expected := rate * window.Seconds()
	if expected < MinSamples {
		return false // too short to tell
	}
	// The fewest are in a window that begins just after a sample, or at the fault.
	sends := []time.Duration{s.marks.Fault}
	for _, sample := range s.samples {
		if sample.Sent > s.marks.Fault && sample.Sent <= s.end {
			sends = append(sends, sample.Sent)
		}
	}
	outages, _ := s.outages()
	last := 0
	for i, from := range sends {
		for last+1 < len(sends) && sends[last+1] <= from+window {
			last++
		}
		if from+window <= s.end && float64(last-i) < expected/2 && !s.touched(outages, from, from+window) {
			return true
		}
	}
	return false
}

// touched reports whether an outage covers a part of a span.
func (s *series) touched(outages []outage, from, to time.Duration) bool {
	return slices.ContainsFunc(outages, func(o outage) bool {
		return s.samples[o.first].Sent < to && s.samples[o.last].Sent > from
	})
}

// baselineRate is how many samples were sent per second before the fault.
func (s *series) baselineRate() float64 {
	n, first, last := 0, time.Duration(0), time.Duration(0)
	for i := range s.samples {
		if s.phase(i) != baseline {
			continue
		}
		if n == 0 {
			first = s.samples[i].Sent
		}
		n, last = n+1, s.samples[i].Sent
	}
	if last <= first {
		return 0
	}
	return float64(n-1) / (last - first).Seconds()
}
