package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A report says which condition was not met, from when to when, and both times of a
// recovery: when users were served, and when the system was whole again.
func TestConditionsInReports(t *testing.T) {
	t.Parallel()
	const must = "must: [{name: two standbys, prometheus: {url: 'http://p:9090', query: standbys}, equals: 2, again_within: 30s}]\n"
	for name, c := range map[string]struct {
		from, to, down time.Duration
		dead           bool
		outcome        verdict.Outcome
		says           []string
	}{
		"met again in time": {from: 12 * time.Second, to: 30 * time.Second, down: 6 * time.Second, outcome: verdict.Disproved, says: []string{
			"two standbys: met in time: not met since 1.50s to 2.01s after injection, met again after 19.50s to 20.01s; for 17.49s to 18.51s (30s allowed)",
			"users were served after 6.00s, condition two standbys was met again after 19.50s to 20.01s",
		}},
		"not met for too long": {from: 12 * time.Second, to: 50 * time.Second, outcome: verdict.Degraded, says: []string{
			"Not as it must be: when db fails, users are served, but condition two standbys is NOT MET: not met since 1.50s to 2.01s after injection",
			"(30s allowed); found \"1\", expected 2",
		}},
		"not met before": {from: 0, to: time.Hour, outcome: verdict.Inconclusive, says: []string{
			"Inconclusive: condition two standbys is not met before the fault; found \"1\", expected 2.",
		}},
		"unknown": {dead: true, outcome: verdict.Inconclusive, says: []string{"Inconclusive: condition two standbys is unknown; connection refused."}},
		"proven, and not met": {from: 12 * time.Second, to: time.Hour, down: 40 * time.Second, outcome: verdict.Proven, says: []string{
			"two standbys: NOT MET: not met since 1.50s to 2.01s after injection, to the end",
		}},
	} {
		r := built(t, asking(t, c.down, must, func(at time.Duration, p *record.Poll) {
			p.Of, p.Why = record.PollCondition, "connection refused"
			if !c.dead {
				met := at < c.from || at >= c.to
				p.Holds, p.Why = &met, map[bool]string{false: `found "1", expected 2`}[met]
			}
		}))
		if r.Outcome != c.outcome {
			t.Errorf("%s: %s %s: %+v", name, r.Outcome, r.Reason, r.Conditions)
		}
		if err := conforms(t, published(t), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range c.says {
			for _, f := range []report.Format{report.Terminal, report.HTML, report.Markdown, report.JUnit} {
				if got := plain(formatted(t, f, r)); !strings.Contains(got, plain(text)) {
					t.Errorf("%s: a report lacks %q", name, text)
				}
			}
		}
	}
}

// A condition that is not met says nothing about users if the rest is inconclusive.
func TestAConditionSaysNothingAboutUsers(t *testing.T) {
	t.Parallel()
	for state, served := range map[verdict.State]bool{verdict.Recovered: true, verdict.Unaffected: true, "": false} {
		r := conditioned(suspected(verdict.Verdict{Outcome: verdict.Degraded, State: state, Reason: verdict.ConditionNotMet}, nil, "kill"), verdict.NotMet)
		if got := report.Headline(r); strings.Contains(got, "users are served") != served || !strings.Contains(got, "condition standbys is NOT MET") {
			t.Errorf("%q: %s", state, got)
		}
	}
}
