package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// FindingKind is what a run can find about a component.
type FindingKind string

// The kinds of findings.
const (
	FoundOutage     FindingKind = "outage"      // proven or degraded: users were not served within the objective
	FoundLostWrites FindingKind = "lost-writes" // more acknowledged writes were lost than the RPO allows
	FoundNoAlert    FindingKind = "no-alert"    // an alert that must fire was late, or did not
	FoundUnmet      FindingKind = "condition"   // a condition that must be met was not, or for too long
)

// Finding is something that a run found, or has disproved, and that people should mend.
type Finding struct {
	// Key is the same in every run that finds the same: it is made of the environment, the
	// component, the kind of finding, the kinds of faults, and the condition if it is of one. A
	// cheap fault never stands for a harder one, so the same outage by another kind of fault
	// is another finding.
	Key         string
	Kind        FindingKind
	Environment string
	Component   string
	Fault       string // the kinds of faults, sorted, joined by +
	Condition   string // that was not met; empty for other kinds
	Disproved   bool   // the run shows that it is not so any more
	Accepted    bool   // the register accepts it
	Title       string // in one line
}

// FindingsOf are what a run found about its suspect, and what it has disproved. A run that
// proves nothing, because it is inconclusive or was aborted, has none.
func FindingsOf(r Report) []Finding {
	found := findingOf(r)
	if found.Component == "" || found.Fault == "" {
		return nil
	}
	var all []Finding
	add := func(kind FindingKind, title string, disproved bool) {
		f := found
		f.Kind, f.Title, f.Disproved = kind, title, disproved
		f.Key = f.key()
		all = append(all, f)
	}
	what := fmt.Sprintf("%s in %s (%s)", found.Component, found.Environment, found.Fault)
	switch {
	case r.Outcome == verdict.Degraded && r.Reason == verdict.ConditionNotMet: // a finding of its own
	case r.Outcome == verdict.Degraded:
		add(FoundOutage, "Service degrades if "+found.Component+" fails: "+what, false)
	case r.Outcome == verdict.Proven && (r.Reason != verdict.RPOMissed || r.State == verdict.Down || r.State == verdict.Late):
		add(FoundOutage, "Single point of failure: "+what, false)
	case r.Outcome == verdict.Disproved && r.ByHand == nil: // people are no redundancy
		add(FoundOutage, "Single point of failure: "+what, true)
	}
	switch w := r.Writes; {
	case w == nil || !proves(r.Outcome):
	case w.Missed:
		add(FoundLostWrites, "Acknowledged writes are lost: "+what, false)
	case w.Observed && !w.Unproven && w.Lost == 0 && w.Unconfirmed == 0:
		add(FoundLostWrites, "Acknowledged writes are lost: "+what, true)
	}
	if d := r.Detection; d != nil && proves(r.Outcome) && d.Verdict != verdict.Unknown {
		add(FoundNoAlert, "No alert in time: "+what, d.Verdict == verdict.InTime)
	}
	for _, c := range r.Conditions {
		if met := c.Verdict == verdict.IsMet; proves(r.Outcome) && (met || c.Verdict == verdict.NotMet) {
			found.Condition = c.Name
			add(FoundUnmet, fmt.Sprintf("Not as it must be, %s: %s", c.Name, what), met)
		}
	}
	return all
}

// proves reports whether a run was carried out as declared, and has shown something.
func proves(o verdict.Outcome) bool {
	return o == verdict.Proven || o == verdict.Degraded || o == verdict.Disproved
}

// findingOf is what all findings of a run have in common.
func findingOf(r Report) Finding {
	var kinds, components []string
	for _, f := range r.Faults {
		kinds, components = append(kinds, f.Kind), append(components, f.Component)
	}
	once := func(all []string) string {
		slices.Sort(all)
		return strings.Join(slices.Compact(all), "+")
	}
	f := Finding{Environment: r.Environment, Component: r.Suspect.Component, Fault: once(kinds), Accepted: r.Accepted != nil && r.Accepted.Holds}
	if f.Component == "" {
		f.Component = once(components)
	}
	return f
}

// keySize is how much of a hash is a key, in bytes: enough for keys to differ, and short
// enough for a label.
const keySize = 12

func (f Finding) key() string {
	parts := []string{"gameday/finding/v1", f.Environment, f.Component, string(f.Kind), f.Fault}
	if f.Condition != "" {
		parts = append(parts, f.Condition)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:keySize])
}

// Found is a finding with the report of a run that has it.
type Found struct {
	Finding
	Report Report
}

// FindingsOfAll are the findings of several runs, each once, in the order in which they were
// found. One run that finds it counts more than all that disprove it; of those that say the
// same, the last one.
func FindingsOfAll(runs []Report) []Found {
	var all []Found
	for _, r := range runs {
		for _, f := range FindingsOf(r) {
			i := slices.IndexFunc(all, func(other Found) bool { return other.Key == f.Key })
			switch {
			case i < 0:
				all = append(all, Found{f, r})
			case all[i].Disproved || !f.Disproved:
				all[i] = Found{f, r}
			}
		}
	}
	return all
}
