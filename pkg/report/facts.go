package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// fact is one line of a report: a word, and what there is to say.
type fact struct{ name, text string }

// facts are what every format for people tells, in this order.
func facts(r Report) []fact {
	var all []fact
	add := func(name, format string, args ...any) { all = append(all, fact{name, fmt.Sprintf(format, args...)}) }
	for _, f := range r.Faults {
		add("Broken", "%s", broken(f))
	}
	for _, j := range r.Journeys {
		add("Users saw", "%s", seen(j))
	}
	// What was seen of a run that was ended claims nothing.
	if r.Deciding != "" && r.Verdict.Outcome != verdict.Aborted {
		add("Recovery", "%s", Recovery(r.Verdict, r.Objective.RTO))
	}
	if alone := verdict.CombineTrials([]verdict.Run{r.Run}); alone.Within > 0 {
		add("Confidence", "%s; --repeat claims more", confidence(alone))
	}
	if r.Relapses != nil && *r.Relapses > 0 {
		add("Relapses", "%d: service came back and was lost again", *r.Relapses)
	}
	switch {
	case r.ServedAgain != nil && *r.ServedAgain == 0:
		add("After undo", "no user was served badly any more")
	case r.ServedAgain != nil:
		add("After undo", "the last badly served user came %s after the undoing was ordered", short(r.ServedAgain))
	case r.FaultAt != nil && r.Revert == nil:
		add("After undo", "there was nothing to undo: the platform had put it right by itself")
	}
	if r.Failback {
		add("Failback", "undoing the fault caused an outage of its own")
	}
	if r.Writes != nil {
		add("Writes", "%s", writes(*r.Writes))
	}
	for _, l := range r.Load {
		for _, s := range l.Silences {
			add("Silence", "%s: nobody was sent from %s to %s after the fault; the bounds allow for it", l.Journey, short(&s.From), short(&s.To))
		}
	}
	all = append(all, r.Accepted.facts()...)
	if r.Left != "" {
		add("LEFT", "%s", r.Left)
	}
	return all
}

// seen is what users of a journey met.
func seen(j verdict.Journey) string {
	name := j.Name
	if !j.Critical {
		name += " (not critical)"
	}
	if j.Samples == 0 {
		return name + ": nobody set out while the fault lasted"
	}
	return fmt.Sprintf("%s: %s journeys went badly while the fault lasted%s", name, part(j.Bad, j.Samples), impact(j.Verdict))
}

func broken(f run.StepAccount) string {
	text := strings.TrimSpace(f.Kind + " " + f.Component)
	switch {
	case f.Ordered == nil:
		text += ", never ordered"
	case f.InForce != nil:
		text += fmt.Sprintf(", in force after %v", f.InForce.Sub(*f.Ordered).Round(time.Millisecond))
	}
	if f.Found != "" {
		text += " (" + f.Found + ")"
	}
	if f.Undone {
		return text + ", undone"
	}
	return text + ", NOT UNDONE"
}

func impact(v verdict.Verdict) string {
	if v.FirstImpact == nil {
		return ""
	}
	return ", the first " + short(v.FirstImpact) + " after it"
}

func writes(w verdict.Writes) string {
	text := fmt.Sprintf("%s acknowledged, %s lost", thousands(w.Acknowledged), thousands(w.Lost))
	if w.LossSpan != nil {
		text += " over a span of " + short(w.LossSpan)
	}
	if w.SplitBrain {
		text += " (split brain: some were acknowledged after the fault)"
	}
	if w.Unconfirmed > 0 {
		text += fmt.Sprintf(", %s could not be looked up", thousands(w.Unconfirmed))
	}
	return text + ", RPO " + w.RPO.String()
}

// word is the verdict as a headline begins.
func word(o verdict.Outcome) string { return strings.ToUpper(string(o)) }

// stateOf is state and reason, for a line.
func stateOf(v verdict.Verdict) string {
	var words []string
	if v.State != "" {
		words = append(words, string(v.State))
	}
	if v.Reason != "" {
		words = append(words, string(v.Reason))
	}
	return strings.Join(words, ", ")
}
