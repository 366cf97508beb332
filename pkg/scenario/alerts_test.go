package scenario_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

const anAlert = `
expect_alerts:
  - {alertmanager: "http://am:9093", name: Down, labels: {severity: page}, within: 90s, clears_within: 5m, about: {service: db}}
`

// loaded is a scenario with a part of its text.
func loaded(t *testing.T, part string) scenario.Scenario {
	t.Helper()
	s, err := scenario.Load("x.yaml", []byte(header+goodObjective+goodLoad+goodFaults+part), fault.Specs())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func environmentWith(t *testing.T, part string) scenario.Environment {
	t.Helper()
	all, err := scenario.LoadEnvironments("gameday.yaml", []byte("version: 1\nenvironments:\n  staging:\n    docker: {project: shop}\n    entry: http://127.0.0.1:1\n"+
		strings.ReplaceAll(part, "\n", "\n    ")), drivers())
	if err != nil {
		t.Fatal(err)
	}
	return all.Environments["staging"]
}

// A run expects the alerts of its environment and its own, each once, also if it is run
// again as it was stored.
func TestAlertsOfAScenarioInItsEnvironment(t *testing.T) {
	t.Parallel()
	env := environmentWith(t, anAlert)
	want := scenario.ExpectedAlert{
		Alert:  gate.Alert{Alertmanager: "http://am:9093", Name: "Down", Labels: map[string]string{"severity": "page"}},
		Within: 90 * time.Second, ClearsWithin: 5 * time.Minute, About: target.Selector{Service: "db"},
	}
	s := loaded(t, "").In(env)
	if diff := cmp.Diff([]scenario.ExpectedAlert{want}, s.ExpectAlerts); diff != "" {
		t.Error(diff)
	}
	if s.Timing.Watch != 95*time.Second {
		t.Errorf("a watch of %v does not show whether the alert fires in time", s.Timing.Watch)
	}
	data, err := yaml.MarshalWithOptions(s, yaml.IndentSequence(true))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := scenario.LoadStored("stored", data)
	if diff := cmp.Diff(s.ExpectAlerts, stored.ExpectAlerts); diff != "" || err != nil {
		t.Errorf("stored: %v\n%s", err, diff)
	}
	again, err := scenario.Load("x.yaml", data, fault.Specs())
	if diff := cmp.Diff(s.ExpectAlerts, again.In(env).ExpectAlerts); diff != "" || err != nil {
		t.Errorf("run again: %v\n%s", err, diff)
	}
	if own := loaded(t, strings.ReplaceAll(anAlert, "Down", "Other")).In(env); len(own.ExpectAlerts) != 2 {
		t.Errorf("%+v", own.ExpectAlerts)
	}
	if declared := loaded(t, "timing: {watch: 60s}").In(env); declared.Timing.Watch != 60*time.Second {
		t.Errorf("a declared watch became %v", declared.Timing.Watch)
	}
}

// What a scenario requires must be possible to observe.
func TestRequiredAlerts(t *testing.T) {
	t.Parallel()
	env := environmentWith(t, anAlert)
	for part, says := range map[string]string{
		"":                                       "",
		"alerts: required":                       "",
		"timing: {watch: 60s}":                   "",
		"timing: {watch: 60s}\nalerts: required": "use a longer timing.watch",
	} {
		err := loaded(t, part).In(env).CheckAlerts()
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", part, err)
		}
	}
	if err := loaded(t, "alerts: required").In(scenario.Environment{}).CheckAlerts(); err == nil || !strings.Contains(err.Error(), "expect_alerts: add them") {
		t.Errorf("without alerts: %v", err)
	}
}

// A stored alert whose limit cannot be read is an error: its verdict rests on it.
func TestStoredAlertsRestOnTheirLimit(t *testing.T) {
	t.Parallel()
	text := header + goodObjective + goodLoad + goodFaults
	if s, err := scenario.LoadStored("stored", []byte(text+"expect_alerts: [{pagerduty: x, name: Down, within: 9s, labels: 7}]")); err != nil || len(s.ExpectAlerts) != 1 || s.ExpectAlerts[0].Within != 9*time.Second {
		t.Errorf("%+v, %v", s.ExpectAlerts, err)
	}
	if _, err := scenario.LoadStored("stored", []byte(text+"expect_alerts: [{name: Down, within: soon}]")); err == nil {
		t.Error("no error")
	}
}

const aMust = `
prometheus: http://p:9090
must:
  - {name: standbys, sql: {url: "postgres://u@h/d", statement: SELECT 2}, equals: 2, again_within: 60s}
  - {prometheus: "min(up)", above: 0.5, during: fault}
  - {http: {get: "http://x/healthz"}, during: after}
  - {command: ["test", "-f", "/x"]}
`

// Queries without a server are those of the environment's, and what is stored is read again.
func TestConditionsOfAScenarioInItsEnvironment(t *testing.T) {
	t.Parallel()
	env := environmentWith(t, aMust)
	s := loaded(t, "must: [{prometheus: up}]").In(env)
	if len(s.Must) != 5 || s.Must[1].Prometheus.URL != "http://p:9090" || s.Must[4].Prometheus.URL != "http://p:9090" || s.Must[0].WhenMet() != verdict.DuringAlways {
		t.Errorf("%+v", s.Must)
	}
	if err := s.CheckOutside(env); err != nil {
		t.Error(err)
	}
	data, err := yaml.MarshalWithOptions(s, yaml.IndentSequence(true))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := scenario.LoadStored("stored", data)
	if diff := cmp.Diff(s.Must, stored.Must); diff != "" || err != nil {
		t.Errorf("stored: %v\n%s", err, diff)
	}
	again, err := scenario.Load("x.yaml", data, fault.Specs())
	if diff := cmp.Diff(s.Must, again.In(env).Must); diff != "" || err != nil {
		t.Errorf("run again: %v\n%s", err, diff)
	}
	alone := loaded(t, "must: [{prometheus: up}]").In(scenario.Environment{Name: "staging"})
	if err := alone.CheckOutside(scenario.Environment{Name: "staging"}); err == nil || !strings.Contains(err.Error(), "add prometheus: URL to environment staging") {
		t.Errorf("a query without a server: %v", err)
	}
	secret := loaded(t, `must: [{sql: {url: "postgres://u@h/d", password: '{{env "DB_PASSWORD"}}', statement: SELECT 2}, equals: 2}]`)
	if err := secret.CheckOutside(env); err == nil || !strings.Contains(err.Error(), "add variables: [DB_PASSWORD]") {
		t.Errorf("a variable that the environment does not name: %v", err)
	}
}
