package verdict

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Decision is what the samples of a watch that goes on show so far.
type Decision struct {
	// Outcome is [Proven] or [Disproved] if the watch may end now, else "".
	Outcome Outcome
	// Next is the first moment at which the watch may end, if it may not end now: before
	// it, another look shows nothing.
	Next time.Duration
}

// Decided reports whether a watch may end now, because it has what the contract demands.
// The samples are those that are done by now, and the marks need no revert.
//
// Samples that are missing in the order of sending are still under way. If they were sent
// more than objective.Within ago, they are bad. The others may become good or bad.
//
//   - [Proven]: a total outage lasted past the RTO by its lower bound, and longer by the
//     longest interval between two answers since the fault. So nothing that is under way
//     could show otherwise.
//   - [Disproved]: by objective.Within ago, the fault was in force for the RTO, and recovery
//     was seen and held. Users were answered until now, and well.
func (c Case) Decided(now time.Duration) Decision {
	limit := now - c.Objective.Within
	if limit-c.Marks.Fault < c.Objective.RTO {
		return Decision{Next: c.Marks.Fault + c.Objective.RTO + c.Objective.Within}
	}
	c.Samples = slices.DeleteFunc(slices.Clone(c.Samples), func(s Sample) bool { return s.Done() > now })
	late := underWay(c.Samples, math.MinInt64, limit) // who was sent before the fault may feel it, too
	for i := range late {
		late[i].Failed, late[i].Latency = true, now-late[i].Sent
	}
	young := underWay(c.Samples, limit, now)
	for i := range young {
		young[i].Latency = now - young[i].Sent
	}
	longest, last := intervals(c.Samples, c.Marks.Fault, now)

	s := newSeries(c.endedAt(limit))
	outages, failback := s.outages()
	switch known := Judge(c.endedAt(limit)); {
	case known.Outcome == Disproved && !failback && !s.silent(now-last, now, s.gaps()):
		// Who was answered badly since then counts, too, even if all that are under way are
		// good: now, or just in time.
		slow := slices.Clone(young)
		for i := range slow {
			slow[i].Latency = c.Objective.Within
		}
		if c.endedAt(limit, late).disproved() && c.endedAt(now, late, young).disproved() && c.endedAt(now, late, slow).disproved() {
			return Decision{Outcome: Disproved}
		}
	case known.Outcome == Proven && len(outages) > 0 && s.recovery(outages).lo > c.Objective.RTO+longest:
		if Judge(c.endedAt(now)).Outcome == Proven && Judge(c.endedAt(now, late, young)).Outcome == Proven {
			return Decision{Outcome: Proven}
		}
	}
	return Decision{Next: nextDecision(s, outages, now, longest)}
}

func (c Case) disproved() bool {
	v := Judge(c)
	return v.Outcome == Disproved && !v.Failback
}

// endedAt is a case whose watch ended at a moment, with further samples.
func (c Case) endedAt(at time.Duration, further ...[]Sample) Case {
	c.Marks.Reverted, c.Marks.Revert = true, at
	c.Samples = slices.Concat(append([][]Sample{c.Samples}, further...)...)
	return c
}

// nextDecision is the first moment at which a watch may end that may not end now.
func nextDecision(s *series, outages []outage, now, longest time.Duration) time.Duration {
	proven, disproved := now+s.objective.RTO, now
	if len(outages) > 0 {
		r := s.recovery(outages)
		proven = r.start + s.objective.RTO + longest
		disproved = now + s.objective.Hold // if it recovers now
		if r.own {
			disproved = r.at + s.objective.Hold + s.objective.Within
		}
	}
	return max(min(proven, disproved), now)
}

// intervals are the longest time between two answers that users got from the fault to now,
// edges included, and the last one.
func intervals(samples []Sample, fault, now time.Duration) (longest, last time.Duration) {
	answers := []time.Duration{fault, now}
	for _, s := range samples {
		if s.Done() > fault {
			answers = append(answers, s.Done())
		}
	}
	slices.Sort(answers)
	for i, at := range answers[1:] {
		last = at - answers[i]
		longest = max(longest, last)
	}
	return longest, last
}

// underWay are the samples that are missing in the order of sending, and were sent between
// two moments: each between the sends of its neighbours, so that it counts as sent with the
// one before it.
func underWay(samples []Sample, from, to time.Duration) (missing []Sample) {
	ordered := slices.SortedFunc(slices.Values(samples), func(a, b Sample) int { return cmp.Compare(a.Seq, b.Seq) })
	for i := 1; i < len(ordered); i++ {
		before, after := ordered[i-1], ordered[i]
		if before.Sent <= from || before.Sent > to || after.Seq <= before.Seq+1 || after.Seq-before.Seq > MaxSamples {
			continue
		}
		gap := (after.Sent - before.Sent) / time.Duration(after.Seq-before.Seq)
		for seq, at := before.Seq+1, before.Sent+gap; seq < after.Seq; seq, at = seq+1, at+gap {
			missing = append(missing, Sample{Seq: seq, Sent: at})
		}
	}
	return missing
}
