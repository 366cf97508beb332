package report_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A baseline that is not steady says what was seen: users who were slow, or failed. It never
// blames what the report has no figures of.
func TestABaselineThatIsNotSteadySaysWhatWasSeen(t *testing.T) {
	t.Parallel()
	const objective = 500 * time.Millisecond
	for name, c := range map[string]struct {
		slow, failed int // of 20 users
		reason       verdict.Reason
		want         string
	}{
		"slow":   {slow: 12, want: "12 of 20 users (60%) were slower than within: 500ms before the fault (median 802ms, p99 802ms): raise within:, or lower rate:."},
		"both":   {slow: 12, failed: 3, want: "12 of 20 users (60%) were slower than within: 500ms before the fault, and 3 failed (median 802ms, p99 802ms): raise within:, or lower rate:."},
		"failed": {slow: 1, failed: 5, want: "5 of 20 users (25%) failed before the fault, and 1 was slow: fix what causes the errors of journey checkout, then run again."},
		"not calibrated, and slow": {
			slow: 12, reason: verdict.InstrumentNotCalibrated,
			want: report.Reason(verdict.InstrumentNotCalibrated) + ". Besides, 12 of 20 users (60%) were slower than within: 500ms before the fault (median 802ms, p99 802ms): raise within:, or lower rate:.",
		},
		"not calibrated": {reason: verdict.InstrumentNotCalibrated, want: report.Reason(verdict.InstrumentNotCalibrated) + "."},
		"no figures":     {want: "users were not served within the objective before the fault: see the figures and errors of the baseline."},
	} {
		of := verdict.Case{Objective: verdict.Objective{RTO: time.Minute, Within: objective}.WithDefaults(), Rate: 10, Marks: verdict.Marks{Fault: time.Minute}}
		for i := range 20 {
			s := verdict.Sample{Sent: time.Duration(i) * 100 * time.Millisecond, Latency: 5 * time.Millisecond, Seq: uint32(i)}
			switch {
			case i < c.slow:
				s.Latency = 802 * time.Millisecond
			case i < c.slow+c.failed:
				s.Failed = true
			}
			of.Samples = append(of.Samples, s)
		}
		r := report.Report{Objective: report.ObjectiveOf(of.Objective, nil), Load: []report.Load{report.LoadOf("checkout", of)}}
		r.Outcome, r.Reason, r.Deciding = verdict.Inconclusive, cmp.Or(c.reason, verdict.BaselineNotSteady), "checkout"
		if got, found := strings.CutPrefix(report.Headline(r), "Inconclusive: "); !found || got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A run without a fault does not speak of users during a fault.
func TestARunWithoutAFault(t *testing.T) {
	t.Parallel()
	r := report.Report{}
	r.Journeys = []verdict.Journey{{Name: "checkout", Critical: true}, {Name: "search"}}
	page := formatted(t, report.Markdown, r)
	if strings.Count(page, "| Impact |") != 1 || !strings.Contains(page, "| Impact | no fault was injected |") {
		t.Error(page)
	}
}
