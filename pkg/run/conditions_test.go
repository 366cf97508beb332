package run_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A fault that no user notices is degraded if a condition is not met for too long, and
// nothing is broken if it is not met before.
func TestConditionsOfARun(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	const two = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}`
	one := strings.Replace(two, `"2"`, `"1"`, 1)
	within := func(from, to time.Duration, body string, err error) func(time.Duration) (string, error) {
		return func(since time.Duration) (string, error) {
			if since >= from && since < to {
				return body, err
			}
			return two, nil
		}
	}
	refused := errors.New("connection refused")
	for name, c := range map[string]struct { //nolint:paralleltest // as said
		during  verdict.During
		again   time.Duration
		answers func(since time.Duration) (string, error) // since the beginning: the fault is after 10 s, the revert after 70 s
		outcome verdict.Outcome
		reason  verdict.Reason
		orders  bool // a fault is ordered
		ends    time.Duration
	}{
		"always met":                        {"", 0, within(0, 0, one, nil), verdict.Disproved, "", true, 0},
		"not met in the fault":              {"", 0, within(20*time.Second, 25*time.Second, one, nil), verdict.Degraded, verdict.ConditionNotMet, true, 0},
		"met again in time":                 {"", 20 * time.Second, within(20*time.Second, 25*time.Second, one, nil), verdict.Disproved, "", true, 0},
		"met again late":                    {"", 20 * time.Second, within(20*time.Second, 45*time.Second, one, nil), verdict.Degraded, verdict.ConditionNotMet, true, 0},
		"met again after the revert":        {"", 60 * time.Second, within(65*time.Second, 100*time.Second, one, nil), verdict.Disproved, "", true, 100 * time.Second},
		"never met again":                   {"", 30 * time.Second, within(65*time.Second, time.Hour, one, nil), verdict.Degraded, verdict.ConditionNotMet, true, 100 * time.Second},
		"not met at first":                  {"", 0, within(0, 15*time.Second, one, nil), verdict.Disproved, "", true, 0},
		"not met before":                    {"", 0, within(0, time.Hour, one, nil), verdict.Inconclusive, verdict.ConditionNotSteady, false, 0},
		"not met before, asked after":       {verdict.DuringAfter, 60 * time.Second, within(0, time.Hour, one, nil), verdict.Inconclusive, verdict.ConditionNotSteady, false, 0},
		"no answer before":                  {"", 0, within(0, time.Hour, "", refused), verdict.Inconclusive, verdict.ConditionUnknown, false, 0},
		"no answer in the fault":            {"", 5 * time.Second, within(20*time.Second, 45*time.Second, "", refused), verdict.Inconclusive, verdict.ConditionUnknown, true, 0},
		"no answer for less than it may":    {"", 20 * time.Second, within(20*time.Second, 25*time.Second, "", refused), verdict.Disproved, "", true, 0},
		"no series is not met":              {"", 0, within(20*time.Second, 25*time.Second, `{"status":"success","data":{"resultType":"vector","result":[]}}`, nil), verdict.Degraded, verdict.ConditionNotMet, true, 0},
		"not met after, asked in the fault": {verdict.DuringFault, 0, within(71*time.Second, 75*time.Second, one, nil), verdict.Disproved, "", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, d := time.Now(), newDay(t)
				outsideIs(t, func(*http.Request) (string, error) { return c.answers(time.Since(began)) })
				d.faults = []scenario.Fault{{Kind: "noop", Spec: &fault.Noop{}, Target: killDB().Target, Where: "x.yaml:1:1"}}
				d.change = func(p *plan.Plan) {
					p.Scenario.Must = []scenario.Must{{
						Prometheus: &gate.Prometheus{URL: "http://p", Query: "standbys"}, Test: gate.Test{Equals: uint64(2)}, During: c.during, AgainWithin: c.again,
					}}
				}
				account, err := d.conduct(t.Context(), t)
				if err != nil {
					t.Fatal(err)
				}
				f, v, _ := d.judged(t, account)
				if v.Outcome != c.outcome || v.Reason != c.reason {
					t.Errorf("%s %s, expected %s %s: %+v", v.Outcome, v.Reason, c.outcome, c.reason, v.Conditions)
				}
				if _, ordered := f.Marks[record.MarkFault]; ordered != c.orders {
					t.Errorf("a fault was ordered: %v", ordered)
				}
				if ended := f.Marks[record.MarkEnd].Sub(began); ended < c.ends || c.ends > 0 && ended > c.ends+5*time.Second {
					t.Errorf("it ended after %v, expected %v", ended, c.ends)
				}
				if broken := v.Conditions[0].BrokenAt != nil; broken && !slices.ContainsFunc(f.Events, func(e record.Event) bool {
					return e.Kind == record.KindOutside && strings.HasPrefix(e.What, "condition standbys is not met: ")
				}) {
					t.Error("no event says that the condition is not met")
				}
			})
		})
	}
}

// A scenario that declares a condition is never judged without its answers.
func TestLostAnswersAreNoPass(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	synctest.Test(t, func(t *testing.T) {
		outsideIs(t, func(*http.Request) (string, error) { return "fine", nil })
		d := newDay(t)
		d.faults = []scenario.Fault{{Kind: "noop", Spec: &fault.Noop{}, Target: killDB().Target, Where: "x.yaml:1:1"}}
		d.change = func(p *plan.Plan) {
			p.Scenario.Must = []scenario.Must{{HTTP: &gate.HTTP{GET: "http://p"}, Test: gate.Test{Matches: "fine"}}}
		}
		account, err := d.conduct(t.Context(), t)
		if err != nil {
			t.Fatal(err)
		}
		f, v, _ := d.judged(t, account)
		if v.Outcome != verdict.Disproved {
			t.Fatalf("%s %s: %+v", v.Outcome, v.Reason, v.Conditions)
		}
		for _, cut := range []int{0, 5, len(f.Polls) / 2} {
			short := f
			short.Polls = f.Polls[:cut]
			if v, _, err := short.Judge(nil); err != nil || v.Outcome != verdict.Inconclusive || v.Reason != verdict.ConditionUnknown {
				t.Errorf("with %d answers: %s %s, %v", cut, v.Outcome, v.Reason, err)
			}
		}
	})
}
