package scenario_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

const aMetric = `
prometheus: http://p:9090
observe:
  - {name: queue, prometheus: sum(queue_length), unit: jobs}
  - {name: lag, prometheus: {url: "http://other:9090", query: max(lag)}}
`

// A run observes the metrics of its environment and its own, each once, also if it is run
// again as it was stored.
func TestMetricsOfAScenarioInItsEnvironment(t *testing.T) {
	t.Parallel()
	env := environmentWith(t, aMetric)
	s := loaded(t, "observe: [{name: up, prometheus: sum(up)}]").In(env)
	want := []scenario.Metric{
		{Name: "queue", Prometheus: &gate.Prometheus{URL: "http://p:9090", Query: "sum(queue_length)"}, Unit: "jobs"},
		{Name: "lag", Prometheus: &gate.Prometheus{URL: "http://other:9090", Query: "max(lag)"}},
		{Name: "up", Prometheus: &gate.Prometheus{URL: "http://p:9090", Query: "sum(up)"}},
	}
	if diff := cmp.Diff(want, s.Observe); diff != "" {
		t.Error(diff)
	}
	if err := s.CheckOutside(env); err != nil {
		t.Error(err)
	}
	if got := s.Observe[0].String(); got != "queue (jobs): sum(queue_length) at http://p:9090" {
		t.Error(got)
	}
	data, err := yaml.MarshalWithOptions(s, yaml.IndentSequence(true))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := scenario.LoadStored("stored", data)
	if diff := cmp.Diff(s.Observe, stored.Observe); diff != "" || err != nil {
		t.Errorf("stored: %v\n%s", err, diff)
	}
	again, err := scenario.Load("x.yaml", data, fault.Specs())
	if diff := cmp.Diff(s.Observe, again.In(env).Observe); diff != "" || err != nil {
		t.Errorf("run again: %v\n%s", err, diff)
	}
}

// Metrics that cannot be asked for or told apart are refused with what to do.
func TestMetricsThatCannotBeAskedFor(t *testing.T) {
	t.Parallel()
	many := make([]string, scenario.MostMetrics)
	for i := range many {
		many[i] = fmt.Sprintf("{name: m%d, prometheus: up}", i)
	}
	for part, says := range map[string]string{
		"observe: [{name: other, prometheus: up}]":   "",
		"observe: [{name: queue, prometheus: up}]":   `both observe a metric with the name "queue": rename one`,
		"observe: [" + strings.Join(many, ",") + "]": "observes 10 metrics, expected at most 8",
	} {
		err := loaded(t, part).In(environmentWith(t, aMetric)).CheckOutside(scenario.Environment{Name: "staging"})
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", part, err)
		}
	}
	alone := loaded(t, "observe: [{name: up, prometheus: up}]").In(scenario.Environment{Name: "staging"})
	if err := alone.CheckOutside(scenario.Environment{Name: "staging"}); err == nil || !strings.Contains(err.Error(), "metric up has a query, but no server: add prometheus: URL to environment staging") {
		t.Errorf("a query without a server: %v", err)
	}
}

// What a run observes has no part in its verdict, so that a stored run is read whatever its
// metrics are.
func TestStoredMetricsAreReadLeniently(t *testing.T) {
	t.Parallel()
	text := header + goodObjective + goodLoad + goodFaults
	for _, part := range []string{"observe: soup", "observe: [{name: {}, graphite: x, unit: []}]", "observe: {}"} {
		if _, err := scenario.LoadStored("stored", []byte(text+part)); err != nil {
			t.Errorf("%q: %v", part, err)
		}
	}
}

func TestProblemsOfMetrics(t *testing.T) {
	t.Parallel()
	text := func(metrics string) string {
		return header + goodObjective + goodLoad + goodFaults + "observe: " + metrics + "\n"
	}
	long := strings.Repeat("x", 61)
	checkAll(t, "scenario", map[string]problem{
		"no name":    {text("[" + here + "{prometheus: up}]"), "observe[0]", "name"},
		"no query":   {text("[" + here + "{name: a}]"), "observe[0]", "prometheus"},
		"empty":      {text("[{name: a, prometheus: " + here + "''}]"), "observe[0].prometheus", "found no query"},
		"a bad URL":  {text("[{name: a, prometheus: " + here + "{url: p, query: up}}]"), "observe[0].prometheus", "expected a URL"},
		"blank":      {text("[{name: " + here + "' ', prometheus: up}]"), "observe[0].name", "expected a name"},
		"twice":      {text("[{name: a, prometheus: up}, {name: " + here + "a, prometheus: down}]"), "observe[1].name", "twice: give each metric a name"},
		"too long":   {text("[{name: " + here + long + ", prometheus: up}]"), "observe[0].name", "61 characters, expected at most 60"},
		"long unit":  {text("[{name: a, prometheus: up, unit: " + here + long + "}]"), "observe[0].unit", "expected at most 20"},
		"a typo":     {text("[{name: a, prometheus: up, " + here + "units: s}]"), "units", `did you mean "unit"`},
		"a function": {text(here + "soup"), "observe", "expected a list"},
	})
	environment := "version: 1\nenvironments:\n  staging:\n    docker: {project: shop}\n    entry: http://127.0.0.1:1\n    observe: "
	checkAll(t, "environment", map[string]problem{
		"no server": {environment + "[{name: a, prometheus: " + here + "up}]\n", "environments.staging.observe[0].prometheus", "add prometheus: URL"},
	})
}
