package trace_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/trace"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A collector receives a run and its phases, with the times of the record.
func TestExport(t *testing.T) {
	spans := map[string]time.Duration{}
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body)
		}
		data, err := io.ReadAll(body)
		var exported collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(data, &exported) != nil || r.URL.Path != "/v1/traces" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(status)
		for _, resource := range exported.GetResourceSpans() {
			for _, scope := range resource.GetScopeSpans() {
				for _, s := range scope.GetSpans() {
					spans[s.GetName()] = time.Duration(s.GetEndTimeUnixNano() - s.GetStartTimeUnixNano())
				}
			}
		}
	}))
	t.Cleanup(server.Close)
	at := func(s int) *time.Time { return new(time.Date(2026, 11, 26, 10, 0, s, 0, time.UTC)) }
	r := report.Report{
		ID: "x", Scenario: "db-loss", Started: *at(0), FaultAt: at(10), Revert: at(40), Ended: *at(50), Finished: *at(52),
		Faults: []run.StepAccount{{Kind: "kill", Component: "db", Ordered: at(10)}, {Kind: "noop", Component: "db", Ordered: at(10), TakenBack: at(20)}, {Kind: "kill", Component: "never"}},
		Run:    verdict.Run{Verdict: verdict.Verdict{Outcome: verdict.Proven}},
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
	if err := trace.Export(t.Context(), r); err != nil || trace.Configured() {
		t.Errorf("without a collector: %v", err)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	if err := trace.Export(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want := map[string]time.Duration{"gameday db-loss": 52 * time.Second, "baseline": 10 * time.Second, "kill db": 30 * time.Second, "noop db": 10 * time.Second, "repair": 10 * time.Second}
	for name, lasts := range want {
		if spans[name] != lasts {
			t.Errorf("%s lasted %v, expected %v", name, spans[name], lasts)
		}
	}
	if len(spans) != len(want) {
		t.Errorf("exported %v", slices.Sorted(func(yield func(string) bool) {
			for name := range spans {
				if !yield(name) {
					return
				}
			}
		}))
	}
	status = http.StatusForbidden
	if err := trace.Export(t.Context(), r); err == nil {
		t.Error("a rejected export is not an error")
	}
}

// A collector that holds its response is waited for as long as the export may take: one
// that does not answer, and one that changes the protocol (H4).
func TestACollectorThatHoldsItsResponse(t *testing.T) { //nolint:paralleltest // it sets the environment
	for name, head := range map[string]string{
		"silence": "", "101": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
		"dead after the head": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", "try again": "HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			_, _ = io.WriteString(c, head)
		}))
		t.Cleanup(server.Close)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		done := make(chan error, 1)
		go func() { done <- trace.Export(ctx, report.Report{}) }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "trace the run: ") {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: the export goes on", name)
		}
		cancel()
	}
}
