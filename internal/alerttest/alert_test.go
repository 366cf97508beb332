// Package alerttest holds what gameday says of alerts against a real Prometheus and a real
// Alertmanager that watch a lab.
package alerttest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/gamedaytest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// checkoutErrors fires three seconds after users begin to get errors.
const checkoutErrors = `
groups:
  - name: shop
    rules:
      - {alert: CheckoutErrors, expr: 'sum(increase(haproxy_backend_http_responses_total{proxy="apps", code="5xx"}[3s])) > 0', for: 3s, labels: {severity: page}}
`

// always fires whatever happens.
const always = "groups: [{name: shop, rules: [{alert: CheckoutErrors, expr: vector(1), labels: {severity: page}}]}]\n"

// play runs the loss of the database with a part of a scenario, and returns the run's folder
// and its report.
func play(t *testing.T, g gamedaytest.Gameday, part string) (dir string, r report.Report) {
	t.Helper()
	dir, r = experiment(t, g, `version: 1
name: db-loss
environment: lab/checkout
objective: {rto: 8s, hold: 2s}
load: [{journey: checkout, rate: 20/s, critical: true}]
faults: [{kill: {target: {role: db-primary}}}]
timing: {baseline: 3s, watch: 12s, repair: 60s}
`+part)
	if r.Outcome != verdict.Proven {
		t.Fatalf("%s %s", r.Outcome, r.Reason)
	}
	return dir, r
}

// experiment runs a scenario.
func experiment(t *testing.T, g gamedaytest.Gameday, scenario string) (dir string, r report.Report) {
	t.Helper()
	file := filepath.Join(g.Dir, "scenarios", "db-loss.yaml")
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := g.Run(t, "run", "db-loss", "--json", "--out", filepath.Join(g.Dir, "runs"))
	if code > 3 {
		t.Fatalf("exit code %d\n%s\n%s", code, stdout, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(g.Dir, "runs", r.ID), r
}

func expected(address, more string) string {
	return fmt.Sprintf("expect_alerts: [{alertmanager: %q, name: CheckoutErrors, labels: {severity: page}, %s}]\n", address, more)
}

// logged is how exact the times in Alertmanager's log are: milliseconds, and written a moment
// after the alert was stored.
const logged = 20 * time.Millisecond

// up starts a lab, until the test ends.
func up(t *testing.T, lab string) gamedaytest.Gameday {
	t.Helper()
	g := gamedaytest.New(t, t.TempDir())
	if code, out, text := g.Run(t, "lab", "up", lab); code != 0 {
		t.Fatalf("exit code %d\n%s\n%s", code, out, text)
	}
	t.Cleanup(func() { g.Run(t, "lab", "down", lab) })
	return g
}

// What Alertmanager itself logged is between the bounds, in every run.
func TestDetection(t *testing.T) { //nolint:paralleltest // it measures
	enginetest.Long(t, "alerts")
	enginetest.Alone(t)
	g := up(t, "checkout")
	s := newServers(t, "198.18.10.10:8405")

	s.rules(t, checkoutErrors)
	for i := range 10 { //nolint:paralleltest // as said
		t.Run(fmt.Sprintf("round %d", i), func(t *testing.T) {
			address := s.alertmanager
			if i%2 == 1 {
				address = s.hourOff(t)
			}
			detected(t, g, s, address)
		})
	}

	t.Run("late", func(t *testing.T) { //nolint:paralleltest // as said
		s.quiet(t)
		if _, r := play(t, g, expected(s.alertmanager, "within: 2s")); r.Detection.Verdict != verdict.DetectedLate || r.Detection.Alerts[0].Finding != verdict.AlertLate {
			t.Errorf("%+v", r.Detection)
		}
	})
	t.Run("firing before", func(t *testing.T) { //nolint:paralleltest // as said
		s.rules(t, always)
		eventually(t, "the alert is active", func() bool { return strings.Contains(body(t, s.alertmanager+"/api/v2/alerts"), "CheckoutErrors") })
		if _, r := play(t, g, expected(s.alertmanager, "within: 8s")); r.Detection.Verdict != verdict.Unknown || r.Detection.Alerts[0].Finding != verdict.AlreadyFiring {
			t.Errorf("%+v", r.Detection)
		}
	})
	t.Run("no rule", func(t *testing.T) { //nolint:paralleltest // as said
		s.rules(t, "groups: []\n")
		s.quiet(t)
		if _, r := play(t, g, expected(s.alertmanager, "within: 8s")); r.Detection.Verdict != verdict.Missed || r.Detection.Alerts[0].Finding != verdict.NotDetected {
			t.Errorf("%+v", r.Detection)
		}
	})
	t.Run("Alertmanager is killed", func(t *testing.T) { killed(t, g, s) }) //nolint:paralleltest // as said
}

// detected compares the bounds of an alert that is asked for at an address with
// Alertmanager's own log.
func detected(t *testing.T, g gamedaytest.Gameday, s *servers, address string) {
	t.Helper()
	s.quiet(t)
	_, r := play(t, g, expected(address, "within: 10s, clears_within: 30s"))
	a := r.Detection.Alerts[0]
	if r.Detection.Verdict != verdict.InTime || a.SinceFault == nil || a.Detected == nil || a.Cleared == nil {
		t.Fatalf("%+v", a)
	}
	truth := s.received(t, "CheckoutErrors", *r.FaultAt).Sub(*r.FaultAt)
	t.Logf("received after %v, detected %v to %v after the fault (%v to %v after the first user), cleared %v to %v after the revert", truth,
		a.SinceFault.Lo(), a.SinceFault.Hi(), a.Detected.Lo(), a.Detected.Hi(), a.Cleared.Lo(), a.Cleared.Hi())
	if truth < a.SinceFault.Lo()-logged || truth > a.SinceFault.Hi()+logged {
		t.Errorf("Alertmanager received the alert %v after the fault, the bounds are %v to %v", truth, a.SinceFault.Lo(), a.SinceFault.Hi())
	}
}

// killed kills Alertmanager as soon as the fault is ordered: the figure is absent with its
// reason, and the verdict about recovery is that of the same run without alerts.
func killed(t *testing.T, g gamedaytest.Gameday, s *servers) {
	t.Helper()
	s.rules(t, checkoutErrors)
	s.quiet(t)
	done := onFault(t, g, s.am.kill)
	dir, r := play(t, g, expected(s.alertmanager, "within: 8s, clears_within: 30s"))
	done()
	a := r.Detection.Alerts[0]
	if r.Detection.Verdict != verdict.Unknown || a.Finding != verdict.AlertUnknown || a.Detected != nil || a.SinceFault != nil || !strings.Contains(a.Reason, "connection refused") {
		t.Errorf("%+v", a)
	}
	with := marshalled(t, dir)
	if err := os.Remove(filepath.Join(dir, record.PollsFile)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "scenario.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(text), "expect_alerts:")
	if !found {
		t.Fatalf("the scenario names no alerts:\n%s", text)
	}
	if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	if without := marshalled(t, dir); with != without {
		t.Errorf("with the alert:\n%s\nwithout it:\n%s", with, without)
	}
}

// onFault does something once, as soon as the next run has ordered its fault. done ends the
// waiting for it.
func onFault(t *testing.T, g gamedaytest.Gameday, do func()) (done func()) {
	t.Helper()
	known, err := filepath.Glob(filepath.Join(g.Dir, "runs", "*"))
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			all, _ := filepath.Glob(filepath.Join(g.Dir, "runs", "*"))
			if len(all) <= len(known) {
				continue
			}
			events, _ := record.Events(all[len(all)-1])
			if _, struck := record.MarksOf(events)[record.MarkFault]; struck {
				do()
				return
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

// marshalled is the verdict about recovery of a run, as its bytes.
func marshalled(t *testing.T, dir string) string {
	t.Helper()
	r, err := report.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r.Run)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
