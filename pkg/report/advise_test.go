package report_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Advice goes as far as the evidence: none without a proven or degraded verdict, that for a
// slow recovery if there was a recovery, and always marked as advice.
func TestAdviceGoesAsFarAsTheEvidence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		down   time.Duration
		change func(*run.Meta)
		want   string // of the advice; none if empty
	}{
		"down":       {down: 45 * time.Second, want: "standby that replicates"},
		"late":       {down: 33 * time.Second, want: "longest part of the recovery"},
		"recovered":  {down: 12 * time.Second},
		"unaffected": {},
		"aborted":    {down: 12 * time.Second, change: func(m *run.Meta) { m.Aborted = "ended by a person" }},
	} {
		r, err := report.Build(fixed(t, c.down, c.change))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Advice) == 0 != (c.want == "") || c.want != "" && !strings.Contains(r.Advice[0].Do, c.want) {
			t.Errorf("%s: %+v", name, r.Advice)
		}
		for _, format := range []report.Format{report.HTML, report.Markdown} {
			text := written(t, func(w io.Writer) error { return format(w, r) })
			if marked := strings.Contains(text, "Advice, not evidence"); marked != (c.want != "") {
				t.Errorf("%s: marked as advice: %v\n%s", name, marked, text)
			}
		}
		if c.want == "" {
			continue
		}
		a := r.Advice[0]
		if a.TakenFor != "database" || a.Disproves != "gameday run checkout-db-loss" || !strings.Contains(a.Because, "users (") || !strings.Contains(a.Because, "RTO 30s") {
			t.Errorf("%s: %+v", name, a)
		}
		data, err := json.Marshal(r)
		if err != nil || !strings.Contains(string(data), `"advice":[{"component":"db","taken_for":"database"`) {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

// A verdict that is degraded for another reason than users who were badly served, such as a
// condition, has no advice about users.
func TestNoAdviceAboutUsersWhoWereServed(t *testing.T) {
	t.Parallel()
	r, err := report.Build(fixed(t, 45*time.Second, nil))
	if err != nil {
		t.Fatal(err)
	}
	for state, want := range map[verdict.State]int{verdict.Down: 1, verdict.Late: 1, verdict.Impaired: 1, verdict.Recovered: 0, verdict.Unaffected: 0, "": 0} {
		r.Outcome, r.State, r.Advice = verdict.Degraded, state, nil
		if n := len(report.Hits(r)); n != want {
			t.Errorf("degraded, %q: %d", state, n)
		}
	}
}
