package report

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Headline is the verdict in a sentence that a manager understands.
func Headline(r Report) string {
	when := "when the fault strikes"
	if r.Suspect.Component != "" {
		when = "when " + r.Suspect.Component + " fails"
	}
	rto := r.Objective.RTO.String()
	switch r.Verdict.Outcome {
	case verdict.Proven:
		return proven(r, when, rto)
	case verdict.Degraded:
		if r.State == verdict.Impaired {
			return fmt.Sprintf("Not down, but not well: %s, more users than the objective allows are served badly all the while.", when)
		}
		return fmt.Sprintf("Partly down: %s, %s of users are served badly, and not well again within the RTO of %s.", when, Percent(deref(r.Severity)), rto)
	case verdict.Disproved:
		if r.State == verdict.Unaffected {
			return fmt.Sprintf("Not a single point of failure: %s, users do not notice.", when)
		}
		return fmt.Sprintf("Not a single point of failure: %s, users are served again within %s, and the RTO allows %s.", when, short(r.RecoveryHi), rto)
	case verdict.Aborted:
		return "Aborted: " + r.Aborted + ". What was seen until then claims nothing."
	case verdict.Inconclusive:
	}
	return "Inconclusive: " + Reason(r.Reason) + "."
}

func proven(r Report, when, rto string) string {
	switch {
	case r.Reason == verdict.RPOMissed:
		return fmt.Sprintf("A single point of failure: %s, acknowledged writes are lost (%s of them here), and the RPO allows %s.",
			when, thousands(r.Writes.Lost), r.Objective.RPO)
	case r.State == verdict.Late:
		return fmt.Sprintf("A single point of failure for this objective: %s, users are served again only after %s, past the RTO of %s.", when, short(r.Recovery), rto)
	}
	return fmt.Sprintf("A single point of failure: %s, users are down. They were for at least %s, past the RTO of %s, and only undoing the fault helped.",
		when, short(r.AtLeast), rto)
}

// Reason explains a reason, and what to do about it.
func Reason(reason verdict.Reason) string {
	switch reason {
	case verdict.BaselineTooShort:
		return "too few users were seen before the fault; use a longer baseline or a higher rate"
	case verdict.BaselineNotSteady:
		return "users were not served well before the fault; mend that first"
	case verdict.TooFewSamples:
		return "too few users were seen while the fault lasted"
	case verdict.ObservedLessThanRTO:
		return "the fault did not last as long as the RTO, so nobody can say what would have happened; watch for longer"
	case verdict.TooCloseToCall:
		return "the recovery time's bounds lie on both sides of the RTO; a higher rate narrows them"
	case verdict.HoldNotObserved:
		return "service came back, but was not seen to hold; watch for longer"
	case verdict.LoadStalled:
		return "the load generator was silent when it mattered; give it more room"
	case verdict.FaultNotInForce:
		return "the fault was not in force, so that nothing was tested"
	case verdict.FaultNotFelt:
		return "the fault met no traffic, so that nothing was tested"
	case verdict.RPONotObserved:
		return "no write was acknowledged, or could be looked up, when it would have told whether the RPO was met"
	case verdict.RPOMissed:
		return "acknowledged writes were lost"
	}
	return "the samples cannot tell"
}

// Recovery is the recovery time with its bounds, or why there is none.
func Recovery(v verdict.Verdict, rto verdict.Seconds) string {
	switch {
	case v.Recovery != nil && v.RecoveryHi != nil && *v.RecoveryHi == 0:
		return "none needed, RTO " + rto.String()
	case v.Recovery != nil:
		return fmt.Sprintf("%s (between %s and %s), RTO %s", short(v.Recovery), short(v.RecoveryLo), short(v.RecoveryHi), rto)
	case v.AtLeast != nil:
		return fmt.Sprintf("none seen: down for at least %s, RTO %s", short(v.AtLeast), rto)
	}
	return "not observed, RTO " + rto.String()
}

// short is a figure as a person reads it.
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

// Percent is a share with one decimal, cut off and not rounded: only all of
// them is 100%, and only none is 0%.
func Percent(ratio float64) string {
	tenths := math.Floor(ratio*1000 + 1e-9)
	if tenths == 0 && ratio > 0 {
		return "under 0.1%"
	}
	return strconv.FormatFloat(tenths/10, 'f', -1, 64) + "%"
}

// part is a share of a count, for a sentence.
func part(bad, n int) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprintf("%s of %s (%s)", thousands(bad), thousands(n), Percent(float64(bad)/float64(n)))
}

func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
