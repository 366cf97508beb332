package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// The part of an error budget is that of the requests which may fail in 30 days, and is
// never shown as less than it is.
func TestTheErrorBudget(t *testing.T) {
	t.Parallel()
	for ratio, want := range map[float64]string{0: "0%", 0.0015500625: "0.16%", 0.00029: "0.029%", 0.5: "50%", 1: "100%", 1.234: "130%", 1e-7: "0.000010%", 0.99999: "100%"} {
		if got := report.Burnt(ratio); got != want {
			t.Errorf("%v is %s, expected %s", ratio, got, want)
		}
	}
	// 2,250 of the 1,296,000 requests that may fail at 50/s in 30 days at 99%.
	r, err := report.Build(fixed(t, 45*time.Second, nil))
	if err != nil {
		t.Fatal(err)
	}
	if lost := report.Lost(r); !slices.Contains(lost, "Error budget burnt: 0.18% (of a 30-day budget at 99%, if all users are affected)") {
		t.Errorf("%q", lost)
	}
}

// What users lost and the paragraph for people who were not there say no more than the run
// has seen.
func TestForPeopleWhoWereNotThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		down          time.Duration
		holds, lacks  []string
		lost, finding string
	}{
		"down": {
			down: 45 * s, holds: []string{"21 September 2026 at 14:13 UTC", "kill gameday-checkout_db_1", "did not come back by itself in the 40.00s", "reverted 40.00s after"},
			lost: "Outage: ≥ 40.00s (not recovered by itself, RTO 30s)", finding: "Single point of failure",
		},
		"recovered": {
			down: 12 * s, holds: []string{"600 of 2,000 users (30%)", "came back by itself after 12.00s"}, lacks: []string{"did not come back"},
			lost: "Outage: 12.00s (11.98s to 12.01s, RTO 30s)",
		},
		"unaffected": {lacks: []string{"failed or was slow", "came back"}, lost: "Outage: none (RTO 30s)"},
	} {
		r, err := report.Build(fixed(t, c.down, nil))
		if err != nil {
			t.Fatal(err)
		}
		story := report.Story(r)
		for _, want := range c.holds {
			if !strings.Contains(story, want) {
				t.Errorf("%s lacks %q: %s", name, want, story)
			}
		}
		for _, not := range c.lacks {
			if strings.Contains(story, not) {
				t.Errorf("%s says %q: %s", name, not, story)
			}
		}
		if lost := report.Lost(r); !slices.Contains(lost, c.lost) {
			t.Errorf("%s: %q", name, lost)
		}
		findings := strings.Join(report.ReviewedOf(r), "; ")
		if c.finding == "" && findings != "" || !strings.Contains(findings, c.finding) {
			t.Errorf("%s: %s", name, findings)
		}
	}
}

// If people were to recover service, nothing says that it came back by itself.
func TestRecoveryByPeopleIsNotTheSystems(t *testing.T) {
	t.Parallel()
	for _, down := range []time.Duration{12 * s, 33 * s, 45 * s} {
		r, err := report.Build(fixed(t, down, func(m *run.Meta) { m.ByHand = &run.ByHand{} }))
		if err != nil {
			t.Fatal(err)
		}
		text := report.Story(r) + strings.Join(report.Lost(r), "; ")
		if strings.Contains(text, "by itself") || !strings.Contains(strings.ToLower(text), "people were to recover") {
			t.Errorf("down for %v: %s", down, text)
		}
	}
}
