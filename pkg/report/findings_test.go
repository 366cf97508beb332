package report_test

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// suspected is a run about a database, with what it came to.
func suspected(v verdict.Verdict, w *verdict.Writes, kinds ...string) report.Report {
	r := report.Report{Environment: "staging", Suspect: report.Suspect{Component: "db"}, Run: verdict.Run{Verdict: v, Writes: w}}
	for _, kind := range kinds {
		r.Faults = append(r.Faults, run.StepAccount{Kind: kind, Component: "db-1"})
	}
	return r
}

// alerted is a run with alerts that must fire.
func alerted(o verdict.Outcome, d verdict.Detected) report.Report {
	r := suspected(verdict.Verdict{Outcome: o}, nil, "kill")
	r.Detection = &verdict.Detection{Verdict: d}
	return r
}

// conditioned is a run with a condition for each verdict.
func conditioned(r report.Report, all ...verdict.Met) report.Report {
	for i, met := range all {
		r.Conditions = append(r.Conditions, verdict.Conditioned{Name: []string{"standbys", "room"}[i], Verdict: met})
	}
	return r
}

// byPeople is a run in which people recovered service.
func byPeople(r report.Report) report.Report {
	r.ByHand = &run.ByHand{EndedBy: run.HandServed}
	return r
}

// What each verdict means for findings: nothing that proves nothing opens or closes one.
func TestFindingsOfAVerdict(t *testing.T) {
	t.Parallel()
	kept, lost := &verdict.Writes{Observed: true}, &verdict.Writes{Observed: true, Missed: true, Lost: 3}
	of := func(o verdict.Outcome, s verdict.State, reason verdict.Reason) verdict.Verdict {
		return verdict.Verdict{Outcome: o, State: s, Reason: reason}
	}
	for name, c := range map[string]struct {
		r    report.Report
		want []string
	}{
		"proven":                       {suspected(of(verdict.Proven, verdict.Down, ""), nil, "kill"), []string{"outage"}},
		"degraded":                     {suspected(of(verdict.Degraded, verdict.Impaired, ""), nil, "kill"), []string{"outage"}},
		"disproved":                    {suspected(of(verdict.Disproved, verdict.Recovered, ""), nil, "kill"), []string{"no outage"}},
		"disproved, nothing lost":      {suspected(of(verdict.Disproved, verdict.Recovered, ""), kept, "kill"), []string{"no outage", "no lost-writes"}},
		"writes lost, recovered":       {suspected(of(verdict.Proven, verdict.Recovered, verdict.RPOMissed), lost, "kill"), []string{"lost-writes"}},
		"writes lost, and down":        {suspected(of(verdict.Proven, verdict.Down, verdict.RPOMissed), lost, "kill"), []string{"outage", "lost-writes"}},
		"down, nothing lost":           {suspected(of(verdict.Proven, verdict.Down, ""), kept, "kill"), []string{"outage", "no lost-writes"}},
		"a look-up that proves little": {suspected(of(verdict.Disproved, verdict.Recovered, ""), &verdict.Writes{Observed: true, Unconfirmed: 1}, "kill"), []string{"no outage"}},
		"an alert in time":             {alerted(verdict.Proven, verdict.InTime), []string{"outage", "no no-alert"}},
		"a late alert":                 {alerted(verdict.Disproved, verdict.DetectedLate), []string{"no outage", "no-alert"}},
		"no alert":                     {alerted(verdict.Disproved, verdict.Missed), []string{"no outage", "no-alert"}},
		"an alert that is unknown":     {alerted(verdict.Disproved, verdict.Unknown), []string{"no outage"}},
		"no alert, inconclusive":       {alerted(verdict.Inconclusive, verdict.Missed), nil},
		"a condition that is not met":  {conditioned(suspected(of(verdict.Degraded, verdict.Recovered, verdict.ConditionNotMet), kept, "kill"), verdict.NotMet, verdict.IsMet), []string{"no lost-writes", "condition", "no condition"}},
		"down, and no condition met":   {conditioned(suspected(of(verdict.Proven, verdict.Down, ""), nil, "kill"), verdict.NotMet), []string{"outage", "condition"}},
		"all conditions met":           {conditioned(suspected(of(verdict.Disproved, verdict.Recovered, ""), nil, "kill"), verdict.IsMet, verdict.IsMet), []string{"no outage", "no condition", "no condition"}},
		"a condition that is unknown":  {conditioned(suspected(of(verdict.Proven, verdict.Down, ""), nil, "kill"), verdict.Unasked, verdict.IsMet), []string{"outage", "no condition"}},
		"recovered by people":          {byPeople(suspected(of(verdict.Disproved, verdict.Recovered, ""), kept, "kill")), []string{"no lost-writes"}},
		"too late, by people":          {byPeople(suspected(of(verdict.Proven, verdict.Late, ""), nil, "kill")), []string{"outage"}},
		"inconclusive":                 {suspected(of(verdict.Inconclusive, "", verdict.LoadStalled), kept, "kill"), nil},
		"aborted":                      {suspected(of(verdict.Aborted, "", ""), kept, "kill"), nil},
		"no fault":                     {suspected(of(verdict.Disproved, verdict.Unaffected, ""), nil), nil},
	} {
		var got []string
		for _, f := range report.FindingsOf(c.r) {
			got = append(got, map[bool]string{true: "no "}[f.Disproved]+string(f.Kind))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A key is the same for the same finding, whatever the verdict, and another one for anything
// else. It must not change: issues would be opened again.
func TestKeysOfFindings(t *testing.T) {
	t.Parallel()
	proven, disproved := verdict.Verdict{Outcome: verdict.Proven, State: verdict.Down}, verdict.Verdict{Outcome: verdict.Disproved}
	key := func(r report.Report) string { return report.FindingsOf(r)[0].Key }
	first := key(suspected(proven, nil, "kill"))
	if first != "401592c4ef955b588b07db82" {
		t.Errorf("the key of db in staging by kill is %s", first)
	}
	if same := key(suspected(disproved, nil, "kill", "kill")); same != first {
		t.Errorf("%s and %s", first, same)
	}
	if key(suspected(proven, nil, "kill", "pause")) != key(suspected(proven, nil, "pause", "kill")) {
		t.Error("the order of faults makes another finding")
	}
	elsewhere := suspected(proven, nil, "kill")
	elsewhere.Environment = "production"
	other := suspected(proven, nil, "kill")
	other.Suspect.Component = "app"
	unnamed := suspected(proven, nil, "kill")
	unnamed.Suspect.Component = ""
	seen := map[string]bool{first: true}
	for _, r := range []report.Report{suspected(proven, nil, "pause"), elsewhere, other, unnamed} {
		if k := key(r); seen[k] {
			t.Errorf("%+v has a key that another finding has", r.Suspect)
		} else {
			seen[k] = true
		}
	}
}

// A condition that is met disproves no other one.
func TestConditionsHaveTheirOwnFindings(t *testing.T) {
	t.Parallel()
	v := verdict.Verdict{Outcome: verdict.Proven, State: verdict.Down}
	of := func(all ...verdict.Met) map[string]bool {
		found := map[string]bool{}
		for _, f := range report.FindingsOf(conditioned(suspected(v, nil, "kill"), all...)) {
			if f.Kind == report.FoundUnmet {
				found[f.Key] = !f.Disproved
			}
		}
		return found
	}
	for key, unmet := range of(verdict.NotMet, verdict.IsMet) {
		other, known := of(verdict.IsMet, verdict.NotMet)[key]
		if !known || other == unmet {
			t.Errorf("%s: %v, and %v if the other one is not met", key, unmet, other)
		}
	}
	if n := len(of(verdict.NotMet, verdict.NotMet)); n != 2 {
		t.Errorf("%d findings of two conditions", n)
	}
}

// Of several trials, one that finds it counts.
func TestFindingsOfTrials(t *testing.T) {
	t.Parallel()
	proven, disproved := verdict.Verdict{Outcome: verdict.Proven, State: verdict.Down}, verdict.Verdict{Outcome: verdict.Disproved}
	for want, outcomes := range map[string][]verdict.Verdict{
		"1 found":     {disproved, proven, disproved},
		"2 found":     {disproved, proven, proven},
		"1 disproved": {disproved, disproved, {Outcome: verdict.Inconclusive}}, // which says nothing
	} {
		var runs []report.Report
		for i, v := range outcomes {
			r := suspected(v, nil, "kill")
			r.ID = strconv.Itoa(i)
			runs = append(runs, r)
		}
		all := report.FindingsOfAll(runs)
		if len(all) != 1 {
			t.Fatalf("%s: %d findings", want, len(all))
		}
		got := all[0].Report.ID + map[bool]string{true: " disproved", false: " found"}[all[0].Disproved]
		if got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
}
