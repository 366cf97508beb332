package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var origin = time.Date(2026, 9, 21, 14, 13, 20, 0, time.UTC)

// fixed is the folder of a made-up run: the fault is at 10 s, the revert at 50 s, and
// users are down for the given time from the fault on.
func fixed(t *testing.T, down time.Duration, change func(*run.Meta)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(d time.Duration) time.Time { return origin.Add(d) }
	mark := func(name record.MarkName, d time.Duration) {
		check(w.Event(record.Event{At: at(d), Kind: record.KindMark, Mark: name}))
	}
	const faultAt, undone, end = 10 * time.Second, 50 * time.Second, 60 * time.Second
	var acks []record.Ack
	mark(record.MarkBaseline, 0)
	for i := 0; time.Duration(i)*20*time.Millisecond < end; i++ {
		sent := time.Duration(i) * 20 * time.Millisecond
		s := record.Sample{Journey: "checkout", Seq: uint64(i), Sent: at(sent), Latency: 5 * time.Millisecond, Code: 201}
		if sent >= faultAt && sent < faultAt+down {
			s.Code, s.Error, s.Latency = 503, "order: status 503, expected 201", 40*time.Millisecond
		} else {
			acks = append(acks, record.Ack{Journey: "checkout", ID: strconv.Itoa(i), At: at(sent + s.Latency), Presence: "present"})
		}
		check(w.Sample(s))
		s.Journey = "checkout/order"
		check(w.Step(s))
	}
	mark(record.MarkFault, faultAt)
	mark(record.MarkRevert, undone)
	mark(record.MarkEnd, end)
	check(w.Close())
	recordtest.WriteAcks(t, dir, acks)
	// The first event has the time of this machine's clock: give it a fixed one.
	path := filepath.Join(dir, record.EventsFile)
	data, err := os.ReadFile(path)
	check(err)
	data = append([]byte(`{"at":"2026-09-21T14:13:20Z","kind":"note","what":"record opened","schema":"gameday/record/v1"}`), data[bytes.IndexByte(data, '\n'):]...)
	check(os.WriteFile(path, data, 0o600))

	ordered, inForce := at(faultAt), at(faultAt+100*time.Millisecond)
	meta := run.Meta{
		ID: "20260921T141320Z-checkout-db-loss-beef", Gameday: "v0.0.0-test", Environment: "lab/checkout", Started: origin, Finished: at(end), Seed: 7,
		Steps:     []run.StepAccount{{Kind: "kill", Component: "gameday-checkout_db_1", Ordered: &ordered, InForce: &inForce, Undone: true}},
		Confirmed: true,
	}
	if change != nil {
		change(&meta)
	}
	check(save(dir, meta))
	return dir
}

// save saves the metadata of a run of a fixed scenario.
func save(dir string, meta run.Meta) error {
	s, err := scenario.Load("checkout-db-loss.yaml", []byte(`
version: 1
name: checkout-db-loss
title: The host of the checkout database dies
environment: lab/checkout
suspect: {component: db, because: One PostgreSQL and no standby to promote.}
objective: {rto: 30s, rpo: 0}
load: [{journey: checkout, rate: 50/s, critical: true}]
faults: [{kill: {target: {service: db}}}]
timing: {watch: 40s}
`), fault.Specs())
	if err != nil {
		return err
	}
	return run.Save(dir, meta, s, nil)
}

func formats() map[string]report.Format {
	return map[string]report.Format{"json": report.JSON, "md": report.Markdown, "txt": report.Terminal, "junit": report.JUnit, "github": report.GitHub, "html": withoutCharts(report.HTML)}
}

// withoutCharts leaves the charts out of a page; they have a golden file of their own.
func withoutCharts(format report.Format) report.Format {
	chart := regexp.MustCompile(`(?s)(<svg role="img" aria-label="[^"]*") .*?</svg>`)
	return func(w io.Writer, r report.Report) error {
		var page bytes.Buffer
		if err := format(&page, r); err != nil {
			return err
		}
		_, err := w.Write(chart.ReplaceAll(page.Bytes(), []byte("$1/>")))
		return err
	}
}

func cases(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"proven":     fixed(t, 45*time.Second, nil),
		"recovered":  fixed(t, 12*time.Second, nil),
		"late":       fixed(t, 33*time.Second, nil),
		"still-down": fixed(t, time.Minute, nil),
		"unaffected": fixed(t, 0, func(m *run.Meta) {
			m.Left = "gameday-checkout_db_1 is not up 1m0s after it was started again"
			m.Steps[0].Undone = false
		}),
		"aborted": fixed(t, 12*time.Second, func(m *run.Meta) { m.Aborted = "ended by a person"; m.Confirmed = false }),
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, dir := range cases(t) {
		r, err := report.Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		for suffix, format := range formats() {
			var got, again bytes.Buffer
			if err := format(&got, r); err != nil {
				t.Fatal(err)
			}
			rebuilt, err := report.Build(dir)
			if err != nil || format(&again, rebuilt) != nil || !bytes.Equal(got.Bytes(), again.Bytes()) {
				t.Errorf("%s.%s: two builds of the same run differ (%v)", name, suffix, err)
			}
			golden(t, name+"."+suffix, got.String())
		}
	}
}

// golden compares a text with its golden file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; task golden rewrites it:\n%s", path, diff)
	}
}

// The chart of a run with an outage shows its panels, the fault, the bounds of the
// recovery and the deadline.
func TestGoldenChart(t *testing.T) {
	t.Parallel()
	r, err := report.Build(fixed(t, 12*time.Second, nil))
	if err != nil {
		t.Fatal(err)
	}
	var chart bytes.Buffer
	if err := report.ChartSVG(&chart, r, 0); err != nil {
		t.Fatal(err)
	}
	golden(t, "recovered.svg", chart.String())
}

// Trials that disagree, with one that did not recover.
func TestGoldenTrials(t *testing.T) {
	t.Parallel()
	var runs []report.Report
	for _, down := range []time.Duration{12 * time.Second, 45 * time.Second, 33 * time.Second} {
		r, err := report.Build(fixed(t, down, nil))
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	trials := report.TrialsOf(runs)
	for suffix, format := range map[string]func(io.Writer, report.Trials) error{"txt": report.TrialsTerminal, "md": report.TrialsMarkdown} {
		var got bytes.Buffer
		if err := format(&got, trials); err != nil {
			t.Fatal(err)
		}
		golden(t, "trials."+suffix, got.String())
	}
}

// Every outcome, state and reason has a sentence of its own.
func TestGoldenSentences(t *testing.T) {
	t.Parallel()
	figures := verdict.Verdict{
		Recovery: new(verdict.Seconds(12 * time.Second)), RecoveryLo: new(verdict.Seconds(11900 * time.Millisecond)), RecoveryHi: new(verdict.Seconds(12100 * time.Millisecond)),
		AtLeast: new(verdict.Seconds(40300 * time.Millisecond)), FirstImpact: new(verdict.Seconds(80 * time.Millisecond)), Severity: new(0.42), Relapses: new(2), Failback: true,
	}
	var b strings.Builder
	for _, c := range []struct {
		outcome verdict.Outcome
		state   verdict.State
		reason  verdict.Reason
	}{
		{verdict.Proven, verdict.Down, ""},
		{verdict.Proven, verdict.Late, ""},
		{verdict.Proven, "", verdict.RPOMissed},
		{verdict.Degraded, verdict.Down, ""},
		{verdict.Degraded, verdict.Impaired, ""},
		{verdict.Disproved, verdict.Unaffected, ""},
		{verdict.Disproved, verdict.Recovered, ""},
		{verdict.Aborted, "", ""},
		{verdict.Inconclusive, "", verdict.BaselineTooShort},
		{verdict.Inconclusive, "", verdict.BaselineNotSteady},
		{verdict.Inconclusive, "", verdict.TooFewSamples},
		{verdict.Inconclusive, "", verdict.ObservedLessThanRTO},
		{verdict.Inconclusive, "", verdict.TooCloseToCall},
		{verdict.Inconclusive, "", verdict.HoldNotObserved},
		{verdict.Inconclusive, "", verdict.LoadStalled},
		{verdict.Inconclusive, "", verdict.LoadClosed},
		{verdict.Inconclusive, "", verdict.FaultNotInForce},
		{verdict.Inconclusive, "", verdict.FaultNotFelt},
		{verdict.Inconclusive, "", verdict.RPONotObserved},
	} {
		r := report.Report{Suspect: report.Suspect{Component: "db"}, Aborted: "stopped by alice", Objective: report.Objective{RTO: verdict.Seconds(30 * time.Second), RPO: new(verdict.Seconds(0))}}
		r.Verdict = figures
		r.Outcome, r.State, r.Reason = c.outcome, c.state, c.reason
		r.Writes = &verdict.Writes{Acknowledged: 1500, Lost: 3, LossSpan: new(verdict.Seconds(time.Second)), SplitBrain: true, Unconfirmed: 2}
		fmt.Fprintf(&b, "%s %s%s\n  %s\n", c.outcome, c.state, c.reason, report.Headline(r))
	}
	r := report.Report{Objective: report.Objective{RTO: verdict.Seconds(30 * time.Second)}, FaultAt: &origin, Left: "db is not up 1m0s after it was started"}
	r.Verdict = figures
	r.Outcome, r.Deciding = verdict.Degraded, "checkout"
	r.Journeys = []verdict.Journey{{Name: "checkout", Critical: true, Verdict: figures}, {Name: "search"}}
	r.Writes = &verdict.Writes{Acknowledged: 1500, Lost: 3, LossSpan: new(verdict.Seconds(time.Second)), SplitBrain: true, Unconfirmed: 2}
	r.Load = []report.Load{{Journey: "checkout", Silences: []report.Silence{{From: verdict.Seconds(time.Second), To: verdict.Seconds(3 * time.Second)}}}}
	r.Faults = []run.StepAccount{{Kind: "kill", Component: "db_1"}, {Kind: "delay", Component: "cache_1", Ordered: &origin, InForce: &origin, Found: "1,204 packets delayed"}}
	r.Accepted = &report.Acceptance{
		By: "alice", Until: "2027-01-31", RTO: verdict.Seconds(time.Minute), Where: "spofs.yaml:3", Why: "outages of up to 20s are accepted, and this one lasted at least 40.3s",
		Cost: &report.Cost{Outage: verdict.Seconds(40 * time.Second), AtLeast: true, Living: 1200, Redundancy: 300, BreakEven: new(3.0), Currency: "EUR"},
	}
	if err := report.Terminal(&b, r); err != nil {
		t.Fatal(err)
	}
	golden(t, "sentences.txt", b.String())
}

// published is the schema of verdict.json.
func published(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := json.Marshal(report.VerdictSchema())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("verdict.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("verdict.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// conforms checks a report's verdict.json by the schema.
func conforms(t *testing.T, schema *jsonschema.Schema, r report.Report) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(formatted(t, report.JSON, r)))
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// Every verdict.json matches its published schema.
func TestVerdictSchema(t *testing.T) {
	t.Parallel()
	schema := published(t)
	for name, dir := range cases(t) {
		r, err := report.Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := conforms(t, schema, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := schema.Validate(map[string]any{"schema": "x", "verdict": "fine"}); err == nil {
		t.Error("the schema accepts anything")
	}
}

func TestANewerRunIsAClearError(t *testing.T) {
	t.Parallel()
	dir := fixed(t, 0, nil)
	if err := os.WriteFile(filepath.Join(dir, run.MetaFile), []byte(`{"schema":"gameday/run/v9"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	want := "read run run: run.json: found schema gameday/run/v9, this gameday reads up to gameday/run/v1: use a newer gameday"
	if _, err := report.Build(dir); err == nil || err.Error() != want {
		t.Errorf("%v, expected %q", err, want)
	}
}

// A service that is still down after the fault was reverted, and for longer than the RTO,
// did not fail to recover "by itself" only.
func TestAnOutageThatOutlivesItsFault(t *testing.T) {
	t.Parallel()
	fault := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
	for lasted, want := range map[time.Duration]string{
		10 * time.Second: "is down, and still down after the revert: for at least 45.00s, longer than the RTO of 30s.",
		60 * time.Second: "did not recover by itself: it was down for at least 45.00s, longer than the RTO of 30s.",
	} {
		revert := fault.Add(lasted)
		r := report.Report{FaultAt: &fault, Revert: &revert, Objective: report.ObjectiveOf(verdict.Objective{RTO: 30 * time.Second}.WithDefaults(), nil)}
		r.Verdict = verdict.Verdict{Outcome: verdict.Proven, State: verdict.Down, AtLeast: new(verdict.Seconds(45 * time.Second))}
		if text := report.Headline(r); !strings.HasSuffix(text, want) {
			t.Errorf("reverted after %v: %s", lasted, text)
		}
	}
}
