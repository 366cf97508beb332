// Package record keeps the whole account of one run: what users saw (samples),
// what was done and when (marks), and what happened (events).
//
// It is append-only and readable again: facts are saved before they are
// judged, so that judging can be repeated. A run's folder holds
//
//	samples.bin   one result a journey, in vegeta's gob encoding: `vegeta report` reads it
//	steps.bin     one result a step, likewise, named journey/step; failed attempts that were
//	              repeated are results of their own: journey/step (attempt N)
//	events.jsonl  marks and events, one JSON object a line, synced at every mark; people's
//	              notes too, which other processes append
//	writes.jsonl  acknowledged writes, and what their look-up found
//	polls.jsonl   what was asked outside (alerts, conditions, metrics), and the answers
//
// A torn tail of any of them, after a power cut, is left out when reading.
package record

import "time"

// Names of the files in a run's folder.
const (
	SamplesFile = "samples.bin"
	StepsFile   = "steps.bin"
	EventsFile  = "events.jsonl"
	WritesFile  = "writes.jsonl"
)

// Sample is one attempt at a journey, or at a step of one.
type Sample struct {
	Journey  string        // its name; journey/step for a step
	Seq      uint64        // order of sending
	Sent     time.Time     // when the user arrived
	Latency  time.Duration // until the user had the whole answer, or the failure
	Code     uint16        // of the last response; 0 if there was none, or an assertion failed; 200 for an expected code of a failure
	Error    string        // empty where every assertion held
	BytesOut uint64
	BytesIn  uint64
	Void     bool // the generator's own fault: never stored as a sample
	// Late is how long after its scheduled time a journey's user was sent. It is 0 in records
	// of a gameday that did not measure it.
	Late time.Duration
	// Retries is how many attempts of a journey's user failed and were repeated.
	Retries int
}

// Failed reports whether the attempt failed, however fast.
func (s Sample) Failed() bool { return s.Error != "" || s.Code < 200 || s.Code >= 400 }

// Ack is a write that the system acknowledged.
type Ack struct {
	Journey  string    `json:"journey"`
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Presence string    `json:"presence,omitempty"` // present, absent or unconfirmed, after the look-up
	// Vars are what the user captured and the look-up needs. It may be secret: no file
	// contains it.
	Vars map[string]string `json:"vars,omitempty"`
}

// Clock gives times whose differences are those of the monotonic clock,
// whatever is done to the wall clock during a run.
type Clock struct{ origin time.Time }

// NewClock starts a clock now.
func NewClock() Clock { return Clock{time.Now()} }

// Now is the origin's wall time plus what has passed since by the monotonic clock.
func (c Clock) Now() time.Time { return c.Steady(time.Now()) }

// Steady is a time taken in this process on the clock's scale.
func (c Clock) Steady(t time.Time) time.Time {
	return c.origin.Round(0).Add(t.Sub(c.origin)).UTC()
}

// MarkName names a moment of the experiment.
type MarkName string

// The marks.
const (
	MarkBaseline MarkName = "baseline" // the baseline began; users who were served before it are warm-up
	MarkFault    MarkName = "fault"    // the fault was ordered (f)
	MarkInForce  MarkName = "in-force" // and seen in force
	MarkLost     MarkName = "lost"     // the fault was last seen in force, before it was undone
	MarkRevert   MarkName = "revert"   // its revert was ordered (v)
	MarkReverted MarkName = "reverted" // and was done
	MarkEnd      MarkName = "end"      // the load ended
)

// Event is a mark, or something that happened.
type Event struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"` // mark, fault, engine, load, note, person, role, outside
	Mark      MarkName  `json:"mark,omitempty"`
	Component string    `json:"component,omitempty"`
	What      string    `json:"what,omitempty"`
	By        string    `json:"by,omitempty"`     // the person who said it
	Schema    string    `json:"schema,omitempty"` // of the record, in its first event only
	// Role is the role of which Component, or several with ", " between them, are the holders
	// from now on; none if Component is empty. Before is when other holders were last seen:
	// the change came between Before and At. It is nil for the first look.
	Role   string     `json:"role,omitempty"`
	Before *time.Time `json:"before,omitempty"`
}

// Said reports whether a person said it, from any process.
func (e Event) Said() bool { return e.Kind == KindPerson || e.Kind == KindRecovered }

// Schema is the version of the folder's layout that this code writes and reads.
const Schema = "gameday/record/v1"

// The kinds of events.
const (
	KindMark      = "mark"
	KindFault     = "fault"
	KindEngine    = "engine"
	KindLoad      = "load"
	KindNote      = "note"
	KindPerson    = "person"    // a person's note about the run
	KindConfirmed = "confirmed" // a person has done what a manual fault asked for
	KindAwaiting  = "awaiting"  // the run leaves it to people to recover service
	KindRecovered = "recovered" // a person says that service has recovered
	KindRole      = "role"
	KindOutside   = "outside" // an alert, a condition or a metric
)
