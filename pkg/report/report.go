// Package report writes the result of a run as JSON, Markdown, HTML, JUnit XML, a
// GitHub annotation, a PNG chart, and text for a terminal.
//
// A [Report] is built from a run's folder alone, and every format is a function of
// the report alone. So a report can be rebuilt at any time, with the same bytes.
package report

import (
	"io"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Schema is the version of verdict.json.
const Schema = "gameday/verdict/v1"

// Format writes a report.
type Format func(io.Writer, Report) error

// Report is a judged run. Times are RFC 3339; fields that end in _s are seconds.
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

	// Detection is what became of the alerts that had to fire; null if none is declared.
	Detection *verdict.Detection `json:"detection,omitempty"`

	// Metrics are what the run observed beside its users; null if it observed nothing.
	Metrics []Metric `json:"metrics,omitempty"`

	// Accepted is the register's decision, if a single point of failure was proven.
	Accepted *Acceptance `json:"accepted,omitempty"`

	// Decided is by what the watch was ended before its time, if it was (until: decided).
	Decided verdict.Outcome `json:"watch_ended_by,omitempty"`

	// People are those who took part; Runbook is the URL of their instructions.
	People  *scenario.People `json:"people,omitempty"`
	Runbook string           `json:"runbook,omitempty"`

	// ByHand is how people recovered service, if they were to: the recovery time is theirs.
	ByHand *run.ByHand `json:"by_hand,omitempty"`

	// Issues are those of trackers about the run's findings.
	Issues     []Issue     `json:"issues,omitempty"`
	Instrument *Instrument `json:"instrument,omitempty"` // what is known of the load generator; null for older runs

	NotKept string     `json:"rate_not_kept,omitempty"` // by how much the load fell behind its rate before the fault
	Aborted string     `json:"aborted,omitempty"`       // why the run was aborted
	Left    string     `json:"left,omitempty"`          // what could not be undone
	Started time.Time  `json:"started,omitzero"`
	FaultAt *time.Time `json:"fault_at"`  // when the fault was ordered; null if none was
	Revert  *time.Time `json:"revert_at"` // when the revert was ordered; null if nothing was reverted
	Ended   time.Time  `json:"ended,omitzero"`
	// Finished is when the last acknowledged write was looked up. Only the report
	// is written after that.
	Finished time.Time `json:"finished,omitzero"`
	// ServedAgain is the time from the order to revert to the last failed or slow
	// request; null if nothing was reverted, or if the run's last request was bad.
	ServedAgain *verdict.Seconds  `json:"served_again_s"`
	Seed        uint64            `json:"seed,omitempty"`
	Faults      []run.StepAccount `json:"faults,omitempty"`
	Connection  []string          `json:"connection,omitempty"` // what is to be known about how users connected
	Load        []Load            `json:"load"`
	// Anatomy is what the recovery was made of; null if no request failed or was slow.
	Anatomy *Anatomy `json:"anatomy,omitempty"`
	// Why are the first error lines of components after the fault, if their logs were kept.
	Why []Why `json:"why,omitempty"`
	// Advice is for a proven or degraded verdict; the costs are those of Accepted.
	Advice   []Advice          `json:"advice,omitempty"`
	Events   []record.Event    `json:"events,omitempty"`
	Notes    []string          `json:"notes,omitempty"`    // what limits the evidence, for people
	Again    string            `json:"again,omitempty"`    // the command that repeats the run
	Versions map[string]string `json:"versions,omitempty"` // of the environment, by name

	required bool     // detection counts for the exit code
	resolved string   // the scenario as it was run
	series   []Series // in the order of Load
	stillBad bool     // the run's last request was bad; ServedAgain is null for other reasons too
	others   []string // other critical journeys whose last request was bad
	logs     []Log
}

// Log is the last log lines of a faulted component.
type Log struct {
	Component string
	Text      string
}

// Suspect is the suspected component, and why it is suspected.
type Suspect struct {
	Component string `json:"component,omitempty"`
	Because   string `json:"because,omitempty"`
}

// Objective is the objective that the run was judged by.
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

// Load is the load on one journey, and its results.
type Load struct {
	Journey string `json:"journey"`
	Client  string `json:"client,omitempty"` // the kind of client program, or its name; the journey's name contains it
	// ClientKind is the kind of client program, and ClientSettings are its settings in a line.
	ClientKind     string `json:"client_kind,omitempty"`
	ClientSettings string `json:"client_settings,omitempty"`

	Rate     float64   `json:"rate_per_s"`              // before the fault
	Arrivals string    `json:"arrivals,omitempty"`      // the rate with its stages, and how users arrive, if not evenly at one rate
	Lateness *Lateness `json:"arrival_error,omitempty"` // how late users were sent; null if it was not measured
	Retries  *Retries  `json:"retries,omitempty"`       // during the fault, if there were any
	// Requests are those of each phase, if some of them were retries.
	Requests []Requests `json:"requests,omitempty"`
	Phases   []Figures  `json:"phases"`
	Steps    []Figures  `json:"steps,omitempty"`
	Errors   []Class    `json:"errors,omitempty"` // the most frequent ones
	More     *More      `json:"more_errors,omitempty"`
	Silences []Silence  `json:"silences,omitempty"` // in which nothing was sent during the fault
	// WarmUp are the users who were served before the baseline began. They are in no phase.
	WarmUp    int   `json:"warm_up,omitempty"`
	WarmUpBad int   `json:"warm_up_bad,omitempty"`
	Void      *Void `json:"void,omitempty"` // users who are not judged; null if there are none

	before      beforehand
	aboutClient string // what the name of the client does not say; see [probe.Client.About]
}

// Lateness is how long after their scheduled time users were sent, since the baseline.
type Lateness struct {
	P50 verdict.Seconds `json:"p50_s"`
	P99 verdict.Seconds `json:"p99_s"`
	Max verdict.Seconds `json:"max_s"`
}

// Retries are the users of the fault phase whose steps were repeated, as a product's own
// client does. What they got in the end is judged.
type Retries struct {
	Users int `json:"users"`
	// Bad is how many of them failed or were slow in the end.
	Bad int `json:"bad"`
	// RawBad is the share of all users who would have failed or been slow without retries.
	RawBad float64 `json:"raw_bad"`
}

// Figures are the counts and latencies of a phase or a step.
type Figures struct {
	Name string          `json:"name"`
	N    int             `json:"samples"`
	Bad  int             `json:"bad"`
	P50  verdict.Seconds `json:"p50_s"`
	P95  verdict.Seconds `json:"p95_s"`
	P99  verdict.Seconds `json:"p99_s"`
	Max  verdict.Seconds `json:"max_s"`
}

// Class is one kind of error.
type Class struct {
	Error string    `json:"error"`
	N     int       `json:"samples"`
	First time.Time `json:"first"`
}

// Silence is a span in which nothing was sent, measured from the fault.
type Silence struct {
	From verdict.Seconds `json:"from_s"`
	To   verdict.Seconds `json:"to_s"`
}
