package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// AcceptanceFile is what the register said of a run's suspect when it was run.
const AcceptanceFile = "acceptance.json"

// Acceptance is what the register says of a proven single point of failure.
type Acceptance struct {
	Holds bool            `json:"holds"`
	Why   string          `json:"why,omitempty"` // it does not hold
	By    string          `json:"by,omitempty"`
	Until string          `json:"until,omitempty"` // the review date
	RTO   verdict.Seconds `json:"rto_s"`           // accepted
	Where string          `json:"where"`           // in the register
}

// AcceptanceOf is what a register says of a report's suspect. It is nil where the
// verdict needs no acceptance, or nobody has decided.
func AcceptanceOf(r Report, decisions register.Register, now time.Time) *Acceptance {
	d, decided := decisions.Find(r.Environment, r.Suspect.Component)
	if !decided || r.Verdict.Verdict != verdict.Proven {
		return nil
	}
	a := &Acceptance{By: d.Owner, RTO: verdict.Seconds(d.RTO), Where: d.Where}
	if !d.Review.IsZero() {
		a.Until = d.Review.String()
	}
	if r.Reason == verdict.RPOMissed {
		a.Why = "acknowledged writes were lost, which no RTO covers"
		return a
	}
	a.Holds, a.Why = d.Accepts(Lasted(r.Verdict), now)
	return a
}

// Lasted is for how long users were seen to be down: until they recovered, or
// for at least as long as was watched.
func Lasted(v verdict.Verdict) time.Duration {
	switch {
	case v.RecoveryHi != nil:
		return v.RecoveryHi.Duration()
	case v.AtLeast != nil:
		return v.AtLeast.Duration()
	}
	return 0
}

// SaveAcceptance keeps an acceptance with its run.
func SaveAcceptance(dir string, a *Acceptance) error {
	data, err := json.MarshalIndent(a, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, AcceptanceFile), append(data, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("save the acceptance: %w", err)
	}
	return nil
}

func loadAcceptance(dir string) (*Acceptance, error) {
	data, err := os.ReadFile(filepath.Join(dir, AcceptanceFile)) //nolint:gosec // G304: the run's own folder
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

// Text is an acceptance in a sentence.
func (a Acceptance) Text() string {
	if !a.Holds {
		return "does not hold: " + a.Why + " (" + a.Where + ")"
	}
	return fmt.Sprintf("by %s until %s, for outages of up to %s (%s)", a.By, a.Until, a.RTO, a.Where)
}

// ExitCode is what a command ends with: that of the verdict, and 0 for a single
// point of failure that was accepted.
func (r Report) ExitCode() int {
	if r.Verdict.Verdict == verdict.Proven && r.Accepted != nil && r.Accepted.Holds {
		return 0
	}
	return r.Verdict.Verdict.ExitCode()
}
