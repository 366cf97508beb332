package scenario_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// What a run stores of a bundled scenario is read again without its kinds, but for the
// specs, which stay as they were written.
func TestStoredScenariosReadAgain(t *testing.T) {
	t.Parallel()
	l := library()
	for _, name := range l.Bundled() {
		want, err := l.Scenario(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := yaml.MarshalWithOptions(want, yaml.IndentSequence(true))
		if err != nil {
			t.Fatal(err)
		}
		got, err := scenario.LoadStored("stored", data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(scenario.Scenario{}, "File", "AbortWhen", "WatchByDefault"), cmpopts.IgnoreFields(scenario.Fault{}, "Spec", "Where")); diff != "" {
			t.Errorf("%s (-loaded +stored):\n%s", name, diff)
		}
		again, err := yaml.Marshal(got.Faults)
		if err != nil {
			t.Fatal(err)
		}
		was, err := yaml.Marshal(want.Faults)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(yamlTree(t, was), yamlTree(t, again)); diff != "" {
			t.Errorf("%s: faults (-loaded +stored):\n%s", name, diff)
		}
	}
}

// tree is a YAML text as what it means.
func yamlTree(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

const minimal = `
version: 1
objective: {rto: 30s, good: 99%}
load: [{journey: checkout, rate: 50/s, critical: true}]
`

// What the verdict rests on is read or refused: a wrong verdict is worse than none.
func TestStoredScenariosAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, new, want string }{
		"a newer version":       {"version: 1", "version: 2", "stored:2:10: version: found 2, this gameday reads up to 1: use a newer gameday"},
		"a newer version first": {"version: 1\nobjective: {rto: 30s, good: 99%}", "version: 7\nobjective: 30s", "version: found 7, this gameday reads up to 1: use a newer gameday"},
		"no objective":          {"objective: {rto: 30s, good: 99%}", "", "objective.rto is missing, and the verdict rests on it"},
		"no rto":                {"rto: 30s, ", "", "objective.rto is missing"},
		"an unreadable rto":     {"30s", "two tides", `objective.rto: found "two tides", expected a duration`},
		"an unreadable share":   {"99%", "most", `objective.good: found "most"`},
		"an unreadable rate":    {"50/s", "50/tide", `load[0].rate: found "50/tide", expected a rate`},
		"an unreadable weight":  {"critical: true", "critical: rather", `load[0].critical: found "rather", expected true or false`},
		"no journey":            {"journey: checkout, ", "", "load[0].journey is missing"},
		"no load":               {"load: [{journey: checkout, rate: 50/s, critical: true}]", "load: []", "load[0].journey is missing"},
		"a list":                {minimal, "- a\n- b\n", "the file: found a list, expected a mapping"},
		"nothing":               {minimal, "", "the file is empty"},
		"no YAML":               {minimal, "a: [", "not valid YAML"},
	} {
		if !strings.Contains(minimal, c.old) {
			t.Fatalf("%s: nothing to replace", name)
		}
		_, err := scenario.LoadStored("stored", []byte(strings.Replace(minimal, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

// What only describes a run is left out where it cannot be read.
func TestStoredScenariosLeaveOutWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	got, err := scenario.LoadStored("stored", []byte(minimal+`
title: [not, a, text]
name: {not: one}
seed: -3
suspect: db
timing: {watch: a while, repair: 1m}
faults:
  - kill: {target: [db], at: soon, for: 3s}
  - noop:
  - not a mapping
  - {two: {}, kinds: {target: {name: db, percent: most}}}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got.Title != "" || got.Name != "" || got.Seed != 0 || got.Suspect.Component != "" {
		t.Errorf("%+v", got)
	}
	if got.Timing != (scenario.Timing{Repair: time.Minute}) {
		t.Errorf("%+v", got.Timing)
	}
	var kinds []string
	for _, f := range got.Faults {
		kinds = append(kinds, f.Kind)
	}
	if diff := cmp.Diff([]string{"kill", "noop", "", "kinds"}, kinds); diff != "" {
		t.Error(diff)
	}
	if f := got.Faults[0]; f.For != 3*time.Second || f.At != 0 || got.Faults[3].Target.Name != "db" {
		t.Errorf("%+v", got.Faults)
	}
}
