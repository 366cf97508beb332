package report

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// story is the run in one paragraph, for people who were not there.
func (r Report) story() string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format, args...) }
	if r.Scenario == "" || r.Started.IsZero() {
		return ""
	}
	say("On %s, gameday ran %s in %s", r.Started.UTC().Format("2 January 2006 at 15:04 UTC"), r.Scenario, r.Environment)
	if r.Title != "" {
		say(" (%s)", r.Title)
	}
	for i, l := range r.Load {
		say("%s", []string{": simulated users", ", and others"}[min(i, 1)])
		say(" used journey %s at %g users/s", l.Journey, l.Rate)
	}
	say(". ")
	switch {
	case r.FaultAt == nil:
		say("No fault was injected.")
		return b.String()
	case len(r.Faults) == 0:
		say("A fault was injected.")
	default:
		say("Then it injected the fault on purpose: %s.", r.broke())
	}
	if r.FirstImpact != nil && r.Outcome != verdict.Aborted {
		say(" The first request failed or was slow %s after that; %s were hit while the fault was active.", short(r.FirstImpact), strings.Replace(shareOfUsers(r.Bad, r.Samples), " users", cmp.Or(r.among(), " users"), 1))
		switch {
		case r.Recovery != nil && r.ByHand != nil:
			say(" Service came back after %s; people were to recover it, and whether it comes back without them was not tested.", short(r.Recovery))
		case r.Recovery != nil:
			say(" Service came back by itself after %s.", short(r.Recovery))
		case r.AtLeast != nil && r.ByHand != nil:
			say(" People were to recover service, and it did not come back in the %s that were observed.", short(r.AtLeast))
		case r.AtLeast != nil:
			say(" Service did not come back by itself in the %s that were observed.", short(r.AtLeast))
		}
	}
	if r.Revert != nil {
		say(" The fault was reverted %s after it began.", short(new(verdict.Seconds(r.Revert.Sub(*r.FaultAt)))))
	}
	if r.Left != "" {
		say(" NOT everything could be undone: %s.", r.Left)
	}
	return b.String()
}

// broke names what was done to which components.
func (r Report) broke() string {
	const most = 4
	var parts []string
	for i, f := range r.Faults {
		if i == most && len(r.Faults) > most+1 {
			parts = append(parts, fmt.Sprintf("%d more", len(r.Faults)-most))
			break
		}
		parts = append(parts, strings.TrimSpace(f.Kind+" "+f.Component))
	}
	return strings.Join(parts, ", ")
}

// figure is a number that a reader should see first.
type figure struct{ Name, Value, Note string }

// among is " users of checkout" if there are several journeys, of which one decided.
func (r Report) among() string {
	if len(r.Load) < 2 {
		return ""
	}
	return " users of " + r.Deciding
}

// lost is what users of the deciding journey have lost.
func (r Report) lost() (all []figure) {
	if r.FaultAt == nil || r.Deciding == "" || r.Outcome == verdict.Aborted {
		return nil
	}
	if r.Samples > 0 {
		all = append(all, figure{"Users hit", Percent(float64(r.Bad) / float64(r.Samples)), fmt.Sprintf("%s of %s%s during the fault", thousands(r.Bad), thousands(r.Samples), r.among())})
	}
	switch {
	case r.Recovery != nil && *r.Recovery == 0:
		all = append(all, figure{"Outage", "none", "RTO " + r.Objective.RTO.String()})
	case r.Recovery != nil && r.RecoveryLo != nil && r.RecoveryHi != nil:
		all = append(all, figure{"Outage", short(r.Recovery), fmt.Sprintf("%s, RTO %s", between(*r.RecoveryLo, *r.RecoveryHi), r.Objective.RTO)})
	case r.AtLeast != nil:
		note := "not recovered by itself, RTO "
		if r.ByHand != nil {
			note = "not recovered by people, RTO "
		}
		all = append(all, figure{"Outage", "≥ " + short(r.AtLeast), note + r.Objective.RTO.String()})
	}
	if r.Writes != nil {
		all = append(all, figure{"Writes lost", thousands(r.Writes.Lost), fmt.Sprintf("of %s acknowledged, RPO %s", thousands(r.Writes.Acknowledged), r.Writes.RPO)})
	}
	if f, ok := r.budget(); ok {
		all = append(all, f)
	}
	return all
}

// budgetDays is the period of an error budget.
const budgetDays = 30

// budget is the part of the error budget that the fault has burnt: of the requests that may
// fail or be slow in 30 days at the rate of the run, those that did from the fault on. The
// objective's good is the SLO.
func (r Report) budget() (figure, bool) {
	for _, l := range r.Load {
		if l.Journey != r.Deciding || l.Rate <= 0 || r.Objective.Good <= 0 || r.Objective.Good >= 1 {
			continue
		}
		bad := 0
		for _, p := range l.Phases {
			if p.Name != verdict.PhaseBaseline {
				bad += p.Bad
			}
		}
		allowed := l.Rate * (budgetDays * 24 * time.Hour).Seconds() * (1 - r.Objective.Good)
		return figure{"Error budget burnt", burnt(float64(bad) / allowed), fmt.Sprintf("of a %d-day budget at %s, if all users are affected", budgetDays, Percent(r.Objective.Good))}, true
	}
	return figure{}, false
}

// burnt is a part of a budget, with two significant digits, rounded up: no budget that was
// burnt shows as 0%.
func burnt(ratio float64) string {
	percent := ratio * 100
	if percent == 0 {
		return "0%"
	}
	unit := math.Pow(10, math.Floor(math.Log10(percent))-1)
	return fmt.Sprintf("%.*f%%", int(max(0, -math.Floor(math.Log10(unit)+1e-9))), math.Ceil(percent/unit-1e-9)*unit)
}

// reviewed is something that a review has to decide on, who owns it, and the key of its
// issue if it can have one.
type reviewed struct{ What, Owner, Key string }

// findings are what the review has to decide on.
func (r Report) findings() (all []reviewed) {
	owner := "no owner yet"
	if r.Accepted != nil && r.Accepted.By != "" {
		owner = r.Accepted.By
	}
	add := func(format string, args ...any) {
		all = append(all, reviewed{What: fmt.Sprintf(format, args...), Owner: owner})
	}
	if r.Left != "" {
		add("NOT UNDONE: %s", r.Left)
	}
	for _, f := range FindingsOf(r) {
		if !f.Disproved {
			all = append(all, reviewed{f.Title, owner, f.Key})
		}
	}
	if r.Writes != nil && r.Writes.Lost > 0 && r.Reason != verdict.RPOMissed {
		add("Acknowledged writes were lost: %s.", writes(*r.Writes))
	}
	if r.Relapses != nil && *r.Relapses > 0 {
		add("Service recovered and failed again, %s.", times(*r.Relapses))
	}
	if d := r.Detection; d != nil && (d.Finding != "" || d.Verdict == verdict.DetectedLate || d.Verdict == verdict.Missed) {
		add("Alerts: %s.", Detection(*d))
	}
	if r.Failback {
		add("Reverting the fault caused another outage.")
	}
	return all
}

// done is what was done to one component, and undone.
type done struct{ What, Ordered, InForce, Undone string }

// doings are the faults, with their times since the first one.
func (r Report) doings() (all []done) {
	for _, f := range r.Faults {
		d := done{What: strings.TrimSpace(f.Kind + " " + f.Component), Ordered: "not recorded", InForce: "not seen", Undone: "NOT REVERTED"}
		if f.Ordered != nil && r.FaultAt != nil {
			d.Ordered = since(*r.FaultAt, *f.Ordered)
			if f.InForce != nil {
				d.InForce = since(*r.FaultAt, *f.InForce)
			}
		}
		switch {
		case f.Undone && f.TakenBack != nil && r.FaultAt != nil:
			d.Undone = "ordered at " + since(*r.FaultAt, *f.TakenBack)
		case f.Undone && r.Revert != nil && r.FaultAt != nil:
			d.Undone = "ordered at " + since(*r.FaultAt, *r.Revert)
			if at, ok := record.MarksOf(r.Events)[record.MarkReverted]; ok {
				d.Undone += ", done by " + since(*r.FaultAt, at)
			}
		case f.Undone:
			d.Undone = "done"
		}
		all = append(all, d)
	}
	return all
}

func since(fault, at time.Time) string {
	return fmt.Sprintf("%+.3fs", at.Sub(fault).Round(time.Millisecond).Seconds())
}

// chartRow is a row of a chart's data.
type chartRow struct {
	At                 string
	Good, Slow, Failed int
	P50, P95, P99      string
	Metrics            []string // of the chart, in their order
}

// mostChartRows is how many rows the data of a chart has; more bins are put together.
const mostChartRows = 80

// chartRows are the data of a chart, for readers who do not see it. Of bins that are put
// together the percentiles are the highest.
func (s Series) chartRows(metrics []Metric) (rows []chartRow) {
	step := (len(s.Bins) + mostChartRows - 1) / mostChartRows
	for i := 0; i < len(s.Bins); i += step {
		var sum Bin
		for _, b := range s.Bins[i:min(i+step, len(s.Bins))] {
			sum.Good, sum.Slow, sum.Failed = sum.Good+b.Good, sum.Slow+b.Slow, sum.Failed+b.Failed
			sum.P50, sum.P95, sum.P99 = max(sum.P50, b.P50), max(sum.P95, b.P95), max(sum.P99, b.P99)
		}
		at := s.Start + time.Duration(i)*s.Width
		ms := func(d time.Duration) string { return short(new(verdict.Seconds(d))) }
		cells := make([]string, len(metrics))
		for k, m := range metrics {
			cells[k] = m.cell(at, at+time.Duration(step)*s.Width)
		}
		rows = append(rows, chartRow{fmt.Sprintf("%+gs", at.Seconds()), sum.Good, sum.Slow, sum.Failed, ms(sum.P50), ms(sum.P95), ms(sum.P99), cells})
	}
	return rows
}

// alt describes the chart of a journey in words.
func (r Report) alt(journey int) string {
	s := r.series[journey]
	text := "Chart of the users of journey " + s.Journey + " over time: good, slow and failed above, latency below."
	var marks []string
	for _, l := range r.labels(journey) {
		marks = append(marks, fmt.Sprintf("%s at %s", l.text, short(new(verdict.Seconds(time.Duration(l.at*float64(time.Second)))))))
	}
	if len(marks) > 0 {
		text += " Marked: " + strings.Join(marks, ", ") + "."
	}
	var below strings.Builder
	for _, m := range r.metricsOn(journey) {
		fmt.Fprintf(&below, " Below, metric %s: %s.", m.Title(), m.text())
	}
	return text + below.String() + " The data are in the table below it."
}
