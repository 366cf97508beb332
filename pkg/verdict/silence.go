package verdict

import (
	"math"
	"slices"
	"time"
)

// quiet is the shortest gap in the load that counts as a silence.
const quiet = 250 * time.Millisecond

// Silence is a span in which nothing was sent.
type Silence struct{ From, To time.Duration }

// silences are the spans between f and end, edges included, in which the
// generator sent nothing for longer than max(250ms, 5/rate).
func (s *series) silences() []Silence {
	gaps := s.gaps()
	var found []Silence
	from := s.marks.Fault
	look := func(to time.Duration) {
		if s.silent(from, to, gaps) {
			found = append(found, Silence{from, to})
		}
	}
	for _, sample := range s.samples {
		if sample.Sent <= from {
			continue
		}
		if sample.Sent >= s.end {
			break
		}
		look(sample.Sent)
		from = sample.Sent
	}
	look(s.end)
	return found
}

// leastGaps is how many gaps at the rate the shortest silence has.
const leastGaps = 5

// gaps is how many gaps at the rate a silence has at the least. Between samples that are
// sent independently of each other, longer gaps are chance: in one of 10,000 runs there is
// one that is longer than this.
func (s *series) gaps() float64 {
	if !s.poisson {
		return leastGaps
	}
	return max(leastGaps, math.Log(10_000*max(s.expected(s.marks.Fault, s.end), 1)))
}

// silent reports whether nothing was sent for too long between two moments.
func (s *series) silent(from, to time.Duration, gaps float64) bool {
	if s.curve == nil {
		return to-from > max(quiet, s.spacing(gaps))
	}
	return to-from > quiet && s.expected(from, to) > gaps
}

// Silences are the spans between the fault and its end in which the generator sent
// nothing, as [Judge] takes them into account.
func Silences(c Case) []Silence {
	return newSeries(c).silences()
}

// judgeThroughSilence judges once if the load never stalled. If it stalled, the
// result of the missing requests is unknown. Then it judges twice, with the silence
// filled with good and with bad samples, and claims only what holds in both cases.
func (s *series) judgeThroughSilence() Verdict {
	silences := s.silences()
	if len(silences) == 0 {
		return s.judge()
	}
	if s.unfillable(silences) {
		return Verdict{Outcome: Inconclusive, Reason: LoadStalled}
	}
	best, worst := s.filled(silences, false).judge(), s.filled(silences, true).judge()
	v := worst
	v.RecoveryLo, v.FirstImpact = best.RecoveryLo, best.FirstImpact
	if best.Outcome != worst.Outcome || best.Reason != worst.Reason {
		v.Outcome, v.Reason = Inconclusive, LoadStalled
	}
	return v
}

// maxFilled limits the cost of filling silences. A record that needs more samples
// (its marks are hours away from its samples) cannot be judged.
const maxFilled = 10_000_000

func (s *series) unfillable(silences []Silence) bool {
	missing := 0.0
	for _, silence := range silences {
		missing += s.expected(silence.From, silence.To)
	}
	return s.rate <= 0 || missing > maxFilled
}

// filled is s with samples of latency 0 in every silence, at the rate. The first one
// is one gap after the start of the silence.
func (s *series) filled(silences []Silence, failed bool) *series {
	samples := slices.Clone(s.samples)
	for _, silence := range silences {
		for at := s.next(silence.From); at < silence.To; at = s.next(at) {
			samples = append(samples, Sample{Sent: at, Failed: failed})
		}
	}
	slices.SortStableFunc(samples, bySending)
	filled := *s
	filled.samples = samples
	return &filled
}

// next is one gap at the rate after a moment.
func (s *series) next(at time.Duration) time.Duration {
	return max(s.after(at, 1), at+time.Microsecond)
}
