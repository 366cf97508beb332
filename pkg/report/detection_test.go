package report_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// asking makes a fixed run one that asked outside: every half second, from its beginning to
// its end. part is what its scenario declares.
func asking(t *testing.T, down time.Duration, part string, answer func(at time.Duration, p *record.Poll)) string {
	t.Helper()
	var polls []record.Poll
	for at := time.Duration(0); at < 60*time.Second; at += 500 * time.Millisecond {
		p := record.Poll{Of: record.PollAlert, Asked: origin.Add(at), Answered: origin.Add(at + 10*time.Millisecond)}
		answer(at, &p)
		polls = append(polls, p)
	}
	return withPolls(t, fixed(t, down, nil), part, polls)
}

// withPolls adds polls to the folder of a run, and a part to its scenario.
func withPolls(tb testing.TB, dir, part string, polls []record.Poll) string {
	tb.Helper()
	other := tb.TempDir() + "/run"
	w, err := record.Create(other)
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range polls {
		if err := w.Poll(p); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	move(tb, other+"/"+record.PollsFile, dir+"/"+record.PollsFile)
	f, err := run.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := scenario.Load("checkout-db-loss.yaml", []byte(f.Resolved+part), fault.Specs())
	if err != nil {
		tb.Fatal(err)
	}
	if err := run.Save(dir, f.Meta, s, nil); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// built is the report of a folder.
func built(t *testing.T, dir string) report.Report {
	t.Helper()
	r, err := report.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// move moves a file.
func move(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.Rename(from, to); err != nil {
		tb.Fatal(err)
	}
}

// plain is a text without line breaks, and without what formats escape.
func plain(text string) string {
	text = strings.NewReplacer(`\`, "", "&#34;", `"`, "&#39;", "'").Replace(text)
	return strings.Join(strings.Fields(text), " ")
}

func formatted(t *testing.T, format report.Format, r report.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := format(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What became of the alerts is in every report, and decides the exit code only if the
// scenario says so.
func TestDetectionInReports(t *testing.T) {
	t.Parallel()
	const expected = "expect_alerts: [{alertmanager: 'http://am:9093', name: CheckoutDown, within: 20s, clears_within: 5s}]\n"
	for name, c := range map[string]struct {
		down      time.Duration
		from, to  time.Duration
		dead      bool
		verdict   verdict.Detected
		says      []string
		exit, all int // without and with alerts: required
	}{
		"in time": {down: 6 * time.Second, from: 13 * time.Second, to: 53 * time.Second, verdict: verdict.InTime, says: []string{
			"detected: all expected alerts fired in time", "CheckoutDown: fired 2.50s to 3.01s after the first failed or slow user (2.50s to 3.01s after injection), limit 20s; cleared 2.50s to 3.01s after the revert",
		}},
		"late, and it stays": {down: 6 * time.Second, from: 40 * time.Second, to: time.Hour, verdict: verdict.DetectedLate, all: 1, says: []string{
			"late: an expected alert fired after its limit", "(alert-late)", "still firing 5s after the revert (did-not-clear)",
		}},
		"never": {down: 6 * time.Second, from: time.Hour, verdict: verdict.Missed, all: 1, says: []string{
			"missed: an expected alert did not fire", "CheckoutDown: did not fire, limit 20s (not-detected)",
		}},
		"users were not affected": {from: time.Hour, verdict: verdict.Missed, all: 1, says: []string{
			"missed: users were not affected, and no alert told that a component failed (unaffected-unnoticed): the next failure may be an outage",
		}},
		"before": {down: 6 * time.Second, to: time.Hour, verdict: verdict.Unknown, all: 3, says: []string{
			"CheckoutDown: unknown: it was firing when the fault was injected",
		}},
		"the server is dead": {down: 6 * time.Second, dead: true, verdict: verdict.Unknown, all: 3, says: []string{
			"unknown: whether all expected alerts fired in time could not be observed", "CheckoutDown: unknown: connection refused",
		}},
		"proven, and not detected": {down: 40 * time.Second, from: time.Hour, verdict: verdict.Missed, exit: 1, all: 1},
	} {
		answer := func(at time.Duration, p *record.Poll) {
			if p.Why = "connection refused"; !c.dead {
				fires := at >= c.from && at < c.to
				p.Why, p.Holds = "", &fires
			}
		}
		r := built(t, asking(t, c.down, expected, answer))
		if r.Detection.Verdict != c.verdict || r.ExitCode() != c.exit {
			t.Errorf("%s: %+v, exit code %d", name, r.Detection, r.ExitCode())
		}
		required := built(t, asking(t, c.down, expected+"alerts: required\n", answer))
		if required.ExitCode() != c.all {
			t.Errorf("%s: exit code %d if alerts are required, expected %d", name, required.ExitCode(), c.all)
		}
		if decided := strings.Contains(report.Headline(required), "Alerts are required: "+string(c.verdict)); decided != (c.exit != c.all) {
			t.Errorf("%s: %s", name, report.Headline(required))
		}
		if err := conforms(t, published(t), r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range c.says {
			for _, f := range []report.Format{report.Terminal, report.HTML, report.Markdown, report.JUnit} {
				if !strings.Contains(plain(formatted(t, f, r)), plain(text)) {
					t.Errorf("%s: a report lacks %q", name, text)
				}
			}
		}
		if without := built(t, fixed(t, c.down, nil)); formatted(t, report.JSON, report.Report{Run: without.Run}) != formatted(t, report.JSON, report.Report{Run: r.Run}) {
			t.Errorf("%s: the verdict about recovery is another one with alerts", name)
		}
	}
}
