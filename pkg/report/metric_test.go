package report_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/plot/vg"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

const queueAndLag = `
observe:
  - {name: queue length, prometheus: {url: "http://p:9090", query: sum(queue_length)}, unit: jobs}
  - {name: replication lag, prometheus: {url: "http://p:9090", query: max(lag)}, unit: s}
  - {name: dead, prometheus: {url: "http://p:9090", query: nothing}}
`

// reading is what a metric is at a moment, or why there is no value.
type reading func(at time.Duration) (value float64, why string)

// observing is the folder of a run that asks for metrics every second.
func observing(t *testing.T, down time.Duration, part string, metrics ...reading) string {
	t.Helper()
	var polls []record.Poll
	for at := 200 * time.Millisecond; at < 60*time.Second; at += time.Second {
		for n, of := range metrics {
			p := record.Poll{Of: record.PollMetric, N: n, Asked: origin.Add(at), Answered: origin.Add(at + 10*time.Millisecond)}
			value, why := of(at)
			if p.Why = why; why == "" {
				p.Value = &value
			}
			polls = append(polls, p)
		}
	}
	return withPolls(t, fixed(t, down, nil), part, polls)
}

// busy is a queue that grows during the fault, and whose server does not answer for a while.
func busy(at time.Duration) (float64, string) {
	switch s := at.Seconds(); {
	case s > 22 && s < 29.5:
		return 0, "connection refused"
	case s > 10 && s < 50:
		return 3 + 137*math.Sin((s-10)/40*math.Pi), ""
	}
	return 3, ""
}

func lagging(at time.Duration) (float64, string) {
	if at > 40*time.Second && at < 43*time.Second {
		return 0, "the value is NaN, which is not finite"
	}
	return 0.0021 + 0.0004*math.Sin(at.Seconds()), ""
}

func dead(time.Duration) (float64, string) { return 0, "connection refused" }

// The lines and the chart of what was observed.
func TestGoldenMetrics(t *testing.T) {
	t.Parallel()
	r := built(t, observing(t, 12*time.Second, queueAndLag, busy, lagging, dead))
	var chart bytes.Buffer
	if err := report.ChartSVG(&chart, r, 0); err != nil {
		t.Fatal(err)
	}
	golden(t, "observed.svg", chart.String())
	for _, suffix := range []string{"txt", "md", "json", "html"} {
		golden(t, "observed."+suffix, formatted(t, formats()[suffix], r))
	}
	if err := conforms(t, published(t), r); err != nil {
		t.Error(err)
	}
}

// Whatever is observed, all else of verdict.json is what it is without it.
func TestMetricsChangeNothingElse(t *testing.T) {
	t.Parallel()
	without := func(dir string) string {
		r := built(t, dir)
		r.Metrics = nil
		return formatted(t, report.JSON, r) + formatted(t, report.JUnit, r) + formatted(t, report.GitHub, r) + report.Headline(r)
	}
	for _, down := range []time.Duration{0, 12 * time.Second, 45 * time.Second} {
		want := without(fixed(t, down, nil))
		for name, of := range map[string]reading{"values": busy, "none": dead} {
			if diff := cmp.Diff(want, without(observing(t, down, queueAndLag, of, of, of))); diff != "" {
				t.Errorf("down for %v, %s:\n%s", down, name, diff)
			}
		}
	}
}

// What is said of a metric, in every format for people.
func TestMetricsInReports(t *testing.T) {
	t.Parallel()
	const part = "observe: [{name: queue, prometheus: {url: 'http://u:hunter2@p:9090/x?token=hunter2', query: q}, unit: jobs}]\n"
	flapping := func(at time.Duration) (float64, string) {
		if int(at.Seconds())%10 == 5 {
			return 0, "connection refused"
		}
		return 7, ""
	}
	changing := func(at time.Duration) (float64, string) {
		switch s := at.Seconds(); {
		case s > 55:
			return 0, "status 503, and the response is not from a Prometheus server"
		case s > 52:
			return 0, "connection refused"
		}
		return 1234.5, ""
	}
	for name, c := range map[string]struct {
		of   reading
		says string
	}{
		"a gap":       {busy, "queue: median 3 jobs in the baseline, 5.152 to 140 jobs during the fault, 3 jobs after the revert; no value from 12.2s to 20.2s after injection: connection refused"},
		"never":       {dead, "queue: no value in the whole run: connection refused"},
		"before it":   {func(at time.Duration) (float64, string) { return 1, map[bool]string{true: "late"}[at < 11*time.Second] }, "queue: no value in the baseline, 1 jobs during the fault, 1 jobs after the revert; no value from -10.0s to 1.2s after injection: late"},
		"many gaps":   {flapping, "no value from 15.2s to 16.2s after injection: connection refused; 3 more gaps, 3.0s in all"},
		"two reasons": {changing, "queue: median 1,235 jobs in the baseline, 1,235 jobs during the fault, 1,235 jobs after the revert; no value from 42.2s to 50.0s after injection: connection refused; then status 503, and the response is not from a Prometheus server"},
	} {
		r := built(t, observing(t, 12*time.Second, part, c.of))
		for _, f := range []report.Format{report.Terminal, report.HTML, report.Markdown} {
			if got := plain(formatted(t, f, r)); !strings.Contains(got, plain(c.says)) {
				t.Errorf("%s: a report lacks %q:\n%s", name, c.says, got)
			}
		}
		for name, f := range formats() {
			if strings.Contains(strings.ReplaceAll(formatted(t, f, r), r.Again, ""), "hunter2") && name != "html" {
				t.Errorf("%s shows the secret of a URL", name)
			}
		}
	}
}

// A run without an answer, a fault or a file of polls is told as that.
func TestMetricsThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	dir := observing(t, 12*time.Second, queueAndLag, busy)
	path := filepath.Join(dir, record.PollsFile)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data string
		says string
	}{
		"a torn last line": {string(data[:len(data)-9]), "queue length: median 3 jobs in the baseline, 5.152 to 140 jobs during the fault"},
		"an empty file":    {"", "queue length: no value in the whole run: it was not asked for"},
		"half of it":       {string(data[:len(data)/2]), "no value from 12.2s to 50.0s after injection: connection refused; then no more answers were recorded"},
	} {
		if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := plain(formatted(t, report.Markdown, built(t, dir))); !strings.Contains(got, c.says) {
			t.Errorf("%s: a report lacks %q:\n%s", name, c.says, got)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	events := filepath.Join(dir, record.EventsFile)
	if data, err = os.ReadFile(events); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(data), `"mark":"fault"`, `"mark":"other"`)
	if err := os.WriteFile(events, []byte(strings.ReplaceAll(text, `"mark":"revert"`, `"mark":"other"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := formatted(t, report.Terminal, built(t, dir)); !strings.Contains(plain(got), "queue length: no value in the whole run") {
		t.Error(got)
	}
}

// All panels of a chart have one time axis, whatever the numbers beside them are, and no value
// breaks it.
func TestPanelsHaveOneTimeAxis(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]float64{
		"zeros": {0}, "one value": {42}, "long numbers": {123456.789, 123456.790}, "negatives": {-5, -1}, "both signs": {-1e6, 1e6},
		"huge": {-math.MaxFloat64, math.MaxFloat64}, "tiny": {math.SmallestNonzeroFloat64, 1e-300}, "wide": {1e-9, 1e15}, "apart": {1e15, 1e15 + 1},
	} {
		i := 0
		of := func(time.Duration) (float64, string) {
			i++
			return values[i%len(values)], ""
		}
		r := built(t, observing(t, 12*time.Second, queueAndLag, of, of, dead))
		all, err := report.TimeAxes(r, 0)
		if err != nil || len(all) != 5 {
			t.Fatalf("%s: %d panels, %v", name, len(all), err)
		}
		for _, axis := range all {
			if axis.Max.X-axis.Min.X < 20*vg.Centimeter || axis.Max.Y-axis.Min.Y < vg.Centimeter || math.Abs(float64(axis.Min.X-all[0].Min.X)) > 0.01 || math.Abs(float64(axis.Max.X-all[0].Max.X)) > 0.01 {
				t.Errorf("%s: the panels are at %v", name, all)
			}
		}
		for suffix, f := range formats() {
			if got := formatted(t, f, r); suffix != "json" && strings.Contains(got, "NaN") || strings.Contains(got, "Inf") {
				t.Errorf("%s: %s shows what is no number", name, suffix)
			}
		}
	}
}

// declare adds a part to the scenario of a stored run, as it stands there.
func declare(tb testing.TB, dir, part string) {
	tb.Helper()
	path := filepath.Join(dir, run.ScenarioFile)
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(data, part...), 0o600)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// An hour with as many metrics as there can be, each of which fails every other second, is a
// small report, and keeps the highest and the lowest value.
func TestMetricsOfAnHour(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	if err := hour(dir, 1, time.Hour, 1); err != nil {
		t.Fatal(err)
	}
	var polls []record.Poll
	declared := make([]string, 2*scenario.MostMetrics) // as a stranger's run may have them
	for n := range declared {
		declared[n] = fmt.Sprintf("{name: metric %d, prometheus: {url: http://p:9090, query: q}}", n)
	}
	for at := time.Duration(0); at < time.Hour; at += time.Second {
		for n := range scenario.MostMetrics {
			p := record.Poll{Of: record.PollMetric, N: n, Asked: origin.Add(at), Answered: origin.Add(at + time.Millisecond), Why: "connection refused"}
			if n == 0 || int(at.Seconds())%2 == 0 {
				value := float64(n)
				if at == 1234*time.Second {
					value = 99
				}
				p.Value, p.Why = &value, ""
			}
			polls = append(polls, p)
		}
	}
	withPolls(t, dir, "", polls)
	declare(t, dir, "observe: ["+strings.Join(declared, ", ")+"]\n")
	r := built(t, dir)
	if len(r.Metrics) != scenario.MostMetrics {
		t.Fatalf("%d metrics", len(r.Metrics))
	}
	for _, m := range r.Metrics {
		highest := 0.0
		for _, v := range m.Values {
			highest = max(highest, v.Value)
		}
		if len(m.Values) > 500 || len(m.Gaps) > 100 || highest != 99 {
			t.Errorf("%s: %d values up to %v, %d gaps", m.Name, len(m.Values), highest, len(m.Gaps))
		}
	}
	page, without := len(formatted(t, report.HTML, r)), r
	without.Metrics = nil
	if each := (page - len(formatted(t, report.HTML, without))) / scenario.MostMetrics; each > 100<<10 {
		t.Errorf("a metric takes %d bytes of the page", each)
	}
	if json := len(formatted(t, report.JSON, r)); json > 1<<20 {
		t.Errorf("verdict.json has %d bytes", json)
	}
}
