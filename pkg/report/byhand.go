package report

import (
	"fmt"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// RecoveryOf is the recovery time of a run with its bounds, or why there is none. It says so
// if people recovered service.
func RecoveryOf(r Report) string {
	text := Recovery(r.Verdict, r.Objective.RTO)
	if r.ByHand != nil {
		text = "by people: " + text
	}
	return text
}

// byHand is how a run ended in which people recovered service.
func byHand(h run.ByHand) string {
	limit := fmt.Sprintf("gameday left the faults in force for up to %s", h.Limit)
	said := ""
	if h.At != nil {
		said = fmt.Sprintf("; %s said at %s that service has recovered", h.By, clock(*h.At))
	}
	switch h.EndedBy {
	case run.HandServed:
		return limit + ", until users were served again for the hold" + said
	case run.HandSaid:
		return limit + said + ", but users were not served for the hold"
	case run.HandLimit:
		return limit + ", and the limit was over before users were served again" + said
	}
	return limit + ", and the run ended before" + said
}

// byHandHeadline is the verdict of a run in which people recovered service. It does not say
// whether a component is a single point of failure: the run has not shown what becomes of
// service without people.
func byHandHeadline(r Report, when, rto string) string {
	switch {
	case r.Outcome == verdict.Disproved && r.State == verdict.Unaffected:
		return fmt.Sprintf("No outage: %s, there is nothing for people to recover.", when)
	case r.Outcome == verdict.Disproved:
		return fmt.Sprintf("People restore service in time: %s, it recovers in at most %s (RTO %s). Whether it recovers without them was not tested.", when, short(r.RecoveryHi), rto)
	case r.State == verdict.Late:
		return fmt.Sprintf("People restore service too late: %s, it recovers only after %s, later than the RTO of %s.", when, short(r.Recovery), rto)
	}
	return fmt.Sprintf("People do not restore service: %s, it was down for at least %s, longer than the RTO of %s.", when, short(r.AtLeast), rto)
}
