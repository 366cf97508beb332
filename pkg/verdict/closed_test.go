package verdict_test

import (
	"slices"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// load is samples at a rate per second over a span, each with a latency.
func load(from, to time.Duration, rate int, latency time.Duration, failed bool) (all []verdict.Sample) {
	for at := from; at < to; at += time.Second / time.Duration(rate) {
		all = append(all, verdict.Sample{Sent: at, Latency: latency, Failed: failed})
	}
	return all
}

// Users who wait for answers send less when a service stalls: what they still sent may
// look good. A load that fell supports no good verdict.
func TestClosedLoop(t *testing.T) {
	t.Parallel()
	const quick = 10 * time.Millisecond
	base := load(0, 20*time.Second, 50, quick, false)
	join := func(parts ...[]verdict.Sample) []verdict.Sample {
		all := slices.Clip(base)
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	steady := join(load(20*time.Second, 80*time.Second, 50, quick, false))
	fell := join(load(20*time.Second, 40*time.Second, 50, quick, false), load(40*time.Second, 60*time.Second, 10, quick, false), load(60*time.Second, 80*time.Second, 50, quick, false))
	waited := join(load(20*time.Second, 25*time.Second, 10, 400*time.Millisecond, true), load(25*time.Second, 80*time.Second, 50, quick, false))
	down := join(load(20*time.Second, 80*time.Second, 10, quick, true))
	for name, c := range map[string]struct {
		samples         []verdict.Sample
		closed, undated bool
		outcome         verdict.Outcome
		reason          verdict.Reason
	}{
		"open, steady":               {steady, false, false, verdict.Disproved, ""},
		"open, fell":                 {fell, false, false, verdict.Disproved, ""},
		"closed, steady":             {steady, true, false, verdict.Disproved, ""},
		"closed, fell":               {fell, true, false, verdict.Inconclusive, verdict.LoadClosed},
		"closed, fell in the outage": {waited, true, false, verdict.Disproved, ""},
		"closed, down":               {down, true, false, verdict.Proven, ""},
		"closed, down, undated":      {down, true, true, verdict.Inconclusive, verdict.LoadClosed},
		"closed, steady, undated":    {steady, true, true, verdict.Inconclusive, verdict.LoadClosed},
	} {
		v := verdict.Judge(verdict.Case{
			Samples: c.samples, Closed: c.closed, Undated: c.undated, Marks: verdict.Marks{Fault: 20 * time.Second},
			Objective: verdict.Objective{RTO: 15 * time.Second}.WithDefaults(),
		})
		if v.Outcome != c.outcome || v.Reason != c.reason {
			t.Errorf("%s: %s %s, expected %s %s", name, v.Outcome, v.Reason, c.outcome, c.reason)
		}
	}
}
