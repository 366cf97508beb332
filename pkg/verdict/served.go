package verdict

import (
	"slices"
	"time"
)

// Served is what users met until now, of a watch that goes on until they are served again:
// [Unaffected], [Recovered] or [Late] if the verdict of a watch that ended now would have
// that state, whatever becomes of those who are under way; else "". The samples are those
// that are done by now, and the marks need no revert; see [Case.Decided].
//
// Recovered and Late say that recovery was seen and held, by objective.Within ago, and that
// users were answered until now.
//
// next is the first moment at which users may be served again, if they are not: before it,
// another look shows nothing.
func (c Case) Served(now time.Duration) (state State, next time.Duration) {
	limit := now - c.Objective.Within
	if limit-c.Marks.Fault < c.Objective.RTO {
		return "", c.Marks.Fault + c.Objective.RTO + c.Objective.Within
	}
	c.Samples = slices.DeleteFunc(slices.Clone(c.Samples), func(s Sample) bool { return s.Done() > now })
	Sort(c.Samples)
	pending := slices.DeleteFunc(underWay(c.Samples), func(u unanswered) bool { return u.earliest <= c.Marks.Fault })
	late, _ := split(pending, now, func(u unanswered) bool { return u.earliest <= limit })
	_, last := intervals(c.Samples, c.Marks.Fault, now)
	ended := c.endedAt(limit)
	s := newSeries(ended)
	outages, failback := s.outages()
	next = now
	if len(outages) > 0 {
		// Answers that are still to come may show that the outage ended earlier, by the users
		// of one window.
		next = max(s.nextHeld(outages, now)-s.objective.Window-s.objective.Within, now)
	}
	if failback || s.silent(now-last, now, s.gaps()) {
		return "", next
	}
	known := ended.judged(s)
	switch known.State {
	case Unaffected, Recovered, Late:
	case Down, Impaired:
		return "", next
	}
	if known.Outcome == Inconclusive || Judge(c.endedAt(limit, late)).State != known.State {
		return "", next
	}
	return known.State, now
}
