package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// between is when users of a load fail, since the beginning.
type between struct{ from, to time.Duration }

// failing is a run of a minute, whose fault is in force from 10 s to 50 s, with the load and
// when its users fail.
func failing(t *testing.T, load string, of map[string][]between) report.Report {
	t.Helper()
	marks := map[record.MarkName]time.Time{record.MarkBaseline: origin}
	for name, at := range map[record.MarkName]time.Duration{record.MarkFault: 10 * time.Second, record.MarkRevert: 50 * time.Second, record.MarkEnd: time.Minute} {
		marks[name] = origin.Add(at)
	}
	return recorded(t, load, marks, func(w *record.Writer) error {
		for journey, spans := range of {
			for i := range 1200 {
				at := time.Duration(i) * 50 * time.Millisecond
				s := record.Sample{Journey: journey, Seq: uint64(i), Sent: origin.Add(at), Latency: 5 * time.Millisecond, Code: 200}
				if slices.ContainsFunc(spans, func(b between) bool { return at >= b.from && at < b.to }) {
					s.Code, s.Error = 0, "home: connection refused"
				}
				if err := w.Sample(s); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

const twoKinds = "{journey: c, rate: 60/s, critical: true, clients: [browser, dns-forever]}"

// Who was down to the end is worse off than who was served again after a longer time.
func TestWhoIsNotServedAgainDecides(t *testing.T) {
	t.Parallel()
	r := failing(t, twoKinds, map[string][]between{"c (browser)": {{10 * time.Second, 38 * time.Second}}, "c (dns-forever)": {{30 * time.Second, time.Minute}}})
	if r.Deciding != "c (dns-forever)" || r.State != verdict.Down {
		t.Errorf("%s decides: %s", r.Deciding, r.State)
	}
	if got := report.Headline(r); !strings.Contains(got, "dns-forever did not recover (down for at least 20.00s), browser recovered after 28.00s") {
		t.Error(got)
	}
}

// Critical users who are not served at the end are told, whichever journey decides.
func TestUsersWhoAreNotServedAtTheEndAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of   map[string][]between
		says []string
	}{
		"both were down": {
			map[string][]between{"c (browser)": {{10 * time.Second, 51 * time.Second}}, "c (dns-forever)": {{11 * time.Second, time.Minute}}},
			[]string{"Post-revert c (dns-forever): requests still failed or were slow when the run ended"},
		},
		"by the revert": {
			map[string][]between{"c (browser)": {}, "c (dns-forever)": {{50 * time.Second, time.Minute}}},
			[]string{"Post-revert c (dns-forever): requests still failed or were slow when the run ended"},
		},
	} {
		text := plain(formatted(t, report.TerminalOf(200), failing(t, twoKinds, c.of)))
		for _, says := range c.says {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), says) {
				t.Errorf("%s: expected %q in\n%s", name, says, text)
			}
		}
	}
}
