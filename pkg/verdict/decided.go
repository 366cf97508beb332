package verdict

import (
	"cmp"
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
// more than objective.Within ago, they are bad. The others may become good or bad. It is
// only known between which two others they were sent, so each decision takes for late whom
// it would suit least.
//
//   - [Proven]: a total outage lasted past the RTO by its lower bound, and longer by the
//     longest interval between two answers since the fault. So nothing that is under way
//     could show otherwise.
//   - [Disproved]: by objective.Within ago, the fault was in force for the RTO, and recovery
//     was seen and held. Users were answered until now, and well.
func (c Case) Decided(now time.Duration) Decision {
	if first := c.firstLook(); now < first {
		return Decision{Next: first}
	}
	l := c.look(now)
	switch known := l.ended.judged(l.s); {
	case known.Outcome == Disproved && !l.failback && !l.silent():
		if l.staysDisproved(now, underWay(l.Samples)) {
			return Decision{Outcome: Disproved}
		}
	case known.Outcome == Proven && len(l.outages) > 0 && l.s.recovery(l.outages).lo > c.Objective.RTO+l.longest:
		if l.staysProven(now, append(underWay(l.Samples), behind(l.Samples, now-c.Objective.Within, now)...)) {
			return Decision{Outcome: Proven}
		}
	}
	return Decision{Next: nextDecision(l.s, l.outages, now, l.longest)}
}

// look is what the samples of a watch that goes on show at a moment.
type look struct {
	Case // with the samples that are done by then, sorted

	now           time.Duration
	ended         Case    // as if the watch had ended objective.Within ago
	s             *series // of it
	outages       []outage
	failback      bool
	longest, last time.Duration // see [intervals]
}

// firstLook is the first moment at which a look can show anything: the fault was in force for
// the RTO by objective.Within ago.
func (c Case) firstLook() time.Duration {
	return c.Marks.Fault + c.Objective.RTO + c.Objective.Within
}

func (c Case) look(now time.Duration) look {
	c.Samples = slices.DeleteFunc(slices.Clone(c.Samples), func(s Sample) bool { return s.Done() > now })
	Sort(c.Samples)
	l := look{Case: c, now: now, ended: c.endedAt(now - c.Objective.Within)}
	l.s = newSeries(l.ended)
	l.outages, l.failback = l.s.outages()
	l.longest, l.last = intervals(c.Samples, c.Marks.Fault, now)
	return l
}

// silent reports whether the time without an answer until now may hide an outage.
func (l look) silent() bool { return l.s.silent(l.now-l.last, l.now, l.s.gaps()) }

// staysDisproved reports whether a watch that ends now is disproved, whatever becomes of
// those who are under way and young enough to be good.
func (c Case) staysDisproved(now time.Duration, pending []unanswered) bool {
	limit := now - c.Objective.Within
	late, young := split(pending, now, func(u unanswered) bool { return u.earliest <= limit })
	// Who was answered badly since then counts, too, even if all that are under way are
	// good: now, or just in time.
	return c.endedAt(limit, late).disproved() &&
		c.endedAt(now, late, young).disproved() &&
		c.endedAt(now, late, c.answered(young)).disproved()
}

// staysProven reports whether a watch that ends now is proven, whatever becomes of those
// who are under way: all of them good, now or just in time, every other one of them, or none.
func (c Case) staysProven(now time.Duration, pending []unanswered) bool {
	limit := now - c.Objective.Within
	late, young := split(pending, now, func(u unanswered) bool { return u.latest <= limit })
	mixed := slices.Clone(young)
	for i := range mixed {
		mixed[i].Failed = i%2 == 0
	}
	return c.endedAt(now).proven() &&
		c.endedAt(now, late, mixed).proven() &&
		c.endedAt(now, late, young).proven() &&
		c.endedAt(now, late, c.answered(young)).proven()
}

func (c Case) disproved() bool {
	v := Judge(c)
	return v.Outcome == Disproved && !v.Failback
}

func (c Case) proven() bool { return Judge(c).Outcome == Proven }

// answered are samples with an answer that was just in time.
func (c Case) answered(samples []Sample) []Sample {
	samples = slices.Clone(samples)
	for i := range samples {
		samples[i].Latency = c.Objective.Within
	}
	return samples
}

// endedAt is a case whose watch ended at a moment, with further samples.
func (c Case) endedAt(at time.Duration, further ...[]Sample) Case {
	c.Marks.Reverted, c.Marks.Revert = true, at
	if len(further) > 0 {
		c.Samples = slices.Concat(append([][]Sample{c.Samples}, further...)...)
	}
	return c
}

// nextDecision is the first moment at which a watch may end that may not end now.
func nextDecision(s *series, outages []outage, now, longest time.Duration) time.Duration {
	proven, disproved := now+s.objective.RTO, now
	if len(outages) > 0 {
		proven = s.recovery(outages).start + s.objective.RTO + longest
		disproved = s.nextHeld(outages, now)
	}
	return max(min(proven, disproved), now)
}

// nextHeld is the first moment at which recovery from the outages can have been seen and held.
func (s *series) nextHeld(outages []outage, now time.Duration) time.Duration {
	if r := s.recovery(outages); r.own {
		return r.at + s.objective.Hold + s.objective.Within
	}
	return now + s.objective.Hold // if service recovers now
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

// unanswered is a user who was sent, and is not answered yet: at some moment of a span.
type unanswered struct {
	Sample

	earliest, latest time.Duration
}

// underWay are the samples that are missing in the order of sending: each between the sends
// of its neighbours, evenly.
func underWay(samples []Sample) (missing []unanswered) {
	ordered := slices.SortedFunc(slices.Values(samples), func(a, b Sample) int { return cmp.Compare(a.Seq, b.Seq) })
	for i := 1; i < len(ordered); i++ {
		before, after := ordered[i-1], ordered[i]
		if after.Seq <= before.Seq+1 || after.Seq-before.Seq > MaxSamples {
			continue
		}
		gap := (after.Sent - before.Sent) / time.Duration(after.Seq-before.Seq)
		for seq, at := before.Seq+1, before.Sent+gap; seq < after.Seq; seq, at = seq+1, at+gap {
			missing = append(missing, unanswered{Sample{Seq: seq, Sent: at}, before.Sent, after.Sent})
		}
	}
	return missing
}

// behind are the samples that were sent after the last one that is done, if users kept
// coming as before: those of a span, by the median gap between sends.
func behind(sorted []Sample, from, to time.Duration) (missing []unanswered) {
	gap := medianGap(sorted)
	if len(sorted) < 2 || gap <= 0 {
		return nil
	}
	last := sorted[len(sorted)-1]
	for seq, at := last.Seq+1, last.Sent+gap; at < to && len(missing) < MaxSamples; seq, at = seq+1, at+gap {
		if at > from {
			missing = append(missing, unanswered{Sample{Seq: seq, Sent: at}, at, at})
		}
	}
	return missing
}

// split divides samples that are under way into those that are too late to be good, which
// failed, and the others, which are answered now.
func split(pending []unanswered, now time.Duration, isLate func(unanswered) bool) (late, young []Sample) {
	for _, u := range pending {
		u.Latency = now - u.Sent
		if u.Failed = isLate(u); u.Failed {
			late = append(late, u.Sample)
		} else {
			young = append(young, u.Sample)
		}
	}
	return late, young
}
