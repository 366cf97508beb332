package report

import (
	"cmp"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/advice"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Advice is what is usually done about what a run has proven. It is not evidence.
type Advice struct {
	Component string `json:"component,omitempty"` // the suspect
	// TakenFor is the kind of component that its name shows, such as database; empty if it
	// shows none.
	TakenFor string `json:"taken_for,omitempty"`
	Do       string `json:"do"`
	Note     string `json:"note,omitempty"`
	Because  string `json:"because"` // what the run has seen
	// Disproves is the command whose verdict says whether it has helped; Example is one that
	// shows such a cure at work in a lab.
	Disproves string `json:"disproves"`
	Example   string `json:"example,omitempty"`
}

// advise adds the advice for a proven or degraded verdict.
func (r *Report) advise(s scenario.Scenario) error {
	outcomes := r.hits()
	if len(outcomes) == 0 || len(s.Faults) == 0 {
		return nil
	}
	table, err := advice.Load()
	if err != nil {
		return err
	}
	asked := advice.Asked{Names: []string{s.Suspect.Component}}
	for _, f := range s.Faults {
		asked.Faults = append(asked.Faults, f.Kind)
	}
	if len(s.Faults) == 1 { // of several targets it is not known which one the suspect is
		asked.Names = append(asked.Names, named(s.Faults[0])...)
		for _, step := range r.Faults {
			asked.Names = append(asked.Names, step.Component)
		}
	}
	for _, outcome := range outcomes {
		asked.Outcome = outcome
		kind, row, ok := table.For(asked)
		if !ok {
			continue
		}
		a := Advice{
			Component: s.Suspect.Component, TakenFor: kind, Do: row.Do, Note: row.Note, Because: r.because(outcome),
			Disproves: cmp.Or(r.Again, "gameday run "+r.Scenario),
		}
		if row.ShownBy != "" {
			a.Example = "gameday run " + row.ShownBy
		}
		r.Advice = append(r.Advice, a)
	}
	return nil
}

// named are the names by which a fault names its target.
func named(f scenario.Fault) []string {
	names := []string{f.Target.Role, f.Target.Service, f.Target.Name, f.Target.Label}
	if f.Target.Zone != "" {
		names = append(names, "zone "+f.Target.Zone)
	}
	return names
}

// hits are the ways in which the run has shown users to be hit. There is none unless that
// is certain.
func (r Report) hits() (all []advice.Outcome) {
	if r.Outcome == verdict.Proven && r.Reason == verdict.RPOMissed {
		all = append(all, advice.Writes)
	}
	switch {
	case r.Outcome == verdict.Proven && r.State == verdict.Down:
		all = append(all, advice.Down)
	case r.Outcome == verdict.Proven && r.State == verdict.Late:
		all = append(all, advice.Late)
	case r.Outcome == verdict.Degraded && (r.State == verdict.Down || r.State == verdict.Late || r.State == verdict.Impaired):
		all = append(all, advice.Partial)
	}
	return all
}

// because is what the run has seen, as the reason for advice.
func (r Report) because(outcome advice.Outcome) string {
	if outcome == advice.Writes && r.Writes != nil {
		return fmt.Sprintf("%s of %s acknowledged writes were lost, RPO %s", thousands(r.Writes.Lost), thousands(r.Writes.Acknowledged), r.Writes.RPO)
	}
	text := shareOfUsers(r.Bad, r.Samples) + " had failed or slow requests during the fault"
	switch {
	case outcome == advice.Down && r.AtLeast != nil:
		return fmt.Sprintf("%s, and service was down for at least %s, RTO %s", text, short(r.AtLeast), r.Objective.RTO)
	case r.Recovery != nil && *r.Recovery > 0:
		return fmt.Sprintf("%s, and service recovered after %s, RTO %s", text, short(r.Recovery), r.Objective.RTO)
	}
	return text
}

// about says what the advice takes the component for, and that it goes by a name.
func (a Advice) about() string {
	if a.TakenFor == "" {
		return "gameday does not know what kind of component this is, so the advice is general."
	}
	return "gameday assumes a " + a.TakenFor + ", from the component's name."
}

// facts are the lines of the advice.
func (a Advice) facts() []fact {
	all := []fact{{"Advice", a.Do}}
	if a.Note != "" {
		all = append(all, fact{"", a.Note})
	}
	all = append(all, fact{"Because", a.Because + ". " + a.about()}, fact{"Check a fix", a.Disproves})
	if a.Example != "" {
		all = append(all, fact{"See it work", a.Example + " (demo lab)"})
	}
	return all
}

// adviceFacts are the lines of the advice with the costs that the register states.
func (r Report) adviceFacts(a Advice) []fact {
	all := a.facts()
	if r.Accepted != nil && r.Accepted.Cost != nil {
		all = append(all, fact{"Cost", r.Accepted.Cost.Text() + " (" + r.Accepted.Where + ")"})
	}
	return all
}

// adviceIs says what advice is worth.
const adviceIs = "Advice, not evidence: the run shows how users were hit, and not that this helps. A run that disproves the suspicion would."
