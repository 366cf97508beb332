package probe_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/pkg/record"
)

// BenchmarkDecodeBesideVegeta compares samples for each second of processor time with what
// vegeta report does, on the same bytes, one after the other in one run: a file of
// vegeta attack, and one of gameday.
func BenchmarkDecodeBesideVegeta(b *testing.B) {
	const n = 200_000
	headers := http.Header{"Content-Type": {"text/html"}, "Date": {"Thu, 26 Nov 2026 12:00:00 GMT"}, "Server": {"nginx/1.26.3"}}
	files := map[string]func(*vegeta.Result){
		"gameday": func(*vegeta.Result) {},
		"vegeta":  func(r *vegeta.Result) { r.Method, r.URL, r.Headers = http.MethodGet, "http://127.0.0.1:8080/", headers },
	}
	for name, more := range files {
		b.Run(name, func(b *testing.B) {
			results := make([]vegeta.Result, n)
			for i := range results {
				r := &results[i]
				*r = vegeta.Result{Attack: "checkout", Seq: uint64(i), Code: 200, Timestamp: time.Unix(1_790_000_000, int64(i)*1e6).UTC(), Latency: 5*time.Millisecond + time.Duration(i%977)*time.Microsecond, BytesIn: 615}
				if i%10 == 0 {
					r.Code, r.Error = 503, "order: status 503, expected 201"
				}
				more(r)
			}
			data := encoded(b, vegeta.NewEncoder, results...)
			for b.Loop() {
				theirs, ours := throughput(b, n, data, reportOfVegeta), throughput(b, n, data, decodeOurs)
				b.ReportMetric(theirs, "vegeta_results/cpu_s")
				b.ReportMetric(ours, "gameday_results/cpu_s")
				b.ReportMetric(ours/theirs, "ratio")
			}
		})
	}
}

// throughput is how many results are taken for each second of processor time.
func throughput(b *testing.B, n int, data []byte, do func([]byte) (int, error)) float64 {
	b.Helper()
	runtime.GC()
	before := used()
	if got, err := do(data); err != nil || got != n {
		b.Fatalf("%d of %d: %v", got, n, err)
	}
	return float64(n) / (used() - before).Seconds()
}

// reportOfVegeta does what vegeta report does.
func reportOfVegeta(data []byte) (n int, err error) {
	decode := vegeta.NewDecoder(bytes.NewReader(data))
	var metrics vegeta.Metrics
	for {
		var r vegeta.Result
		if err := decode(&r); err != nil {
			break
		}
		metrics.Add(&r)
		n++
	}
	metrics.Close()
	return n, vegeta.NewTextReporter(&metrics)(io.Discard)
}

func decodeOurs(data []byte) (n int, err error) {
	decoder := record.NewDecoder(bytes.NewReader(data))
	for {
		var s record.Sample
		err := decoder.Next(&s)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n++
	}
}
