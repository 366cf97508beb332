package report

import (
	"fmt"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// detectionFacts are the lines about the alerts that had to fire.
func detectionFacts(d *verdict.Detection, add func(name, format string, args ...any)) {
	if d == nil {
		return
	}
	add("Detection", "%s", Detection(*d))
	for _, a := range d.Alerts {
		add("Alert", "%s: %s", a.Name, alerted(a))
	}
}

// Detection is the verdict about alerts in one sentence.
func Detection(d verdict.Detection) string {
	text := string(d.Verdict)
	switch {
	case d.Finding == verdict.UnaffectedUnnoticed:
		text += ": users were not affected, and no alert told that a component failed (" + string(d.Finding) + "): the next failure may be an outage"
	case d.Finding == verdict.NotDetected:
		text += ": no alert is declared about the faulted components (" + string(d.Finding) + ")"
	case d.Verdict == verdict.InTime:
		text += ": all expected alerts fired in time"
	case d.Verdict == verdict.DetectedLate:
		text += ": an expected alert fired after its limit"
	case d.Verdict == verdict.Missed:
		text += ": an expected alert did not fire"
	case d.Verdict == verdict.Unknown:
		text += ": whether all expected alerts fired in time could not be observed"
	}
	return text
}

// alerted is what became of one alert.
func alerted(a verdict.Alerted) string {
	limit := fmt.Sprintf(", limit %s", a.Within)
	var text string
	switch {
	case a.Verdict == verdict.Missed:
		text = "did not fire" + limit
	case a.Detected != nil:
		text = fmt.Sprintf("fired %s (%s after injection)%s", afterUsers(*a.Detected), spanOf(*a.SinceFault), limit)
	case a.SinceFault != nil:
		text = fmt.Sprintf("fired %s after injection%s", spanOf(*a.SinceFault), limit)
	}
	switch {
	case a.Verdict == verdict.Unknown && text == "":
		text = "unknown: " + a.Reason
	case a.Verdict == verdict.Unknown:
		text += "; whether in time is unknown: " + a.Reason
	case a.Finding != "":
		text += " (" + string(a.Finding) + ")"
	}
	switch {
	case a.DidNotClear:
		text += fmt.Sprintf("; still firing %s after the revert (%s)", a.ClearsWithin, verdict.DidNotClear)
	case a.Cleared != nil && a.Cleared.Hi() <= 0:
		text += "; cleared before the revert"
	case a.Cleared != nil:
		text += fmt.Sprintf("; cleared %s after the revert", spanOf(*a.Cleared))
	}
	return text
}

// afterUsers is when something happened, measured from the first failed or slow user.
func afterUsers(s verdict.Span) string {
	const first = "the first failed or slow user"
	switch {
	case s.Hi() < 0:
		return spanOf(verdict.Span{-s[1], -s[0]}) + " before " + first
	case s.Lo() < 0:
		return fmt.Sprintf("between %s before and %s after %s", -s[0], s[1], first)
	}
	return spanOf(s) + " after " + first
}

// spanOf is a time with its bounds.
func spanOf(s verdict.Span) string { return between(max(s[0], 0), s[1]) }

// alertMoments are those at which alerts began to fire.
func (r Report) alertMoments() (moments []Moment) {
	if r.Detection == nil {
		return nil
	}
	for _, a := range r.Detection.Alerts {
		if a.SinceFault != nil {
			moments = append(moments, Moment{What: "alert " + a.Name, Lo: a.SinceFault[0], Hi: a.SinceFault[1]})
		}
	}
	return moments
}
