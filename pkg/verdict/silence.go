package verdict

import (
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
	limit := max(quiet, s.spacing(5))
	var found []Silence
	from := s.marks.Fault
	look := func(to time.Duration) {
		if to-from > limit {
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

// Silences are the spans between the fault and its end in which the generator sent
// nothing, as [Judge] takes them into account.
func Silences(c Case) []Silence {
	return newSeries(c.Samples, c.Marks, c.Objective, c.Rate).silences()
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
	var total time.Duration
	for _, silence := range silences {
		total += silence.To - silence.From
	}
	return s.rate <= 0 || total.Seconds()*s.rate > maxFilled
}

// filled is s with samples of latency 0 in every silence, at the rate. The first one
// is one gap after the start of the silence.
func (s *series) filled(silences []Silence, failed bool) *series {
	gap := max(s.spacing(1), time.Microsecond)
	samples := slices.Clone(s.samples)
	for _, silence := range silences {
		for at := silence.From + gap; at < silence.To; at += gap {
			samples = append(samples, Sample{Sent: at, Failed: failed})
		}
	}
	slices.SortStableFunc(samples, bySending)
	filled := *s
	filled.samples = samples
	return &filled
}
