package report

import (
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Series counts users of a journey over time, in bins of equal width. The number of
// bins does not grow with the length of the run.
type Series struct {
	Journey string
	Width   time.Duration // of a bin
	Start   time.Duration // of the first bin, since the fault
	Bins    []Bin
}

// Bin counts the users who arrived in one span of time.
type Bin struct {
	Good, Slow, Failed int // Slow: a good answer, but too late
	P50, P95, P99      time.Duration
}

// Users is the number of all users of a bin.
func (b Bin) Users() int { return b.Good + b.Slow + b.Failed }

// maxBins is the largest number of bins in a picture.
const maxBins = 240

// widthFor is the smallest round width that splits a span into at most maxBins.
func widthFor(span time.Duration) time.Duration {
	for unit := 100 * time.Millisecond; ; unit *= 10 {
		for _, width := range []time.Duration{unit, 2 * unit, 5 * unit} {
			if span <= width*maxBins {
				return width
			}
		}
	}
}

// seriesOf counts the samples of a case over time. The samples must be sorted.
func seriesOf(journey string, c verdict.Case) Series {
	s := Series{Journey: journey, Width: widthFor(0)}
	if len(c.Samples) == 0 {
		return s
	}
	first, last := c.Samples[0].Sent, c.Samples[len(c.Samples)-1].Sent
	s.Width = widthFor(last - first + time.Nanosecond)
	// A bin begins at the fault, so that no bin mixes users of before and after it.
	s.Start = (first - c.Marks.Fault).Truncate(s.Width)
	if s.Start > first-c.Marks.Fault {
		s.Start -= s.Width // Truncate rounds towards zero, the fault
	}
	latencies := make([]time.Duration, 0, 1024)
	var bin Bin
	place := 0
	done := func() {
		slices.Sort(latencies)
		bin.P50, bin.P95, bin.P99 = quantile(latencies, 50), quantile(latencies, 95), quantile(latencies, 99)
		s.Bins = append(s.Bins, bin)
		bin, latencies = Bin{}, latencies[:0]
	}
	for _, sample := range c.Samples {
		at := int((sample.Sent - c.Marks.Fault - s.Start) / s.Width)
		for ; place < at; place++ {
			done()
		}
		latencies = append(latencies, sample.Latency)
		switch {
		case sample.Failed:
			bin.Failed++
		case c.Bad(sample):
			bin.Slow++
		default:
			bin.Good++
		}
	}
	done()
	return s
}

// quantile is a percentile of sorted latencies, by the nearest-rank method.
func quantile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*percent+99)/100-1, 0)]
}
