package verdict

import (
	"fmt"
	"strconv"
	"time"
)

// Outcome is the word a run is summed up in.
type Outcome string

// The outcomes. For one journey the worst of them wins in the order of
// [Worst]; Aborted is an outcome of runs only.
const (
	Disproved    Outcome = "disproved"    // users were served, or served again within the RTO
	Degraded     Outcome = "degraded"     // part of the users were not
	Proven       Outcome = "proven"       // a single point of failure
	Inconclusive Outcome = "inconclusive" // the samples cannot tell
	Aborted      Outcome = "aborted"      // ended by a person or a stop condition
)

// Reason says why a verdict is inconclusive, or what else than the recovery
// time decided it. It is empty where the recovery time decided.
type Reason string

// The reasons.
const (
	BaselineTooShort    Reason = "baseline-too-short"     // fewer than 10 baseline samples
	BaselineNotSteady   Reason = "baseline-not-steady"    // broken before the fault
	TooFewSamples       Reason = "too-few-samples"        // fewer than 10 samples in the fault phase
	ObservedLessThanRTO Reason = "observed-less-than-rto" // the fault was taken back too early to tell
	TooCloseToCall      Reason = "too-close-to-call"      // the RTO lies inside the bounds
	HoldNotObserved     Reason = "hold-not-observed"      // back, but not for long enough
	LoadStalled         Reason = "load-stalled"           // the generator was silent when it mattered
	FaultNotInForce     Reason = "fault-not-in-force"     // the fault's own check failed
	FaultNotFelt        Reason = "fault-not-felt"         // a network fault met no packet
	RPOMissed           Reason = "rpo-missed"             // acknowledged writes were lost
	RPONotObserved      Reason = "rpo-not-observed"       // no write was acknowledged when it mattered
)

// State says how a journey fared.
type State string

// The states.
const (
	Unaffected State = "unaffected" // no outage
	Recovered  State = "recovered"  // an outage that ended by itself, in time
	Late       State = "late"       // an outage that ended by itself, after the RTO
	Down       State = "down"       // an outage that did not end before the fault was undone
	Impaired   State = "impaired"   // a thin erosion that no window shows
)

// Seconds is a duration that reads and writes as a JSON number of seconds,
// exact to the nanosecond.
type Seconds time.Duration

// Duration is s as the standard library's type.
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// String is s as a person writes it, rounded to the millisecond.
func (s Seconds) String() string { return time.Duration(s).Round(time.Millisecond).String() }

// MarshalJSON writes s as a number of seconds.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(s).Seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON reads a number of seconds.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return fmt.Errorf("seconds: %w", err)
	}
	// Rounded, not cut: 9.966666666 s times 1e9 is just below a whole number.
	*s = Seconds(roundNS(f * float64(time.Second)))
	return nil
}

func roundNS(f float64) time.Duration {
	if f < 0 {
		return time.Duration(f - 0.5)
	}
	return time.Duration(f + 0.5)
}

// Objective is what was promised to users, for one journey.
type Objective struct {
	RTO    time.Duration // an interruption of service may last this long
	Good   float64       // ratio of good samples in (0, 1]; 1 allows no error at all
	Within time.Duration // a slower sample is bad
	Window time.Duration // breaches are looked for in windows of this length
	Hold   time.Duration // back is back after so long without a breach
}

// The defaults of an [Objective]; the RTO has none.
const (
	DefaultGood   = 0.99
	DefaultWithin = 500 * time.Millisecond
	DefaultWindow = time.Second
	DefaultHold   = 5 * time.Second
)

// WithDefaults is o with every zero field but the RTO replaced by its default.
func (o Objective) WithDefaults() Objective {
	if o.Good == 0 {
		o.Good = DefaultGood
	}
	if o.Within == 0 {
		o.Within = DefaultWithin
	}
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.Hold == 0 {
		o.Hold = DefaultHold
	}
	return o
}

// Sample is one attempt at a journey. Times are measured from the record's
// origin, whatever that is; only their differences matter.
type Sample struct {
	Seq     uint64        // order of sending, to tell samples of the same instant apart
	Sent    time.Duration // when the user arrived
	Latency time.Duration // until the user had the whole answer, or the failure
	Failed  bool          // a transport error, or an assertion of the journey did not hold
}

// Done is when the user had the answer.
func (s Sample) Done() time.Duration { return s.Sent + s.Latency }

// Marks are the moments of the experiment, on the same scale as [Sample.Sent].
type Marks struct {
	Fault    time.Duration // the fault was ordered (f)
	Reverted bool          // whether it was undone; a crash that the platform heals is not
	Revert   time.Duration // its undoing was ordered (v), where Reverted
}

// Verdict is what may be said about one journey. A nil figure was not seen;
// the reason or the state says why.
type Verdict struct {
	Outcome     Outcome  `json:"verdict"`
	Reason      Reason   `json:"reason,omitempty"`
	State       State    `json:"state,omitempty"`
	Recovery    *Seconds `json:"recovery_s"`
	RecoveryLo  *Seconds `json:"recovery_lo_s"`
	RecoveryHi  *Seconds `json:"recovery_hi_s"`
	SinceFault  *Seconds `json:"since_fault_s"`
	AtLeast     *Seconds `json:"at_least_s"`
	FirstImpact *Seconds `json:"first_impact_s"`
	Relapses    *int     `json:"relapses"`
	Severity    *float64 `json:"severity"`
	Failback    bool     `json:"failback"`
	Samples     int      `json:"samples"` // real ones, of the fault phase
	Bad         int      `json:"bad"`     // of them
}
