// Package report says what a run found: to a program (JSON), a pull request
// (Markdown) and a terminal.
//
// A [Report] is made from a run's folder alone, and every format is a function
// of the report alone, so that a report can be made again at any time, to the
// same bytes.
package report

import (
	"io"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Schema is the version of verdict.json.
const Schema = "gameday/verdict/v1"

// Format writes a report.
type Format func(io.Writer, Report) error

// Report is a run, judged. Times are RFC 3339, figures in _s are seconds.
type Report struct {
	Schema      string    `json:"schema"`
	ID          string    `json:"run,omitempty"`
	Gameday     string    `json:"gameday,omitempty"`
	Scenario    string    `json:"scenario,omitempty"`
	Title       string    `json:"title,omitempty"`
	Environment string    `json:"environment,omitempty"`
	Suspect     Suspect   `json:"suspect,omitzero"`
	Objective   Objective `json:"objective"`

	verdict.Run

	// Accepted is what the register says where a single point of failure was proven.
	Accepted *Acceptance `json:"accepted,omitempty"`

	Aborted string     `json:"aborted,omitempty"` // why the run was ended early
	Left    string     `json:"left,omitempty"`    // what could not be put back
	Started time.Time  `json:"started,omitzero"`
	FaultAt *time.Time `json:"fault_at"`  // ordered; null where none was
	Revert  *time.Time `json:"revert_at"` // its undoing was ordered; null where nothing was undone
	Ended   time.Time  `json:"ended,omitzero"`
	// Finished is when the last acknowledged write was looked up, and only the
	// report remained to be made.
	Finished time.Time `json:"finished,omitzero"`
	// ServedAgain is how long after the undoing was ordered the last user was
	// served badly; null where nothing was undone, or users still are.
	ServedAgain *verdict.Seconds  `json:"served_again_s"`
	Seed        uint64            `json:"seed,omitempty"`
	Faults      []run.StepAccount `json:"faults,omitempty"`
	Load        []Load            `json:"load"`
	Events      []record.Event    `json:"events,omitempty"`
	Again       string            `json:"again,omitempty"`    // the command that runs it again
	Versions    map[string]string `json:"versions,omitempty"` // of what took part

	resolved string   // the scenario, as it was run
	series   []Series // as Load
	logs     []Log
}

// Log is the last that a component said around the fault.
type Log struct {
	Component string
	Text      string
}

// Suspect is what was suspected, and why.
type Suspect struct {
	Component string `json:"component,omitempty"`
	Because   string `json:"because,omitempty"`
}

// Objective is what was promised.
type Objective struct {
	RTO    verdict.Seconds  `json:"rto_s"`
	RPO    *verdict.Seconds `json:"rpo_s"`
	Good   float64          `json:"good"`
	Within verdict.Seconds  `json:"within_s"`
	Window verdict.Seconds  `json:"window_s"`
	Hold   verdict.Seconds  `json:"hold_s"`
}

// ObjectiveOf is an objective as a report shows it.
func ObjectiveOf(o verdict.Objective, rpo *time.Duration) Objective {
	shown := Objective{
		RTO: verdict.Seconds(o.RTO), Good: o.Good, Within: verdict.Seconds(o.Within),
		Window: verdict.Seconds(o.Window), Hold: verdict.Seconds(o.Hold),
	}
	if rpo != nil {
		shown.RPO = new(verdict.Seconds(*rpo))
	}
	return shown
}

// Load is what users of a journey met.
type Load struct {
	Journey  string    `json:"journey"`
	Rate     float64   `json:"rate_per_s"`
	Phases   []Figures `json:"phases"`
	Steps    []Figures `json:"steps,omitempty"`
	Errors   []Class   `json:"errors,omitempty"`
	Silences []Silence `json:"silences,omitempty"` // in which nothing was sent while the fault lasted
}

// Figures are counts and latencies of some samples.
type Figures struct {
	Name string          `json:"name"`
	N    int             `json:"samples"`
	Bad  int             `json:"bad"`
	P50  verdict.Seconds `json:"p50_s"`
	P95  verdict.Seconds `json:"p95_s"`
	P99  verdict.Seconds `json:"p99_s"`
	Max  verdict.Seconds `json:"max_s"`
}

// Class is one kind of failure.
type Class struct {
	Error string    `json:"error"`
	N     int       `json:"samples"`
	First time.Time `json:"first"`
}

// Silence is a span, measured from the fault, in which nothing was sent.
type Silence struct {
	From verdict.Seconds `json:"from_s"`
	To   verdict.Seconds `json:"to_s"`
}
