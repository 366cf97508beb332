package scenario_test

import (
	"bytes"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gameday-dev/gameday/internal/kind"
	"github.com/gameday-dev/gameday/labs"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
	"github.com/gameday-dev/gameday/scenarios"
)

func library() scenario.Library {
	return scenario.Library{Scenarios: scenarios.Files, Labs: labs.Files, Dir: ".", Kinds: fault.Specs(), Drivers: drivers()}
}

func TestBundledScenariosHoldTogether(t *testing.T) {
	t.Parallel()
	l := library()
	if len(l.Bundled()) < 5 {
		t.Fatalf("bundled: %v", l.Bundled())
	}
	for _, name := range l.Bundled() {
		s, err := l.Scenario(name)
		if err != nil {
			t.Error(err)
			continue
		}
		env, err := l.Environment(s.Environment)
		if err != nil {
			t.Error(err)
			continue
		}
		if err := s.CheckRoles(env); err != nil {
			t.Error(err)
		}
		for _, j := range s.Load {
			if _, err := l.Journey(s.Environment, j.Journey); err != nil {
				t.Error(err)
			}
		}
		if s.Title == "" || s.Suspect.Because == "" {
			t.Errorf("%s lacks its title or its reason", name)
		}
	}
}

// A resolved scenario, written and read again, is the same.
func TestResolvedScenarioRoundTrips(t *testing.T) {
	t.Parallel()
	l := library()
	for _, name := range l.Bundled() {
		s, err := l.Scenario(name, scenario.Override{Path: "objective.rto", Value: "7s"})
		if err != nil {
			t.Fatal(err)
		}
		if s.Objective.RTO != 7*time.Second {
			t.Errorf("--set was not heard: %v", s.Objective.RTO)
		}
		data, err := yaml.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Load(name+".yaml", data, l.Kinds)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		again.File, s.File = "", ""
		for i := range s.Faults {
			s.Faults[i].Where, again.Faults[i].Where = "", ""
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Errorf("%s:\n%s\n%s", name, diff, data)
		}
	}
}

// The schemas accept what the loaders accept, and refuse what they refuse.
func TestSchemasAgreeWithTheLoaders(t *testing.T) {
	t.Parallel()
	kinds := library().Kinds
	for _, c := range []struct {
		of    string
		files fs.FS
		glob  string
		bad   []string
	}{
		{"scenario", scenarios.Files, "*.yaml", []string{
			"version: 1", "version: 2\nname: x",
			"version: 1\nname: x\nobjective: {rto: 30}\nload: []\nfaults: []",
			"version: 1\nname: x\nobjective: {rto: 30s}\nload: [{journey: a, rate: 0/s}]\nfaults: []",
			"version: 1\nname: x\nobjective: {rto: 30s}\nload: [{journey: a, rate: 1/s}]\nfaults: [{kil: {}}]",
			"version: 1\nname: x\nobjective: {rto: 30s}\nload: [{journey: a, rate: 1/s}]\nfaults: [{kill: {target: {rol: x}}}]",
		}},
		{"journey", labs.Files, "*/journeys/*.yaml", []string{"version: 1\nname: x", "version: 1\nname: x\nsteps: [{gte: /}]"}},
		{"environment", labs.Files, "*/gameday.yaml", []string{"version: 1", "version: 1\nenvironments: {a: {entry: x}}"}},
	} {
		schema := compile(t, c.of, kinds)
		paths, err := fs.Glob(c.files, c.glob)
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: no files (%v)", c.of, err)
		}
		for _, path := range paths {
			data, err := fs.ReadFile(c.files, path)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value(t, data)); err != nil {
				t.Errorf("%s is valid, and the schema says: %v", path, err)
			}
		}
		for _, text := range c.bad {
			if err := schema.Validate(value(t, []byte(text))); err == nil {
				t.Errorf("the schema of %s accepts %q", c.of, text)
			}
		}
	}
}

// drivers are those of the program.
func drivers() target.Drivers { return target.Drivers{docker.Driver(nil)} }

func compile(t *testing.T, of string, kinds kind.Set[any]) *jsonschema.Schema {
	t.Helper()
	data, err := scenario.Schema(of, kinds, drivers())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// value is a YAML document as JSON has it.
func value(t *testing.T, data []byte) any {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	s, err := scenario.Load("x.yaml", []byte("version: 1\nname: x\nobjective: {rto: 30s}\n"+
		"load: [{journey: a, rate: 600/m, critical: true}]\nfaults: [{noop: {target: {service: db}}}]"), library().Kinds)
	if err != nil {
		t.Fatal(err)
	}
	if s.Objective.Good != 0.99 || s.Objective.Within != 500*time.Millisecond || s.Timing.Baseline != 10*time.Second ||
		s.Timing.Watch != 40*time.Second || s.Load[0].Rate.PerSecond() != 10 {
		t.Errorf("%+v", s)
	}
}

// Every kind is documented, by an example that loads; its settings are written
// and read again as they were.
func TestEveryKindsExampleLoads(t *testing.T) {
	t.Parallel()
	notes := fault.Notes()
	for _, k := range fault.Specs() {
		note, ok := notes[k.Name]
		if !ok || note.How == "" || note.Undone == "" || k.Doc == "" {
			t.Errorf("%s is not documented: %+v", k.Name, note)
			continue
		}
		text := "version: 1\nname: x\nobjective: {rto: 30s}\nload: [{journey: checkout, rate: 50/s, critical: true}]\nfaults:\n  - " + note.Example + "\n"
		s, err := scenario.Load("x.yaml", []byte(text), fault.Specs())
		if err != nil {
			t.Error(err)
			continue
		}
		if s.Faults[0].Kind != k.Name {
			t.Errorf("the example of %s is one of %s", k.Name, s.Faults[0].Kind)
		}
		if err := compile(t, "scenario", fault.Specs()).Validate(value(t, []byte(text))); err != nil {
			t.Errorf("%s: the schema refuses its example: %v", k.Name, err)
		}
		data, err := yaml.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := scenario.Load("x.yaml", data, fault.Specs())
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		s.Faults[0].Where, again.Faults[0].Where = "", ""
		if diff := cmp.Diff(s.Faults, again.Faults); diff != "" {
			t.Errorf("%s:\n%s\n%s", k.Name, diff, data)
		}
	}
}

// What is wrong with a fault is told with its line, and what was expected.
func TestWhatIsWrongWithAFault(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"delay: {target: {service: db}}":                       `missing required key "by"`,
		"delay: {target: {service: db}, by: 2h}":               "by: found 2h0m0s, expected more than 0 and at most 1m0s",
		"delay: {target: {service: db}, by: 10ms, jiter: 1ms}": `unknown key "jiter": did you mean "jitter"?`,
		"drop: {target: {service: db}, share: 120%}":           "expected a ratio above 0% and up to 100%",
		"drop: {target: {service: db}, ports: [70000]}":        `found "70000", expected a whole number`,
		"drop: {target: {service: db}, direction: up}":         "direction: found \"up\"",
		"partition: {target: {service: db}}":                   `missing required key "from"`,
		"bandwidth: {target: {service: db}, rate: 10}":         "expected a bandwidth such as 10mbit",
		"fill: {target: {service: db}, path: data}":            "expected an absolute path",
		"command: {inject: [], undo: [x]}":                     "inject: expected a command",
		"kill: {target: {service: db}, at: 5s}":                "expected at least one at 0",
		"kill: {target: {service: db}, for: 10m}":              "use a longer watch, or an earlier or shorter fault",
		"kill: {at: 0}":      "lacks a target",
		"kill: {target: {}}": "kill.target: found nothing in it",
		"file: {target: {service: db}, path: /x, do: remove, content: x}":       "content: only allowed with do: replace",
		"delay: {target: {service: db}, by: 10ms, via: netem, peer: {name: x}}": "via: netem delays all",
	} {
		_, err := scenario.Load("x.yaml", []byte("version: 1\nname: x\nobjective: {rto: 30s}\nload: [{journey: checkout, rate: 50/s, critical: true}]\nfaults:\n  - "+text+"\n"), fault.Specs())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "x.yaml:") {
			t.Errorf("%s: %v\nexpected %q", text, err, want)
		}
	}
}
