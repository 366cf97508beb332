package report

import (
	"fmt"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// conditionFacts are the lines about the conditions that must be met.
func conditionFacts(r Report, add func(name, format string, args ...any)) {
	if text := servedThen(r); text != "" {
		add("Restored", "%s", text)
	}
	for _, c := range r.Conditions {
		add("Condition", "%s: %s", c.Name, conditioned(c))
	}
}

// conditioned is what became of one condition.
func conditioned(c verdict.Conditioned) string {
	text := map[verdict.Met]string{
		verdict.IsMet: "met", verdict.NotMet: "NOT MET", verdict.NotSteady: "not met before the fault", verdict.Unasked: "unknown",
	}[c.Verdict]
	if c.Verdict == verdict.IsMet && c.BrokenAt != nil {
		text = "met in time"
	}
	switch {
	case c.BrokenAt != nil && c.Again != nil && c.Broken != nil:
		text += fmt.Sprintf(": not met since %s after injection, met again after %s; for %s", spanOf(*c.BrokenAt), spanOf(*c.Again), spanOf(*c.Broken))
	case c.BrokenAt != nil:
		text += fmt.Sprintf(": not met since %s after injection, to the end", spanOf(*c.BrokenAt))
	}
	if c.BrokenAt != nil && c.AgainWithin > 0 {
		text += fmt.Sprintf(" (%s allowed)", c.AgainWithin)
	}
	if c.Reason != "" {
		text += "; " + c.Reason
	}
	return text
}

// servedThen is when service recovered and when the last condition was met again, in one
// sentence; "" unless both were seen.
func servedThen(r Report) string {
	if r.SinceFault == nil {
		return ""
	}
	var last *verdict.Conditioned
	for i, c := range r.Conditions {
		if c.Again != nil && (last == nil || c.Again.Hi() > last.Again.Hi()) {
			last = &r.Conditions[i]
		}
	}
	if last == nil {
		return ""
	}
	return fmt.Sprintf("users were served after %s, condition %s was met again after %s", short(r.SinceFault), last.Name, spanOf(*last.Again))
}

// unmet names the conditions with a verdict.
func unmet(r Report, verdict verdict.Met) string {
	for _, c := range r.Conditions {
		if c.Verdict == verdict {
			return "condition " + c.Name + " is " + conditioned(c)
		}
	}
	return "a condition is " + string(verdict)
}

// conditionMoments are those at which conditions were met again.
func (r Report) conditionMoments() (moments []Moment) {
	for _, c := range r.Conditions {
		if c.Again != nil {
			moments = append(moments, Moment{What: "condition " + c.Name + " met again", Lo: c.Again[0], Hi: c.Again[1]})
		}
	}
	return moments
}
