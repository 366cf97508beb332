package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// Several kinds of clients are in the plan, and each has its own verdict in a run and its
// reports. A share that is too small to be judged is refused before anything is broken.
func TestKindsOfClients(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	scenario := scenarioFor("kinds", "kill: {target: {name: db}}")
	const whole = "{journey: checkout, rate: 50/s, critical: true}"
	toy.write("scenarios/kinds.yaml", strings.Replace(scenario, whole,
		"{journey: checkout, rate: 100/s, critical: true, clients: [browser, {kind: pooled, size: 7, share: 30%}, {kind: retrier, backoff: 50ms, share: 20%}]}", 1))
	code, out, text := toy.gameday("plan", "kinds")
	for _, want := range []string{
		"Load         checkout (browser) at 50/s, critical\n",
		"Load         checkout (pooled) at 30/s, critical: at most 7 connections, closed after 1m30s without use\n",
		"Load         checkout (retrier) at 20/s, critical: up to 3 attempts, backoff 50ms\n",
	} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("plan: %d, expected %q in\n%s%s", code, want, out, text)
		}
	}
	code, out, text = toy.gameday("run", "kinds", "--json")
	var v struct {
		Verdict  string
		Journeys []struct{ Journey, Verdict string }
		Load     []struct {
			Client   string
			Requests []struct {
				Phase         string
				Sent, Retries int
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 1 || v.Verdict != "proven" || len(v.Load) != 3 || len(v.Journeys) != 3 {
		t.Fatalf("run: %d %+v %v\n%s", code, v, err, text)
	}
	for i, kind := range []string{"browser", "pooled", "retrier"} {
		if j := v.Journeys[i]; v.Load[i].Client != kind || j.Journey != "checkout ("+kind+")" || j.Verdict != "proven" {
			t.Errorf("%+v %+v", v.Load[i], j)
		}
	}
	if len(v.Load[0].Requests) != 0 || len(v.Load[2].Requests) < 2 || v.Load[2].Requests[1].Phase != "fault" || v.Load[2].Requests[1].Retries == 0 {
		t.Errorf("%+v", v.Load)
	}
	toy.clean()

	toy.write("scenarios/kinds.yaml", strings.Replace(scenario, whole, "{journey: checkout, rate: 50/s, critical: true, clients: [browser, {kind: fresh, share: 1%}]}", 1))
	if code, out, text = toy.gameday("plan", "kinds"); code != 2 || !strings.Contains(text, "for journey checkout (fresh), which is") {
		t.Errorf("plan: %d %s%s", code, out, text)
	}
}
