package verdict

import (
	"fmt"
	"strconv"
	"time"
)

// Outcome is the verdict in one word.
type Outcome string

// The outcomes. For one journey the worst of them wins in the order of
// [Worst]; Aborted is an outcome of runs only.
const (
	Disproved    Outcome = "disproved"    // no outage, or service recovered within the RTO
	Degraded     Outcome = "degraded"     // service was bad for part of the users
	Proven       Outcome = "proven"       // a single point of failure
	Inconclusive Outcome = "inconclusive" // the samples do not decide
	Aborted      Outcome = "aborted"      // a person or a stop condition ended the run
)

// Reason says why a verdict is inconclusive, or what decided it other than the
// recovery time. It is empty if the recovery time decided.
type Reason string

// The reasons.
const (
	InstrumentNotCalibrated Reason = "instrument-not-calibrated" // the load generator did not measure a known outage as it was
	BaselineTooShort        Reason = "baseline-too-short"        // fewer than 10 baseline samples
	BaselineNotSteady       Reason = "baseline-not-steady"       // not in steady state before the fault
	TooFewSamples           Reason = "too-few-samples"           // fewer than 10 samples in the fault phase
	ObservedLessThanRTO     Reason = "observed-less-than-rto"    // the fault was reverted too early
	TooCloseToCall          Reason = "too-close-to-call"         // the RTO is between the bounds
	HoldNotObserved         Reason = "hold-not-observed"         // service came back, but was not observed for the hold
	LoadStalled             Reason = "load-stalled"              // the generator stalled, and that could change the verdict
	LoadClosed              Reason = "load-closed"               // users waited for answers, so that what others would have met is unknown
	FaultNotInForce         Reason = "fault-not-in-force"        // the fault's own check failed
	FaultNotFelt            Reason = "fault-not-felt"            // a network fault matched no packet
	RateNotKept             Reason = "rate-not-kept"             // the generator could not keep the rate, so no fault was ordered
	ConditionNotSteady      Reason = "condition-not-steady"      // a condition was not met before the fault
	ConditionUnknown        Reason = "condition-unknown"         // a condition could not be asked for
	ConditionNotMet         Reason = "condition-not-met"         // a condition was not met for longer than it allows
	RPOMissed               Reason = "rpo-missed"                // acknowledged writes were lost
	LookUpUnproven          Reason = "look-up-unproven"          // the look-up of writes denies those of well before the fault too
	RPONotObserved          Reason = "rpo-not-observed"          // no write just before the fault, or unconfirmed writes
)

// State says what happened to a journey.
type State string

// The states.
const (
	Unaffected State = "unaffected" // no outage
	Recovered  State = "recovered"  // an outage that ended by itself, within the RTO
	Late       State = "late"       // an outage that ended by itself, after the RTO
	Down       State = "down"       // an outage that did not end before the fault was reverted
	Impaired   State = "impaired"   // too many bad samples in total, but no window shows an outage
)

// Seconds is a duration that is a number of seconds in JSON, exact to the nanosecond.
type Seconds time.Duration

// Duration is s as a [time.Duration].
func (s Seconds) Duration() time.Duration { return time.Duration(s) }

// String is s in Go's format, rounded to the millisecond.
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
	// Rounded, not truncated: 9.966666666 s times 1e9 is just below a whole number.
	*s = Seconds(roundNS(f * float64(time.Second)))
	return nil
}

func roundNS(f float64) time.Duration {
	if f < 0 {
		return time.Duration(f - 0.5)
	}
	return time.Duration(f + 0.5)
}

// Objective is the service level that one journey must keep.
type Objective struct {
	RTO    time.Duration // the longest outage that is allowed
	Good   float64       // ratio of good samples in (0, 1]; 1 allows no error at all
	Within time.Duration // a slower sample is bad
	Window time.Duration // the length of the windows in which breaches are counted
	Hold   time.Duration // how long service must stay good to count as recovered
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

// Sample is one attempt at a journey. Times are measured from the record's origin;
// only their differences matter. Ten million of them are in memory at once, so none of its
// 24 bytes is without need.
type Sample struct {
	Sent    time.Duration // when the user arrived
	Latency time.Duration // until the user had the whole response, or an error
	Seq     uint32        // the order of sending, for samples of the same instant
	Failed  bool          // a transport error, or an assertion of the journey did not hold
	Retried bool          // an attempt failed and was repeated; what came of it in the end is judged
}

// Done is when the user had the response.
func (s Sample) Done() time.Duration { return s.Sent + s.Latency }

// Marks are the moments of the experiment, on the same scale as [Sample.Sent].
type Marks struct {
	Fault    time.Duration // the fault was ordered (f)
	Reverted bool          // whether gameday reverted it; not for a crash that the platform repairs
	Revert   time.Duration // the revert was ordered (v); only if Reverted
}

// Verdict is the verdict on one journey. A nil figure was not observed; the reason or
// the state says why.
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
	Samples     int      `json:"samples"` // of the fault phase, without filled silences
	Bad         int      `json:"bad"`     // bad ones among Samples
}
