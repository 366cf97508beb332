package scenario_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

func withLoad(text string) string {
	return header + goodObjective + "load:\n  - " + text + "\n" + goodFaults
}

func rate(users int) probe.Rate { return probe.Rate{Users: users, Per: time.Second} }

// What users walk, how they arrive, and what of it a stored run says.
func TestLoads(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for text, want := range map[string][]scenario.JourneyLoad{
		"{journey: a, rate: 50/s, critical: true}": {{Journey: "a", Rate: rate(50), Critical: true}},
		"{journey: a, rate: 50/s, critical: true, stages: [{to: 200/s, over: 30s, hold: 1m}, {hold: 2m}, {to: 20/s}]}": {{
			Journey: "a", Rate: rate(50), Critical: true, Stages: []probe.Stage{{To: rate(200), Over: 30 * s, Hold: time.Minute}, {Hold: 2 * time.Minute}, {To: rate(20)}},
		}},
		"{journey: a, rate: 50/s, critical: true, arrivals: poisson}": {{Journey: "a", Rate: rate(50), Critical: true, Arrivals: "poisson"}},
		"{mix: {checkout: 3, browse: 7}, rate: 50/s, critical: true, from: outside, stages: [{to: 100/s}, {hold: 5s}]}": {
			{Journey: "browse", Rate: rate(35), Critical: true, From: "outside", Stages: []probe.Stage{{To: rate(70)}, {Hold: 5 * s}}},
			{Journey: "checkout", Rate: rate(15), Critical: true, From: "outside", Stages: []probe.Stage{{To: rate(30)}, {Hold: 5 * s}}},
		},
		"{mix: {a: 1, b: 1, c: 1}, rate: 50/s, critical: true}": {
			{Journey: "a", Rate: probe.Rate{Users: 1000, Per: time.Minute}, Critical: true},
			{Journey: "b", Rate: probe.Rate{Users: 1000, Per: time.Minute}, Critical: true},
			{Journey: "c", Rate: probe.Rate{Users: 1000, Per: time.Minute}, Critical: true},
		},
	} {
		got, err := scenario.Load("x.yaml", []byte(withLoad(text)), fault.Specs())
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if diff := cmp.Diff(want, got.Load); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		data, err := yaml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := scenario.LoadStored("stored", data)
		if diff := cmp.Diff(want, stored.Load, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("%s, stored: %v %s\n%s", text, err, diff, data)
		}
		if _, err := scenario.Checked(got, fault.Specs()); err != nil {
			t.Errorf("%s, again: %v", text, err)
		}
	}
}

func TestProblemsOfLoads(t *testing.T) {
	t.Parallel()
	const rest = "rate: 50/s, critical: true"
	checkAll(t, "scenario", map[string]problem{
		"no journey":             {withLoad("¶{" + rest + "}"), "load[0]", `missing required key "journey" or "mix"`},
		"two of them":            {withLoad("{journey: a, " + rest + ", mix: ¶{b: 1}}"), "load[0]", "both journey and mix"},
		"a weight of 0":          {withLoad("{mix: {a: ¶0, b: 1}, " + rest + "}"), "load[0].mix.a", "1 to 1000"},
		"a weight that is none":  {withLoad("{mix: {a: ¶x}, " + rest + "}"), "load[0].mix.a", "number"},
		"a journey in two":       {header + goodObjective + "load: [{journey: a, " + rest + "}, ¶{mix: {a: 1, b: 1}, " + rest + "}]\n" + goodFaults, "load[1]", "journey a"},
		"too few of one journey": {withLoad("{mix: {a: 1, b: 99}, rate: ¶50/s, critical: true}"), "load[0].rate", "for journey a, which is 5 users"},
		"an empty stage":         {withLoad("{journey: a, " + rest + ", stages: [¶{}]}"), "load[0].stages[0]", "expected a change"},
		"over without to":        {withLoad("{journey: a, " + rest + ", stages: [¶{over: 5s}]}"), "load[0].stages[0]", "add to:"},
		"hold below 0":           {withLoad("{journey: a, " + rest + ", stages: [{to: 5/s}, ¶{hold: -5s}]}"), "load[0].stages[1]", "-5s"},
		"a rate of 0":            {withLoad("{journey: a, " + rest + ", stages: [{to: ¶0/s}]}"), "load[0].stages[0].to", "above 0"},
		"a stage of k6":          {withLoad("{journey: a, " + rest + ", stages: [{¶target: 200/s}]}"), `"target"`, "unknown key"},
		"too slow a stage":       {withLoad("{journey: a, " + rest + ", stages: [{to: 200/s}, ¶{to: 30/m}]}"), "load[0].stages[1]", "5 users"},
		"too many users":         {withLoad("{journey: a, rate: ¶50/s, critical: true, stages: [{to: 1000000/s}]}"), "load[0].rate", "at most 10000000"},
		"too few for chance":     {withLoad("{journey: a, rate: ¶1/s, critical: true, arrivals: poisson}"), "load[0].rate", "expected 20 or more"},
		"another distribution":   {withLoad("{journey: a, " + rest + ", arrivals: ¶uniform}"), "load[0].arrivals", "poisson"},
	})
}

// Editors accept what gameday does.
func TestSchemaOfLoads(t *testing.T) {
	t.Parallel()
	data, err := scenario.Schema("scenario", fault.Specs(), drivers())
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	c := jsonschema.NewCompiler()
	if err = errors.Join(err, c.AddResource("s.json", document)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("s.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, good := range map[string]bool{
		"{journey: a, rate: 50/s, critical: true}":                                                           true,
		"{mix: {a: 1, b: 2}, rate: 50/s, critical: true, arrivals: poisson}":                                 true,
		"{journey: a, rate: 50/s, critical: true, stages: [{to: 200/s, over: 30s}, {hold: 2m}]}":             true,
		"{journey: a, rate: 50/s, critical: true, clients: [browser, {kind: pooled, size: 50, share: 20%}]}": true,
		"{journey: a, rate: 50/s, critical: true, clients: [{kind: browsre}]}":                               false,
		"{journey: a, rate: 50/s, critical: true, clients: [{kind: retrier, attempts: 1}]}":                  false,
		"{rate: 50/s, critical: true}":                                                                       false,
		"{journey: a, mix: {b: 1}, rate: 50/s, critical: true}":                                              false,
		"{mix: {a: 0}, rate: 50/s, critical: true}":                                                          false,
		"{journey: a, rate: 50/s, critical: true, stages: [{target: 200/s}]}":                                false,
	} {
		data, err := yaml.YAMLToJSON([]byte(withLoad(text)))
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A load that would end before the run is refused before the run.
func TestUsersThatEndEarly(t *testing.T) {
	t.Parallel()
	users := func(order string, rows int) *probe.Users {
		return &probe.Users{File: "users.csv", Order: order, Rows: make([][]string, rows)}
	}
	steady := scenario.JourneyLoad{Journey: "a", Rate: rate(10)}
	rising := steady
	rising.Stages = []probe.Stage{{To: rate(20)}}
	chance := steady
	chance.Arrivals = "poisson"
	for name, c := range map[string]struct {
		load  scenario.JourneyLoad
		users *probe.Users
		want  string
	}{
		"no file":            {steady, nil, ""},
		"enough":             {steady, users("once", 1100), ""},
		"too few":            {steady, users("once", 1099), "journey a: users.csv has 1099 rows for one user each (order: once), but 1100 users arrive in a run of up to 1m50s at 10/s: the load would end before the run: add rows, or use order: cycle"},
		"again and again":    {steady, users("cycle", 1), ""},
		"too few at the end": {rising, users("once", 2099), "but 2100 users arrive in a run of up to 1m50s at 10/s, from the fault on to 20/s"},
		"enough at the end":  {rising, users("once", 2100), ""},
		"by chance":          {chance, users("once", 1150), "but 1233 users arrive"},
	} {
		s := scenario.Scenario{Load: []scenario.JourneyLoad{c.load}, Timing: scenario.Timing{Baseline: 10 * time.Second, Watch: 40 * time.Second, Repair: time.Minute}}
		err := s.CheckUsers([]probe.Journey{{Name: "a", Users: c.users}})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: found %v, expected %s", name, err, c.want)
		}
	}
}
