package probe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// What the control load costs, with its server: the processor time of a load of 1/s with it,
// less that of one without.
func BenchmarkControlLoad(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	const lasts = 5 * time.Second
	spent := func(control *probe.Control) time.Duration {
		l := probe.Load{
			Journey: probe.Journey{Name: "checkout", Steps: []probe.Step{{Get: "/"}}}, Way: probe.Way{Entry: server.URL},
			Rate: probe.Rate{Users: 1, Per: time.Second}, Control: control,
		}
		ctx, cancel := context.WithTimeout(b.Context(), lasts)
		defer cancel()
		before := used()
		if err := l.Run(ctx, func(probe.Visit) {}); err != nil {
			b.Fatal(err)
		}
		return used() - before
	}
	for b.Loop() {
		without := spent(nil)
		with := spent(&probe.Control{Rate: probe.ControlRate()})
		b.ReportMetric(float64(with-without)/float64(lasts)*100, "%processor")
	}
}
