package report

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Headline is the verdict in one sentence, for readers who do not know gameday. If required
// alerts decide the exit code, a second sentence says so. If users are of several kinds of
// clients, another one says what became of each.
func Headline(r Report) string {
	if r.required && r.Detection != nil && r.ExitCode() != r.recoveryCode() {
		return headline(r) + clientSentence(r) + " Alerts are required: " + Detection(*r.Detection) + "."
	}
	return headline(r) + clientSentence(r)
}

// headline is the verdict about recovery.
func headline(r Report) string {
	when := "when the fault is injected"
	if r.Suspect.Component != "" {
		when = "when " + r.Suspect.Component + " fails"
	}
	rto := r.Objective.RTO.String()
	if r.ByHand != nil && (r.Outcome == verdict.Disproved || r.Outcome == verdict.Proven && r.Reason != verdict.RPOMissed) {
		return byHandHeadline(r, when, rto)
	}
	switch r.Outcome {
	case verdict.Proven:
		return proven(r, when, rto)
	case verdict.Degraded:
		if r.Reason == verdict.ConditionNotMet {
			return notMet(r, when)
		}
		if r.State == verdict.Impaired {
			return fmt.Sprintf("Degraded, not down: %s, more users than the objective allows have failed or slow requests.", when)
		}
		return fmt.Sprintf("Partly down: %s, %s of users have failed or slow requests, and service does not recover within the RTO of %s.", when, Percent(deref(r.Severity)), rto)
	case verdict.Disproved:
		if r.State == verdict.Unaffected {
			return fmt.Sprintf("Not a single point of failure: %s, there is no outage.", when)
		}
		return fmt.Sprintf("Not a single point of failure: %s, service recovers in at most %s (RTO %s).", when, short(r.RecoveryHi), rto)
	case verdict.Aborted:
		return "Aborted: " + r.Aborted + ". The run did not finish, so it proves nothing."
	case verdict.Inconclusive:
	}
	switch r.Reason { //nolint:exhaustive // those that name a condition
	case verdict.ConditionNotSteady:
		return "Inconclusive: " + unmet(r, verdict.NotSteady) + "."
	case verdict.ConditionUnknown:
		return "Inconclusive: " + unmet(r, verdict.Unasked) + "."
	}
	switch text := r.unsteady(); {
	case text != "" && r.Reason == verdict.BaselineNotSteady:
		return "Inconclusive: " + text + "."
	case text != "" && r.Reason == verdict.InstrumentNotCalibrated:
		return "Inconclusive: " + Reason(r.Reason) + ". Besides, " + text + "."
	}
	return "Inconclusive: " + Reason(r.Reason) + "."
}

// notMet says that a condition was not met, and what is known about users.
func notMet(r Report, when string) string {
	if r.State == "" {
		return fmt.Sprintf("Not as it must be: %s, %s. Whether service recovers within the RTO was not shown.", when, unmet(r, verdict.NotMet))
	}
	return fmt.Sprintf("Not as it must be: %s, users are served, but %s.", when, unmet(r, verdict.NotMet))
}

func proven(r Report, when, rto string) string {
	switch {
	case r.Reason == verdict.RPOMissed:
		return fmt.Sprintf("Single point of failure: %s, acknowledged writes are lost (%s in this run, RPO %s).",
			when, thousands(r.Writes.Lost), r.Objective.RPO)
	case r.State == verdict.Late:
		return fmt.Sprintf("Single point of failure for this objective: %s, service recovers only after %s, later than the RTO of %s.", when, short(r.Recovery), rto)
	}
	if r.FaultAt != nil && r.Revert != nil && r.AtLeast != nil && r.AtLeast.Duration() > r.Revert.Sub(*r.FaultAt) {
		return fmt.Sprintf("Single point of failure: %s, service is down, and still down after the revert: for at least %s, longer than the RTO of %s.",
			when, short(r.AtLeast), rto)
	}
	return fmt.Sprintf("Single point of failure: %s, service is down. It did not recover by itself: it was down for at least %s, longer than the RTO of %s.",
		when, short(r.AtLeast), rto)
}

// Reason explains a reason and says what to do about it.
func Reason(reason verdict.Reason) string {
	switch reason {
	case verdict.InstrumentNotCalibrated:
		return "the load generator measured its own test outage of 1s wrongly, so its figures cannot be trusted: see the Instrument line; run again while this machine is less busy, or use a lower rate"
	case verdict.BaselineTooShort:
		return "too few users arrived before the fault: use a longer baseline or a higher rate"
	case verdict.BaselineNotSteady:
		return "users were not served within the objective before the fault: see the figures and errors of the baseline"
	case verdict.TooFewSamples:
		return "too few users arrived during the fault: use a longer watch or a higher rate"
	case verdict.ObservedLessThanRTO:
		return "the observation was shorter than the RTO: use a longer watch"
	case verdict.TooCloseToCall:
		return "the RTO lies between the bounds of the recovery time: use a higher rate to narrow the bounds"
	case verdict.HoldNotObserved:
		return "service came back, but was not observed long enough to count as recovered: use a longer watch"
	case verdict.LoadStalled:
		return "the load generator stalled, and the gap could change the verdict: give it more CPU, or use a lower rate"
	case verdict.RateNotKept:
		return "the load generator could not keep the rate, so no fault was injected: use a lower rate, or a machine with more processors"
	case verdict.LoadClosed:
		return "users of the load generator wait for answers, so the load fell when the service stalled, and what other users would have met is unknown: use an open-loop load, such as gameday run or vegeta"
	case verdict.FaultNotInForce:
		return "the fault was not in force, so nothing was tested: see the Fault line and the timeline"
	case verdict.FaultNotFelt:
		return "the fault matched no traffic, so nothing was tested: check its peer, protocol, ports and direction, or how low its rate is"
	case verdict.RPONotObserved:
		return "the RPO could not be checked: no write was acknowledged just before the fault, or some acknowledged writes could not be confirmed: use a higher rate, or check the confirm step"
	case verdict.LookUpUnproven:
		return "the RPO could not be checked: the lookup of acknowledged writes (confirm) does not find writes from well before the fault either: " +
			"check it with a journey that needs no fault, or use a baseline of more than 20s"
	case verdict.ConditionNotSteady:
		return "a condition was not met before the fault: see the Condition lines"
	case verdict.ConditionUnknown:
		return "a condition could not be asked for: see the Condition lines, and check its server"
	case verdict.ConditionNotMet:
		return "a condition was not met for longer than it allows"
	case verdict.RPOMissed:
		return "acknowledged writes were lost"
	}
	return "the measurements support no verdict"
}

// Recovery is the recovery time with its bounds, or why there is none.
func Recovery(v verdict.Verdict, rto verdict.Seconds) string {
	switch {
	case v.Recovery != nil && v.RecoveryHi != nil && *v.RecoveryHi == 0:
		return "no outage, RTO " + rto.String()
	case v.Recovery != nil:
		return fmt.Sprintf("%s (at least %s, at most %s), RTO %s", short(v.Recovery), short(v.RecoveryLo), short(v.RecoveryHi), rto)
	case v.AtLeast != nil:
		return fmt.Sprintf("not recovered: down for at least %s, RTO %s", short(v.AtLeast), rto)
	}
	return "not observed, RTO " + rto.String()
}

// short formats a duration with the precision that a report needs.
func short(s *verdict.Seconds) string {
	if s == nil {
		return "?"
	}
	d := s.Duration()
	if d >= time.Second {
		return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + "s"
	}
	return d.Round(time.Millisecond / 10).String()
}

func deref(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

// Percent is a ratio with one decimal, truncated and not rounded: only a ratio of
// 1 shows as 100%, and only a ratio of 0 shows as 0%.
func Percent(ratio float64) string {
	tenths := math.Floor(ratio*1000 + 1e-9)
	if tenths == 0 && ratio > 0 {
		return "under 0.1%"
	}
	return strconv.FormatFloat(tenths/10, 'f', -1, 64) + "%"
}

// shareOfUsers is "N of M users (P%)".
func shareOfUsers(bad, n int) string {
	if n == 0 {
		return "no users"
	}
	return fmt.Sprintf("%s of %s users (%s)", thousands(bad), thousands(n), Percent(float64(bad)/float64(n)))
}

// wereUsers is "N users were".
func wereUsers(n int) string {
	if n == 1 {
		return "1 user was"
	}
	return thousands(n) + " users were"
}

// times is how often something happened.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return thousands(n) + " times"
}

func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
