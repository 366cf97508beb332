package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/store"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// registry holds the metrics of /metrics.
func (s *Server) registry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newFigures(s))
	return r
}

// figures are the metrics of gameday itself. Each scrape reads them from the history
// and the store, so that they survive a restart, and every instance exports the same.
type figures struct {
	server                                                  *Server
	runs, recovery, atLeast, last, undo, jobs, up, schedule *prometheus.Desc
}

func newFigures(s *Server) *figures {
	of := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("gameday_"+name, help, labels, nil)
	}
	return &figures{
		server:   s,
		runs:     of("runs_total", "Runs in the history, by verdict.", "scenario", "environment", "verdict"),
		recovery: of("recovery_seconds", "Recovery time of the newest run. Absent if it has none.", "scenario", "environment"),
		atLeast:  of("down_at_least_seconds", "Lower bound of the outage in the newest run, if service did not recover by itself.", "scenario", "environment"),
		last:     of("last_success_timestamp_seconds", "Start time of the newest run whose verdict is disproved.", "scenario", "environment"),
		undo:     of("undo_failures_total", "Runs in the history that could not undo their faults."),
		jobs:     of("jobs", "Jobs in the store, by state.", "state"),
		up:       of("store_up", "1 if the store can be reached, else 0."),
		schedule: of("schedule_next_timestamp_seconds", "Time of the next run of a schedule. Absent if there is none.", "schedule"),
	}
}

// Describe implements [prometheus.Collector].
func (f *figures) Describe(to chan<- *prometheus.Desc) { prometheus.DescribeByCollect(f, to) }

// scrapeTimeout is the timeout of a scrape.
const scrapeTimeout = 5 * time.Second

// Collect implements [prometheus.Collector].
func (f *figures) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(f.server.lasts, scrapeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	up := 0.0
	if counts, err := f.server.Daemon.Store.Counts(ctx); err == nil {
		up = 1
		for _, state := range store.States() {
			gauge(f.jobs, float64(counts[state]), string(state))
		}
	}
	gauge(f.up, up)
	for _, s := range f.server.scheduled() {
		if s.Next != nil {
			gauge(f.schedule, float64(s.Next.Unix()), s.Name)
		}
	}
	if err := f.server.history(ctx, func(h *history.History) error { return f.ofRuns(ctx, h, to) }); err != nil {
		f.server.complain("read the history for metrics", err)
	}
}

func (f *figures) ofRuns(ctx context.Context, h *history.History, to chan<- prometheus.Metric) error {
	runs, err := h.Overview(ctx, history.Filter{})
	if err != nil {
		return err
	}
	type where struct{ scenario, environment string }
	type what struct {
		where
		verdict verdict.Outcome
	}
	counts, newest, survived := map[what]int{}, map[where]report.Report{}, map[where]report.Report{}
	left := 0
	for _, e := range runs {
		r := e.Report
		if e.Problem != "" {
			continue
		}
		at := where{r.Scenario, r.Environment}
		counts[what{at, r.Outcome}]++
		newest[at] = r
		if r.Outcome == verdict.Disproved {
			survived[at] = r
		}
		if r.Left != "" {
			left++
		}
	}
	for k, n := range counts {
		to <- prometheus.MustNewConstMetric(f.runs, prometheus.CounterValue, float64(n), k.scenario, k.environment, string(k.verdict))
	}
	to <- prometheus.MustNewConstMetric(f.undo, prometheus.CounterValue, float64(left))
	for at, r := range newest {
		if r.Recovery != nil {
			to <- prometheus.MustNewConstMetric(f.recovery, prometheus.GaugeValue, r.Recovery.Duration().Seconds(), at.scenario, at.environment)
		}
		if r.AtLeast != nil {
			to <- prometheus.MustNewConstMetric(f.atLeast, prometheus.GaugeValue, r.AtLeast.Duration().Seconds(), at.scenario, at.environment)
		}
	}
	for at, r := range survived {
		to <- prometheus.MustNewConstMetric(f.last, prometheus.GaugeValue, float64(r.Started.Unix()), at.scenario, at.environment)
	}
	return nil
}

var _ prometheus.Collector = (*figures)(nil)
