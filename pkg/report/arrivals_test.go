package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
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

// How users connected and arrived, and who needed a retry, is in every report for people
// and in verdict.json.
func TestHowUsersCame(t *testing.T) {
	t.Parallel()
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
	mark := func(name record.MarkName, d time.Duration) {
		check(w.Event(record.Event{At: origin.Add(d), Kind: record.KindMark, Mark: name}))
	}
	mark(record.MarkBaseline, 0)
	for i := range 3000 {
		s := record.Sample{
			Journey: "checkout", Seq: uint64(i), Sent: origin.Add(time.Duration(i) * 20 * time.Millisecond), Latency: 5 * time.Millisecond, Code: 201,
			Late: time.Duration(i%100+1) * 20 * time.Microsecond,
		}
		if i >= 500 && i < 700 {
			s.Retries = 1
			if i%10 == 0 {
				s.Code, s.Error = 503, "order: status 503"
			}
		}
		check(w.Sample(s))
	}
	mark(record.MarkFault, 10*time.Second)
	mark(record.MarkRevert, 50*time.Second)
	mark(record.MarkEnd, 60*time.Second)
	check(w.Close())
	s, err := scenario.Load("x.yaml", []byte(`
version: 1
name: x
objective: {rto: 30s, good: 90%}
load: [{journey: checkout, rate: 50/s, critical: true, stages: [{to: 60/s, over: 1m}]}]
faults: [{kill: {target: {service: db}}}]
timing: {watch: 40s}
`), fault.Specs())
	check(err)
	check(run.Save(dir, run.Meta{ID: "x", Started: origin, Connection: []string{"certificates are not verified (insecure: true)"}}, s, nil))
	r, err := report.Build(dir)
	check(err)
	l := r.Load[0]
	if l.Retries == nil || l.Retries.Users != 200 || l.Retries.Bad != 20 || l.Retries.RawBad != 0.1 {
		t.Errorf("%+v", l.Retries)
	}
	if l.Lateness == nil || l.Lateness.P50.Duration().Round(10*time.Microsecond) != time.Millisecond || l.Lateness.Max.Duration() != 2*time.Millisecond {
		t.Errorf("%+v", l.Lateness)
	}
	for _, format := range []report.Format{report.Terminal, report.Markdown, report.HTML} {
		var b bytes.Buffer
		check(format(&b, r))
		for _, want := range []string{
			"certificates are not verified", "50/s, from the fault on to 60/s over 1m0s", "started users 1ms later than scheduled (median), p99 1.98ms, at most 2ms",
			"200 users needed a retry during the fault, 20 of them failed or were slow in the end; without retries 10% of all users would have",
		} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%q is not in\n%s", want, b.String())
			}
		}
	}
	var b bytes.Buffer
	check(report.JSON(&b, r))
	var v struct {
		Connection []string
		Load       []struct {
			Arrivals string
			Error    map[string]float64 `json:"arrival_error"`
			Retries  map[string]float64
		}
	}
	check(json.Unmarshal(b.Bytes(), &v))
	if got := v.Load[0]; got.Error["max_s"] != 0.002 || got.Retries["users"] != 200 || got.Arrivals == "" || len(v.Connection) != 1 {
		t.Errorf("%+v", v)
	}
}

// A report says that a watch was ended before its time, and by what.
func TestAWatchThatWasEnded(t *testing.T) {
	t.Parallel()
	r, err := report.Build(fixed(t, 0, func(m *run.Meta) { m.Decided = verdict.Proven }))
	if err != nil {
		t.Fatal(err)
	}
	var text, document bytes.Buffer
	if err := errors.Join(report.Terminal(&text, r), report.JSON(&document, r)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "because the verdict was decided (proven): the outage had lasted longer than the RTO") {
		t.Error(text.String())
	}
	if !strings.Contains(document.String(), `"watch_ended_by": "proven"`) {
		t.Error(document.String())
	}
}

// A report says what is known of the load generator: by how much it missed a known second, or
// that it was not calibrated.
func TestTheInstrumentIsInTheReport(t *testing.T) {
	t.Parallel()
	for calibrate, want := range map[string]string{
		"":    "",
		"off": "not calibrated: the scenario has calibrate: off",
		"on":  "NOT CALIBRATED: user 7 is missing",
	} {
		r, err := report.Build(fixed(t, 0, func(m *run.Meta) {
			if m.Calibrate = calibrate; calibrate == "on" {
				m.NotCalibrated = "user 7 is missing"
			}
		}))
		if err != nil || (r.Reason == verdict.InstrumentNotCalibrated) != (calibrate == "on") {
			t.Fatalf("%s %s %v", r.Outcome, r.Reason, err)
		}
		var b bytes.Buffer
		if err := report.Terminal(&b, r); err != nil || !strings.Contains(b.String(), want) || strings.Contains(b.String(), "Instrument") != (want != "") {
			t.Errorf("%v\n%s", err, b.String())
		}
	}
	r := report.Report{Instrument: &report.Instrument{Calibration: "on", Calibrations: []run.Calibrated{{
		Journey: "checkout", Lo: verdict.Seconds(-8600 * time.Microsecond), Hi: verdict.Seconds(20100 * time.Microsecond), Null: verdict.Seconds(12 * time.Second),
	}}}, Load: []report.Load{{Journey: "checkout", Void: &report.Void{Users: 31, Spans: 2, Total: verdict.Seconds(400 * time.Millisecond)}}}}
	var b bytes.Buffer
	if err := report.Markdown(&b, r); err != nil {
		t.Fatal(err)
	}
	r.Instrument.Calibrations = append(r.Instrument.Calibrations, run.Calibrated{Journey: "orders", Wrong: "the control load, which has no outage, is baseline-not-steady"})
	r.Instrument.Calibrations = append(r.Instrument.Calibrations, run.Calibrated{Journey: "search", Wrong: "an outage of 1s was measured as: inconclusive baseline-not-steady "})
	b.Reset()
	if err := report.Markdown(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"an outage of 1s could not be measured: requests to gameday's own server were slow or failed before it", "beside journey orders: more requests to gameday's own server were slow or failed than the objective allows", "−9 … +21 ms on a known second, no false alarm in 12 s", "31 users were excluded: the load generator stalled 2 times (400ms in total)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}

// A run whose rate was not kept says so first.
func TestARateThatWasNotKept(t *testing.T) {
	t.Parallel()
	r, err := report.Build(fixed(t, 0, func(m *run.Meta) { m.NotKept = "the load generator cannot keep the rate of journey checkout" }))
	if err != nil || r.Outcome != verdict.Inconclusive || r.Reason != verdict.RateNotKept {
		t.Fatalf("%s %s %v", r.Outcome, r.Reason, err)
	}
	var b bytes.Buffer
	if err := report.Terminal(&b, r); err != nil || !strings.Contains(b.String(), "cannot keep the rate of journey checkout") || !strings.Contains(b.String(), "could not keep the rate, so no fault was injected") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
