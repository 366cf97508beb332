package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/folder"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// AcceptanceFile holds the register's decision on the suspect at the time of the run.
const AcceptanceFile = "acceptance.json"

// Acceptance is the register's decision on a proven single point of failure.
type Acceptance struct {
	Holds bool            `json:"holds"`
	Why   string          `json:"why,omitempty"` // why it does not hold
	By    string          `json:"by,omitempty"`
	Until string          `json:"until,omitempty"` // the review date
	RTO   verdict.Seconds `json:"rto_s"`           // accepted
	Where string          `json:"where"`           // file and line in the register
	Cost  *Cost           `json:"cost,omitempty"`  // if the register states costs
}

// Cost compares the yearly cost of a single point of failure with the cost of
// redundancy; see [register.Cost.Yearly].
type Cost struct {
	Outage     verdict.Seconds `json:"outage_s"` // measured
	AtLeast    bool            `json:"at_least"` // the outage lasted at least Outage
	Living     float64         `json:"living_a_year"`
	Redundancy float64         `json:"redundancy_a_year"`
	BreakEven  *float64        `json:"break_even_failures_a_year"` // null if an outage costs nothing
	Currency   string          `json:"currency,omitempty"`
}

// CostOf is the cost of the measured outage, by the register's figures.
func CostOf(c register.Cost, v verdict.Verdict) Cost {
	outage := v.Lasted()
	living, redundancy, even := c.Yearly(outage)
	shown := Cost{Outage: verdict.Seconds(outage), AtLeast: v.Recovery == nil, Living: living, Redundancy: redundancy, Currency: c.Currency}
	if !math.IsInf(even, 0) && !math.IsNaN(even) {
		shown.BreakEven = &even
	}
	return shown
}

// Cells are the figures as text: the outage, its cost a year, the cost of redundancy
// a year, and the failures a year at which both cost the same.
func (c Cost) Cells() (outage, living, redundancy, even string) {
	sign := map[bool]string{true: "at least "}[c.AtLeast]
	money := func(v float64) string { return strings.TrimSpace(fmt.Sprintf("%.2f %s", v, c.Currency)) + " a year" }
	even = "never"
	if c.BreakEven != nil {
		even = fmt.Sprintf("%.3g failures a year", *c.BreakEven)
	}
	return sign + c.Outage.String(), sign + money(c.Living), money(c.Redundancy), even
}

// Text is the figures in one sentence.
func (c Cost) Text() string {
	outage, living, redundancy, even := c.Cells()
	if c.BreakEven == nil {
		return fmt.Sprintf("outages of %s cost %s, redundancy %s", outage, living, redundancy)
	}
	return fmt.Sprintf("outages of %s cost %s, redundancy %s; break-even at %s", outage, living, redundancy, even)
}

// AcceptanceOf is a register's decision on a report's suspect. It is nil if the
// verdict is not proven, or if the register has no decision.
func AcceptanceOf(r Report, decisions register.Register, now time.Time) *Acceptance {
	d, decided := decisions.Find(r.Environment, r.Suspect.Component)
	if !decided || r.Outcome != verdict.Proven {
		return nil
	}
	a := &Acceptance{By: d.Owner, RTO: verdict.Seconds(d.RTO), Where: d.Where}
	if !d.Review.IsZero() {
		a.Until = d.Review.String()
	}
	if d.Cost != nil {
		a.Cost = new(CostOf(*d.Cost, r.Verdict))
	}
	if r.Reason == verdict.RPOMissed {
		a.Why = "acknowledged writes were lost, and an accepted RTO does not cover lost writes"
		return a
	}
	a.Holds, a.Why = d.Accepts(r.Lasted(), now)
	return a
}

// SaveAcceptance saves an acceptance in a run's folder.
func SaveAcceptance(dir string, a *Acceptance) error {
	data, err := json.MarshalIndent(a, "", "  ")
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, AcceptanceFile), 0o600, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("save the acceptance: %w", err)
	}
	return nil
}

func loadAcceptance(dir string) (*Acceptance, error) {
	data, err := folder.ReadFile(dir, AcceptanceFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var a *Acceptance
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		return nil, fmt.Errorf("read the acceptance: %w", err)
	}
	return a, nil
}

// facts are the lines of a report about an acceptance; none if a is nil.
func (a *Acceptance) facts() []fact {
	if a == nil {
		return nil
	}
	all := []fact{{"Accepted", a.Text()}}
	if a.Cost != nil {
		all = append(all, fact{"Cost", a.Cost.Text()})
	}
	return all
}

// Text is an acceptance in one sentence.
func (a Acceptance) Text() string {
	if !a.Holds {
		return "no: " + a.Why + " (" + a.Where + ")"
	}
	return fmt.Sprintf("by %s until %s, for outages of up to %s (%s)", a.By, a.Until, a.RTO, a.Where)
}

// ExitCode is the exit code of a command: that of the verdict, or 0 for a single
// point of failure that is accepted. If the scenario requires its alerts, a run that would
// have 0 has the exit code of their verdict.
func (r Report) ExitCode() int {
	code := r.recoveryCode()
	if !r.required || r.Detection == nil {
		return code
	}
	switch alerts := r.Detection.Verdict.ExitCode(); {
	case code == verdict.Disproved.ExitCode():
		return alerts
	case code == verdict.Inconclusive.ExitCode() && alerts == verdict.Proven.ExitCode():
		return alerts // certain, while the verdict is not
	}
	return code
}

// recoveryCode is the exit code without detection.
func (r Report) recoveryCode() int {
	if r.Outcome == verdict.Proven && r.Accepted != nil && r.Accepted.Holds {
		return verdict.Disproved.ExitCode()
	}
	return r.Outcome.ExitCode()
}
