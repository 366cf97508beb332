package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// ByHand is what became of a run in which people recovered service.
type ByHand struct {
	Limit verdict.Seconds `json:"limit_s"`
	// EndedBy is why gameday ended the fault: served, said or limit; empty if something else
	// ended the run.
	EndedBy string     `json:"ended_by,omitempty"`
	By      string     `json:"said_by,omitempty"` // who said that service has recovered
	At      *time.Time `json:"said_at,omitempty"` // and when
}

// Why the watch of a run by hand ended.
const (
	HandServed = "served" // users were served again for the hold
	HandSaid   = "said"   // a person said that service has recovered, and users were not served for the hold
	HandLimit  = "limit"  // the limit was over
)

// byHand is a run in which people recover service, while it goes on.
type byHand struct {
	mu    sync.Mutex
	said  *record.Event // that service has recovered; nil if nothing was said yet
	ended map[*bound]bool
}

// recovered takes what a person says.
func (h *byHand) recovered(e record.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.said == nil {
		h.said = &e
	}
}

func (h *byHand) claim() *record.Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.said
}

// claimSlack is how long after the hold a claim is still checked: the last users must have
// their answers.
const claimSlack = 2 * time.Second

// untilRecovered leaves the faults in force until users are served again for the hold, or the
// limit is over. If a person says that service has recovered, users have the hold to show it,
// and the RTO, before which no verdict is possible. gameday then ends the fault in any case.
// Whatever ends the run, everything is undone as after any watch.
func (r *conduct) untilRecovered(ctx context.Context) error {
	limit, o := r.plan.Scenario.Undo.Limit, r.plan.Scenario.Objective.Verdict()
	r.account.ByHand = &ByHand{Limit: verdict.Seconds(limit)}
	r.event(record.KindAwaiting, "", fmt.Sprintf("people recover service: the faults stay for at most %v, or until gameday recovered", limit))
	began := time.Now()
	end, inForce := began.Add(limit), r.Clock.Now()
	defer r.askOutside(ctx)()
	for time.Now().Before(end) {
		if on, err := r.pass(ctx, began, end); !on {
			return err
		}
		looked := r.Clock.Now()
		if err := r.endedByPeople(ctx, inForce); err != nil {
			return err
		}
		inForce = looked
		if r.stopped() {
			return nil
		}
		if r.servedAgain() {
			r.account.ByHand.EndedBy = HandServed
			break
		}
		if said := r.hand.claim(); said != nil && r.account.ByHand.At == nil {
			r.account.ByHand.By, r.account.ByHand.At = said.By, &said.At
			end = earliest(end, time.Now().Add(o.Hold+claimSlack), began.Add(o.RTO+o.Within+claimSlack))
		}
	}
	switch h := r.account.ByHand; {
	case h.EndedBy == HandServed:
		r.note("users are served again for the hold: the faults are reverted now")
	case h.At != nil:
		h.EndedBy = HandSaid
		r.note(h.By + " said that service has recovered, but users were not served for the hold: the faults are reverted now")
	default:
		h.EndedBy = HandLimit
		r.note(fmt.Sprintf("people had %v: the faults are reverted now", limit))
	}
	return nil
}

// earliest is when a claim is given up: after both, and never after the limit.
func earliest(limit, hold, rto time.Time) time.Time {
	if hold.Before(rto) {
		hold = rto
	}
	if limit.Before(hold) {
		return limit
	}
	return hold
}

// endedByPeople notes once that a fault is no longer in force: here, that is what people are
// expected to do. What gameday injected is not injected again.
func (r *conduct) endedByPeople(ctx context.Context, inForce time.Time) error {
	for _, b := range r.bound {
		verifier, lasts := b.Fault.(fault.Verifier)
		if _, moment := b.Fault.(fault.Healer); !lasts || moment || r.hand.ended[b] {
			continue
		}
		err := verifier.InForce(ctx, b.handle, b.entry.State)
		if !errors.Is(err, fault.ErrNotInForce) {
			continue
		}
		if r.hand.ended == nil {
			r.hand.ended = map[*bound]bool{}
		}
		r.hand.ended[b] = true
		r.event(record.KindFault, b.Component.Name, b.Kind+" is no longer in force: people or the platform have ended it: "+err.Error())
		if err := r.mark(record.MarkLost, inForce, b.Component.Name); err != nil {
			return err
		}
	}
	return nil
}

// servedAgain reports whether users of all critical journeys are served again after an
// outage, as the verdict will see it, for the hold. Those who keep an address for ever do not
// count if there are others, as in [conduct.recovering].
func (r *conduct) servedAgain() bool {
	d, now := r.deciding, r.Clock.Now()
	if now.Before(d.next) {
		return false
	}
	started, next := time.Now(), time.Duration(0)
	served, hit := true, false
	for _, l := range r.plan.Scenario.Load {
		if !l.Critical || r.leftOut(l) {
			continue
		}
		state, again := r.caseOf(l).Served(now.Sub(d.origin))
		next = max(next, again)
		hit = hit || state == verdict.Recovered || state == verdict.Late
		served = served && (state == verdict.Recovered || state == verdict.Late || state == verdict.Unaffected)
	}
	r.nextLook(d.origin.Add(next), started)
	if !served || !hit {
		return false
	}
	// An alert that did not fire yet may still be in time.
	return len(r.plan.Scenario.ExpectAlerts) == 0 || !r.Clock.Now().Before(r.alertsUntil(r.firstBad()))
}
