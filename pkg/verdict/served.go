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
	if first := c.firstLook(); now < first {
		return "", first
	}
	l := c.look(now)
	next = now
	if len(l.outages) > 0 {
		// Answers that are still to come may show that the outage ended earlier, by the users
		// of one window.
		next = max(l.s.nextHeld(l.outages, now)-c.Objective.Window-c.Objective.Within, now)
	}
	if l.failback || l.silent() {
		return "", next
	}
	known := l.ended.judged(l.s)
	switch known.State {
	case Unaffected, Recovered, Late:
	case Down, Impaired:
		return "", next
	}
	limit := now - c.Objective.Within
	pending := slices.DeleteFunc(underWay(l.Samples), func(u unanswered) bool { return u.earliest <= c.Marks.Fault })
	late, _ := split(pending, now, func(u unanswered) bool { return u.earliest <= limit })
	if known.Outcome == Inconclusive || Judge(l.endedAt(limit, late)).State != known.State {
		return "", next
	}
	return known.State, now
}
