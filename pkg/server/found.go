package server

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/report"
)

// trend is the history of a scenario in an environment.
type trend struct {
	Scenario, Environment string
	history.Trend
	Newest history.Entry
	Points string // of a polyline of the recovery times, in a viewBox of 200 by 40
}

func trendsOf(runs []history.Entry) []trend {
	groups := map[[2]string][]history.Entry{}
	var keys [][2]string
	for _, e := range runs {
		if e.Problem != "" {
			continue
		}
		key := [2]string{e.Report.Environment, e.Report.Scenario}
		if groups[key] == nil {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], e)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return strings.Compare(a[0]+" "+a[1], b[0]+" "+b[1]) })
	all := make([]trend, 0, len(keys))
	for _, key := range keys {
		t := trend{Environment: key[0], Scenario: key[1], Trend: history.TrendOf(groups[key])}
		t.Newest = groups[key][len(groups[key])-1]
		t.Points = points(groups[key])
		all = append(all, t)
	}
	return all
}

// maxPoints is the maximum number of runs in a line; the newest ones.
const maxPoints = 50

// points draws recovery times on a scale from 0 to the longest one. Runs without a
// recovery time are left out.
func points(runs []history.Entry) string {
	var times []float64
	for _, e := range runs[max(len(runs)-maxPoints, 0):] {
		if r := e.Report.Recovery; r != nil {
			times = append(times, r.Duration().Seconds())
		}
	}
	if len(times) < 2 {
		return ""
	}
	top := max(slices.Max(times), 0.001)
	var b strings.Builder
	for i, t := range times {
		fmt.Fprintf(&b, "%.1f,%.1f ", float64(i)*196/float64(len(times)-1)+2, 38-36*t/top)
	}
	return strings.TrimSpace(b.String())
}

// suspect is a suspected component, with the newest verdict on it.
type suspect struct {
	Environment, Component string
	Report                 report.Report
	Decision               string
	Issues                 []report.Issue
}

// suspectsOf are the suspects of all environments, each with its newest verdict.
func suspectsOf(runs []history.Entry, decisions register.Register, now time.Time) []suspect {
	newest, issues := history.Evidence(runs), history.Issues(runs)
	all := make([]suspect, 0, len(newest))
	for key, r := range newest {
		shown := suspect{Environment: key[0], Component: key[1], Report: r, Decision: "-", Issues: issues[key]}
		if d, decided := decisions.Find(key[0], key[1]); decided {
			shown.Decision = string(d.Decision)
			if lacks := d.Lacks(now); len(lacks) > 0 {
				shown.Decision += ", problems: " + strings.Join(lacks, ", ")
			}
		}
		all = append(all, shown)
	}
	slices.SortFunc(all, func(a, b suspect) int {
		return strings.Compare(a.Environment+" "+a.Component, b.Environment+" "+b.Component)
	})
	return all
}
