package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

var update = flag.Bool("update", false, "write the golden files anew")

var origin = time.Date(2026, 9, 21, 14, 13, 20, 0, time.UTC)

// fixed is the folder of a run that never was: users are down from the fault at
// 10 s for so long; it was undone at 50 s.
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
	check(record.WriteAcks(dir, acks))
	// The clock of whoever opened the record is not fixed.
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

// save saves what a run of a fixed scenario knows of itself.
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
	return map[string]report.Format{"json": report.JSON, "md": report.Markdown, "txt": report.Terminal, "junit": report.JUnit, "github": report.GitHub}
}

func cases(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		"proven":    fixed(t, 45*time.Second, nil),
		"recovered": fixed(t, 12*time.Second, nil),
		"late":      fixed(t, 33*time.Second, nil),
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
				t.Errorf("%s.%s: made twice, and not the same (%v)", name, suffix, err)
			}
			path := filepath.Join("testdata", name+"."+suffix)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (task golden writes it anew):\n%s", path, diff)
			}
		}
	}
}

// Every verdict.json is what its published schema says.
func TestVerdictSchema(t *testing.T) {
	t.Parallel()
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
	for name, dir := range cases(t) {
		r, err := report.Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := report.JSON(&out, r); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
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
