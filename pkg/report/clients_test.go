package report_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// recorded writes the record of a run with marks at moments after the origin, and builds its
// report.
func recorded(t *testing.T, load string, marks map[record.MarkName]time.Time, write func(w *record.Writer) error) report.Report {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	check(err)
	for name, at := range marks {
		check(w.Event(record.Event{At: at, Kind: record.KindMark, Mark: name}))
	}
	check(write(w))
	check(w.Close())
	s, err := scenario.Load("x.yaml", []byte(`
version: 1
name: x
objective: {rto: 5s, good: 90%}
load: [`+load+`]
faults: [{kill: {target: {service: db}}}]
timing: {baseline: 1s, watch: 40s}
`), fault.Specs())
	check(err)
	check(run.Save(dir, run.Meta{ID: "x", Started: origin}, s, nil))
	r, err := report.Build(dir)
	check(err)
	return r
}

// The report counts each request that the server saw, and says how many more there were than
// without retries.
func TestTheStormOfRetriesIsInTheReport(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	began := time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		if since := time.Since(began); since > time.Second && since < 3*time.Second {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	marks := map[record.MarkName]time.Time{
		record.MarkBaseline: began, record.MarkFault: began.Add(time.Second), record.MarkRevert: began.Add(3 * time.Second), record.MarkEnd: began.Add(4 * time.Second),
	}
	r := recorded(t, "{journey: checkout, rate: 50/s, critical: true, clients: [{kind: retrier, attempts: 3}]}", marks, func(w *record.Writer) (err error) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		return probe.Load{
			Journey: probe.Journey{Name: "checkout (retrier)", Steps: []probe.Step{{Name: "home", Get: "/"}}}, Way: probe.Way{Entry: server.URL},
			Client: probe.Client{Kind: probe.Retrier, Attempts: 3}, Rate: probe.Rate{Users: 50, Per: time.Second},
		}.Run(ctx, func(v probe.Visit) {
			if err := w.Sample(v.Sample); err != nil {
				t.Error(err)
			}
			for _, s := range v.Steps {
				if err := w.Step(s); err != nil {
					t.Error(err)
				}
			}
		})
	})
	sent, during := 0, report.Requests{}
	for _, q := range r.Load[0].Requests {
		sent += q.Sent
		if q.Phase == "fault" {
			during = q
		} else if q.Retries > 4 { // at the moment between them
			t.Errorf("%+v", q)
		}
	}
	if int64(sent) != hits.Load() {
		t.Errorf("the server saw %d requests, the report has %d: %+v", hits.Load(), sent, r.Load[0].Requests)
	}
	if during.Sent < 280 || during.Sent > 310 || during.Retries < during.Sent*6/10 || during.Retries > during.Sent*7/10 {
		t.Errorf("%+v during two seconds at 50/s with two retries each", during)
	}
	var b bytes.Buffer
	if err := report.TerminalOf(200)(&b, r); err != nil || !strings.Contains(b.String(), "as many as without retries (1.0") || !strings.Contains(b.String(), "during the fault, "+report.Thousands(during.Retries)+" of them retries: 3.0") && !strings.Contains(b.String(), "of them retries: 2.9") {
		t.Errorf("%v %s", err, b.String())
	}
}

// Each kind of client has its own recovery in every report, and the headline names the worst
// one first.
func TestEachKindOfClientHasItsRecovery(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return origin.Add(d) }
	const s = time.Second
	marks := map[record.MarkName]time.Time{record.MarkBaseline: at(0), record.MarkFault: at(10 * s), record.MarkRevert: at(50 * s), record.MarkEnd: at(60 * s)}
	ends := map[string]time.Duration{"checkout (fresh)": 12 * s, "checkout (dns-forever)": 60 * s, "checkout (pooled)": 0}
	r := recorded(t, "{journey: checkout, rate: 60/s, critical: true, clients: [fresh, {kind: pooled, size: 7}, dns-forever]}", marks, func(w *record.Writer) error {
		for name, until := range ends {
			for i := range 1200 {
				sample := record.Sample{Journey: name, Seq: uint64(i), Sent: at(time.Duration(i) * 50 * time.Millisecond), Latency: 5 * time.Millisecond, Code: 200}
				if i >= 200 && time.Duration(i)*50*time.Millisecond < until {
					sample.Code, sample.Error = 0, "home: connection refused"
				}
				if err := w.Sample(sample); err != nil {
					return err
				}
			}
		}
		return nil
	})
	const sentence = "By kind of client, the worst first: dns-forever did not recover (down for at least 40.00s), fresh recovered after 2.00s, pooled had no outage."
	if got := report.Headline(r); !strings.HasSuffix(got, sentence) || r.Deciding != "checkout (dns-forever)" {
		t.Errorf("%s, decided by %s", got, r.Deciding)
	}
	for _, format := range []report.Format{report.TerminalOf(200), report.Markdown, report.HTML} {
		var b bytes.Buffer
		if err := format(&b, r); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(b.String(), `\`, "")
		for _, want := range []string{
			"dns-forever: not recovered: down for at least 40.00s, RTO 5s", "fresh: 2.00s (at least 1.95s, at most ", "pooled: no outage, RTO 5s",
			"checkout (pooled): at most 7 connections, closed after 1m30s without use",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
	}
	var b bytes.Buffer
	var v struct {
		Load []struct {
			Journey, Client string
			ClientKind      string `json:"client_kind"`
			ClientSettings  string `json:"client_settings"`
		}
	}
	if err := report.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b.Bytes(), &v); err != nil || v.Load[1].Client != "pooled" || v.Load[1].Journey != "checkout (pooled)" ||
		v.Load[1].ClientKind != "pooled" || v.Load[1].ClientSettings != "at most 7 connections, closed after 1m30s without use" {
		t.Errorf("%v %+v", err, v)
	}
}

// Retries that hide an outage from users are named by the headline, whatever the client's name
// is; and nothing else is taken for a retry.
func TestARetrierDoesNotHideAnOutage(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return origin.Add(d) }
	const s = time.Second
	marks := map[record.MarkName]time.Time{record.MarkBaseline: at(0), record.MarkFault: at(10 * s), record.MarkRevert: at(50 * s), record.MarkEnd: at(60 * s)}
	for clients, want := range map[string]struct {
		load               string // the name of the load that is served by retries
		sentence, fact, is string
	}{
		"[{kind: retrier, name: app}]": {
			"checkout (app)", "there is no outage. During the fault, 80% of users were served only by a retry of their client.",
			"checkout (app): retrier, up to 3 attempts, backoff 0s", "checkout (app): 640 users needed a retry",
		},
		"[retrier]": {
			"checkout (retrier)", "there is no outage. During the fault, 80% of users were served only by a retry of their client.",
			"checkout (retrier): up to 3 attempts, backoff 0s", "checkout (retrier): 640 users needed a retry",
		},
		"[browser, {kind: retrier, name: app}]": {
			"checkout (app)", "the worst first: browser had no outage, app (retrier, 80% of its users were served only by a retry) had no outage.",
			"checkout (app): retrier, up to 3 attempts, backoff 0s", "app (retrier): no outage, RTO 5s; 80% of its users during the fault were served only by a retry",
		},
		"[browser]":                {"checkout (browser)", "there is no outage.", "", ""}, // by retry: of a step
		"[{kind: fresh, name: a}]": {"checkout (a)", "there is no outage.", "checkout (a): fresh", ""},
	} {
		r := recorded(t, "{journey: checkout, rate: 60/s, critical: true, clients: "+clients+"}", marks, func(w *record.Writer) error {
			for _, name := range []string{want.load, "checkout (browser)"}[:1+strings.Count(clients, "browser,")] {
				for i := range 1200 {
					when := time.Duration(i) * 50 * time.Millisecond
					sample := record.Sample{Journey: name, Seq: uint64(i), Sent: at(when), Latency: 5 * time.Millisecond, Code: 200}
					if name == want.load && when >= 10*s && when < 50*s && i%5 != 0 {
						sample.Retries = 2
					}
					if err := w.Sample(sample); err != nil {
						return err
					}
					sample.Journey += "/login (attempt 1)" // a step of a journey that was recorded before such names were refused
					if err := w.Step(sample); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if got := report.Headline(r); !strings.HasSuffix(got, want.sentence) {
			t.Errorf("%s: %s", clients, got)
		}
		for _, l := range r.Load {
			if l.Requests != nil {
				t.Errorf("%s: retries that are none: %+v", clients, l.Requests)
			}
		}
		var b bytes.Buffer
		if err := report.TerminalOf(300)(&b, r); err != nil || !strings.Contains(b.String(), want.fact) || !strings.Contains(b.String(), want.is) {
			t.Errorf("%s: %v: %q or %q is not in\n%s", clients, err, want.fact, want.is, b.String())
		}
	}
}
