package verdict

import (
	"math"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/internal/ramp"
)

// phase is the part of the experiment that a sample belongs to.
type phase uint8

const (
	baseline phase = iota // done by f
	fault                 // done after f and sent before end
	repair                // the rest
)

// phaseOf is the phase of a sample. end is v, or the last send if nothing was reverted.
func phaseOf(s Sample, f, end time.Duration) phase {
	switch {
	case s.Done() <= f:
		return baseline
	case s.Sent < end:
		return fault
	}
	return repair
}

// series is the samples of one journey, sorted by send time, with the case's
// parameters.
type series struct {
	objective Objective
	marks     Marks
	samples   []Sample
	rate      float64       // samples per second, declared or estimated
	curve     *ramp.Curve   // the rate since f, if it changes
	poisson   bool          // samples are sent independently of each other
	end       time.Duration // v, or the last send
}

// newSeries sorts a copy of the samples. If the rate is 0, it estimates the rate as one
// over the median gap between sends.
func newSeries(c Case) *series {
	samples := c.Samples
	if !sorted(samples) {
		samples = slices.Clone(samples)
		Sort(samples)
	}
	rate := c.Rate
	if rate <= 0 {
		rate = medianRate(samples)
	}
	s := &series{objective: c.Objective, marks: c.Marks, samples: samples, rate: rate, poisson: c.Poisson, end: c.Marks.Revert}
	if len(c.Stages) > 0 && rate > 0 {
		s.curve = new(ramp.New(rate, c.Stages))
	}
	if !c.Marks.Reverted && len(samples) > 0 {
		s.end = samples[len(samples)-1].Sent
	}
	return s
}

// spacing is the length of n gaps between sends at the rate.
func (s *series) spacing(n float64) time.Duration {
	if s.rate <= 0 {
		return 0
	}
	return time.Duration(math.Round(n * float64(time.Second) / s.rate))
}

// windowed is how many samples a window holds at the least, at the rate.
const windowed = 10

// window is the beginning of W' before a send: the objective's window, or longer so that
// it holds ten samples at the rate of its time. A later send has no earlier window.
func (s *series) window(sent time.Duration) time.Duration {
	return min(sent-s.objective.Window, s.after(sent, -windowed))
}

// expected is how many samples are sent between two moments at the rate.
func (s *series) expected(from, to time.Duration) float64 {
	if s.curve == nil {
		return s.rate * (to - from).Seconds()
	}
	return s.curve.Users(to-s.marks.Fault) - s.curve.Users(from-s.marks.Fault)
}

// after is when n samples have been sent since a moment at the rate.
func (s *series) after(from time.Duration, n float64) time.Duration {
	if s.curve == nil {
		return from + s.spacing(n)
	}
	return s.marks.Fault + s.curve.At(s.curve.Users(from-s.marks.Fault)+n)
}

func (s *series) phase(i int) phase { return phaseOf(s.samples[i], s.marks.Fault, s.end) }

func (s *series) bad(i int) bool {
	return s.samples[i].Failed || s.samples[i].Latency > s.objective.Within
}

// count is the number of samples of a phase, and of the bad ones among them.
func (s *series) count(of phase) (n, bad int) {
	for i := range s.samples {
		if s.phase(i) != of {
			continue
		}
		n++
		if s.bad(i) {
			bad++
		}
	}
	return n, bad
}

// breaching finds the samples that are part of a breach, as sorted indices: the bad
// ones in every window of W' in which more than a(n) of n samples are bad. It uses
// only samples whose phase satisfies in, so that no window reaches from the baseline
// into the fault.
func (s *series) breaching(in func(phase) bool) []int {
	var (
		allowance = s.allowances()
		found     []int
		seen      []int // samples, of which the current window is the end
		first     int   // where the window begins
		bad       int   // the number of bad ones in it
		marked    = -1  // bad samples up to this index are already in found
	)
	for j := range s.samples {
		if !in(s.phase(j)) {
			continue
		}
		seen, first = forget(seen, first)
		seen = append(seen, j)
		if s.bad(j) {
			bad++
		}
		for begins := s.window(s.samples[j].Sent); s.samples[seen[first]].Sent <= begins; first++ {
			if s.bad(seen[first]) {
				bad--
			}
		}
		inside := seen[first:]
		if bad <= allowance(len(inside)) {
			continue
		}
		from, _ := slices.BinarySearch(inside, marked+1)
		for _, i := range inside[from:] {
			if s.bad(i) {
				found = append(found, i)
			}
		}
		marked = j
	}
	return found
}

// forget drops what is before a window once that is most of it, so that it does not grow
// without bound.
func forget(seen []int, first int) ([]int, int) {
	if first <= len(seen)/2 {
		return seen, first
	}
	return seen[:copy(seen, seen[first:])], 0
}

// allowances is a(n) for this objective, cached: most windows hold the same number
// of samples.
func (s *series) allowances() func(n int) int {
	cache := map[int]int{}
	last, lastK := 0, Allowance(0, s.objective.Good)
	return func(n int) int {
		if n == last {
			return lastK
		}
		k, ok := cache[n]
		if !ok {
			if len(cache) >= 100_000 { // the windows grow and grow
				clear(cache)
			}
			k = Allowance(n, s.objective.Good)
			cache[n] = k
		}
		last, lastK = n, k
		return k
	}
}
