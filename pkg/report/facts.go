package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// fact is one line of a report: a label and its text.
type fact struct{ name, text string }

// facts are the lines that every format for people shows, in this order.
func facts(r Report) []fact {
	var all []fact
	add := func(name, format string, args ...any) { all = append(all, fact{name, fmt.Sprintf(format, args...)}) }
	for _, f := range r.Faults {
		add("Fault", "%s", injected(f))
	}
	all = append(all, peopleFacts(r)...)
	for _, text := range r.Connection {
		add("Connection", "%s", text)
	}
	impactFacts(r, add)
	// An aborted run proves nothing, so it shows no recovery time.
	if r.Deciding != "" && r.Outcome != verdict.Aborted {
		add("Recovery", "%s", RecoveryOf(r))
	}
	if r.Outcome != verdict.Aborted {
		clientFacts(r, add)
	}
	if r.ByHand != nil {
		add("By people", "%s", byHand(*r.ByHand))
	}
	if alone := verdict.CombineTrials([]verdict.Run{r.Run}); alone.Within > 0 {
		add("Confidence", "%s; --repeat gives a stronger bound", confidence(alone))
	}
	if text := watchEnded(r); text != "" {
		add("Watch", "%s", text)
	}
	if r.Relapses != nil && *r.Relapses > 0 {
		add("Relapses", "%d: service recovered, then failed again", *r.Relapses)
	}
	revertFacts(r, add)
	if r.Writes != nil {
		add("Writes", "%s", writes(*r.Writes))
	}
	conditionFacts(r, add)
	detectionFacts(r.Detection, add)
	metricFacts(r, add)
	loadFacts(r, add)
	all = append(all, r.Accepted.facts()...)
	all = append(all, issueFacts(r.Issues)...)
	if r.Left != "" {
		add("NOT UNDONE", "%s", r.Left)
	}
	return all
}

// revertFacts are what users met once the fault was reverted.
func revertFacts(r Report, add func(name, format string, args ...any)) {
	switch {
	case r.ServedAgain != nil && *r.ServedAgain == 0:
		add("Post-revert", "no failed or slow request")
	case r.ServedAgain != nil:
		add("Post-revert", "last failed or slow request: %s after the revert was ordered", short(r.ServedAgain))
	case r.stillBad:
		add("Post-revert", "requests still failed or were slow when the run ended")
	case len(r.Faults) > 0 && r.FaultAt != nil && r.Revert == nil && r.Left == "":
		add("Post-revert", "nothing to revert: the platform had already restored the component")
	}
	for _, journey := range r.others {
		add("Post-revert", "%s: requests still failed or were slow when the run ended", journey)
	}
	if r.Failback {
		add("Failback", "reverting the fault caused another outage")
	}
	for _, j := range r.Journeys {
		if j.Critical && j.Failback && j.Name != r.Deciding {
			add("Failback", "%s: reverting the fault caused another outage", j.Name)
		}
	}
}

// peopleFacts are who took part, and where their instructions are.
func peopleFacts(r Report) (all []fact) {
	if people := r.People.String(); people != "" {
		all = append(all, fact{"People", people})
	}
	if r.Runbook != "" {
		all = append(all, fact{"Runbook", r.Runbook})
	}
	return all
}

// loadFacts are the facts about the load that users were.
func loadFacts(r Report, add func(name, format string, args ...any)) {
	r.Instrument.facts(add)
	if r.NotKept != "" {
		add("Rate", "%s", r.NotKept)
	}
	for _, l := range r.Load {
		l.facts(add)
		if l.WarmUpBad > 0 {
			add("Warm-up", "%s: %s of %s users before the baseline had failed or slow requests; they are not judged", l.Journey, thousands(l.WarmUpBad), thousands(l.WarmUp))
		}
		if v := l.Void; v != nil {
			add("Generator", "%s: %s excluded: the load generator stalled %s (%s in total)", l.Journey, wereUsers(v.Users), times(v.Spans), short(&v.Total))
		}
		for _, s := range l.Silences {
			add("Load gap", "%s: no requests were sent from %s to %s after injection; the verdict takes this gap into account", l.Journey, short(&s.From), short(&s.To))
		}
	}
	for _, note := range r.Notes {
		add("Note", "%s", note)
	}
}

// watchEnded says by what a watch was ended before its time, or "".
func watchEnded(r Report) string {
	if r.Decided == "" || r.FaultAt == nil || r.Revert == nil {
		return ""
	}
	why := "recovery had been seen, and had held; a longer watch could have seen a relapse"
	switch {
	case r.Decided == verdict.Proven:
		why = "the outage had lasted longer than the RTO; a longer watch could have seen its end"
	case r.State == verdict.Unaffected:
		why = "there had been no outage for the RTO; a longer watch could have seen a later one"
	}
	return fmt.Sprintf("ended %s after injection, because the verdict was decided (%s): %s", short(new(verdict.Seconds(r.Revert.Sub(*r.FaultAt)))), r.Decided, why)
}

// impactFacts are how the fault affected users.
func impactFacts(r Report, add func(name, format string, args ...any)) {
	if r.FaultAt == nil && len(r.Journeys) > 0 {
		add("Impact", "no fault was injected")
		return
	}
	for _, j := range r.Journeys {
		add("Impact", "%s", experienced(j))
	}
}

// experienced is how the fault affected users of a journey.
func experienced(j verdict.Journey) string {
	name := j.Name
	if !j.Critical {
		name += " (not critical)"
	}
	if j.Samples == 0 {
		return name + ": no users arrived during the fault"
	}
	return fmt.Sprintf("%s: %s had failed or slow requests during the fault%s", name, shareOfUsers(j.Bad, j.Samples), firstImpact(j.Verdict))
}

// injected is what became of one fault: injected, in force, reverted.
func injected(f run.StepAccount) string {
	text := strings.TrimSpace(f.Kind + " " + f.Component)
	switch {
	case f.Ordered == nil:
		text += ", no injection recorded"
	case f.InForce != nil:
		text += fmt.Sprintf(", in force after %v", f.InForce.Sub(*f.Ordered).Round(time.Millisecond))
	}
	if f.Found != "" {
		text += " (" + f.Found + ")"
	}
	if f.Undone {
		return text + ", reverted"
	}
	return text + ", NOT REVERTED"
}

func firstImpact(v verdict.Verdict) string {
	if v.FirstImpact == nil {
		return ""
	}
	return ", the first " + short(v.FirstImpact) + " after injection"
}

func writes(w verdict.Writes) string {
	text := fmt.Sprintf("%s acknowledged, %s lost", thousands(w.Acknowledged), thousands(w.Lost))
	if w.LossSpan != nil {
		text += " within a span of " + short(w.LossSpan)
	}
	if w.SplitBrain {
		text += " (split brain: some were acknowledged after the fault was in force)"
	}
	if w.Unproven {
		text += ", lookup not shown to work"
	}
	if w.Unconfirmed > 0 {
		text += fmt.Sprintf(", %s unconfirmed", thousands(w.Unconfirmed))
	}
	return text + ", RPO " + w.RPO.String()
}

// word is the verdict in upper case, as headings show it.
func word(o verdict.Outcome) string { return strings.ToUpper(string(o)) }

// stateOf is the state and the reason, separated by a comma.
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
