package alerttest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/report"
)

// observed are metrics of the lab's HAProxy, and two queries that are no metric.
func observed(prometheus string) string {
	var text strings.Builder
	text.WriteString("observe:\n")
	for _, m := range [][3]string{
		{"errors", `sum(irate(haproxy_backend_http_responses_total{proxy="apps", code="5xx"}[3s]))`, "per s"},
		{"app servers", `haproxy_backend_active_servers{proxy="apps"}`, ""},
		{"several", "haproxy_backend_http_responses_total", ""},
		{"none", "no_such_metric", ""},
	} {
		fmt.Fprintf(&text, "  - {name: %s, prometheus: {url: %q, query: '%s'}, unit: '%s'}\n", m[0], prometheus, m[1], m[2])
	}
	return text.String()
}

// What a real Prometheus knows of a lab is in the report, and a Prometheus that dies is a gap.
func TestMetrics(t *testing.T) { //nolint:paralleltest // it measures
	enginetest.Long(t, "alerts")
	enginetest.Alone(t)
	g := up(t, "checkout")
	s := newServers(t, "198.18.10.10:8405")
	eventually(t, "Prometheus has scraped HAProxy", func() bool {
		return strings.Contains(body(t, s.prometheus+"/api/v1/query?query=haproxy_backend_active_servers"), "apps")
	})
	_, r := play(t, g, observed(s.prometheus))
	for _, m := range r.Metrics {
		t.Logf("%s: %+v, gaps %+v", m.Name, m.Phases, m.Gaps)
	}
	errors := r.Metrics[0]
	fault := errors.Phases[1]
	if len(errors.Gaps) > 0 || errors.Phases[0].Highest != 0 || fault.Name != "fault" || fault.Highest < 5 || fault.Highest > 100 {
		t.Errorf("20 users/s that fail are %+v", errors)
	}
	for i, why := range map[int]string{2: "series, expected 1: use sum(), max() or min(), or more labels", 3: "the query returns no series"} {
		if m := r.Metrics[i]; len(m.Values) > 0 || len(m.Gaps) != 1 || !strings.Contains(m.Gaps[0].Why, why) {
			t.Errorf("%s: %+v", m.Name, m)
		}
	}

	done := onFault(t, g, func() {
		time.AfterFunc(4*time.Second, s.prom.kill)
	})
	_, r = play(t, g, observed(s.prometheus))
	done()
	for _, m := range r.Metrics[:2] {
		if gap := last(m); !strings.HasPrefix(gap.Why, "connection refused") && !strings.Contains(gap.Why, "then connection refused") ||
			gap.From.Duration() < 3*time.Second || gap.From.Duration() > 7*time.Second || len(m.Values) < 5 {
			t.Errorf("%s after its server was killed: %+v", m.Name, m)
		}
	}
}

// last is the last gap of a metric.
func last(m report.Metric) report.MetricGap {
	if len(m.Gaps) == 0 {
		return report.MetricGap{}
	}
	return m.Gaps[len(m.Gaps)-1]
}
