package probe

import (
	"context"
	"fmt"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gameday-dev/gameday/pkg/record"
)

// Visit is one user's attempt at the journey, with its results.
type Visit struct {
	Sample record.Sample
	Steps  []record.Sample
	Ack    *record.Ack // the write that the system acknowledged, if any
	// Truth is what is known of a calibration. A visit with it is of no user.
	Truth *record.Truth `json:",omitempty"`
}

// Place is one of several loads that walk the same journey: the number of a user, {{.seq}},
// is that of no user of another one.
type Place struct {
	Of int // how many there are; 0 is 1
	N  int // from 0
}

// number is the number of a user of the load among those of all loads.
func (p Place) number(seq uint64) uint64 { return seq*uint64(max(p.Of, 1)) + uint64(p.N) } //nolint:gosec // G115: neither is negative

// Load sends users through a journey at an arrival rate.
type Load struct {
	Journey Journey
	Way     Way
	Client  Client `json:",omitzero"` // the client program of users
	Place   Place  `json:",omitzero"` // among the loads that walk the journey
	Rate    Rate   // until Struck is closed
	Seed    uint64 // of the times of arrivals
	// Stages follow the fault.
	Stages []Stage `json:",omitempty"`
	// Arrivals is [Constant] or [Poisson]; empty is constant.
	Arrivals string `json:",omitempty"`
	// Struck is closed when the first fault is ordered; nil if there is none.
	Struck <-chan struct{} `json:"-"`
	// Control is the load beside the users; nil if there is none. Its visits are given to on,
	// too, as those of [ControlJourney] and [CalibrationJourney].
	Control *Control `json:",omitempty"`
	// Calibrate receives a value for each calibration that is to begin; nil if there is none.
	Calibrate <-chan struct{} `json:"-"`
	// Protocols perform the steps that are not HTTP.
	Protocols Protocols `json:"-"`

	door *door // of a calibration
}

// Run sends users until ctx ends, then waits for the remaining ones for at most the
// journey's timeout. It calls on for every visit, one at a time, in the order in which
// visits end; on must not block for long. Run returns an error only if the load could
// not start.
func (l Load) Run(ctx context.Context, on func(Visit)) error {
	if l.Control != nil {
		return l.withControl(ctx, on)
	}
	return l.walk(ctx, on)
}

// walk is Run without a control load.
func (l Load) walk(ctx context.Context, on func(Visit)) error {
	walks, err := l.begin()
	if err != nil {
		return fmt.Errorf("journey %s: %w", l.Journey.Name, err)
	}
	defer func() { _ = walks.close() }() // every user has left

	// The number of workers is unlimited: a limited number would wait for a stalled
	// server and then send late, in bursts. An Attacker can be used only once.
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: walks}),
		vegeta.MaxBody(0),
	)
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	pace := l.arrivals(ctx.Done())
	targeter := vegeta.NewStaticTargeter(vegeta.Target{Method: http.MethodGet, URL: l.Way.Entry})
	for result := range attacker.Attack(targeter, pace, 0, l.Journey.Name) {
		way := walks.take(result.Seq)
		v := l.visit(result, way)
		if due, ok := pace.take(result.Seq); ok {
			v.Sample.Late = max(way.sent(result.Timestamp).Sub(due), 0)
		}
		on(v)
	}
	return nil
}

// most is how many users there are; 0 is no limit.
func (u *Users) most() uint64 {
	if u == nil || u.Order != "once" {
		return 0
	}
	return uint64(len(u.Rows))
}

// visit combines vegeta's result of a hit with the results of its steps. A user who
// pauses counts as one who came later: the time of the sample is when the system was
// asked.
func (l Load) visit(result *vegeta.Result, way walked) Visit {
	v := Visit{Sample: record.Sample{
		Journey: l.Journey.Name, Seq: result.Seq, Sent: result.Timestamp.Add(way.paused), Latency: result.Latency - way.paused,
	}}
	for _, s := range way.steps {
		for i, failed := range s.attempts() {
			sample := failed.sample(l.Journey.Name, result.Seq)
			sample.Journey = record.Attempt(sample.Journey, i+1)
			v.Steps = append(v.Steps, sample)
			v.Sample.BytesIn += sample.BytesIn
			v.Sample.BytesOut += sample.BytesOut
			if !sample.Void {
				v.Sample.Retries++
			}
		}
		sample := s.sample(l.Journey.Name, result.Seq)
		if s.err != nil {
			v.Sample.Error, v.Sample.Void = s.title+": "+sample.Error, sample.Void
		}
		if s.ackID != "" {
			v.Ack = &record.Ack{Journey: l.Journey.Name, ID: s.ackID, At: s.sent.Add(s.latency), Vars: way.remembered}
		}
		v.Steps = append(v.Steps, sample)
		v.Sample.Code = sample.Code
		v.Sample.BytesIn += sample.BytesIn
		v.Sample.BytesOut += sample.BytesOut
	}
	if len(way.steps) == 0 {
		v.Sample.Error = result.Error // vegeta failed before the journey
	}
	return v
}

// sent is when a user's first request was sent, without the pause before it, and without
// the time for which it was held open; at is when vegeta sent the user.
func (w walked) sent(at time.Time) time.Time {
	if len(w.steps) == 0 {
		return at
	}
	first := w.steps[0]
	return first.sent.Add(-first.paused - first.held)
}

// sample is the result of a step in a record.
func (s stepResult) sample(journey string, seq uint64) record.Sample {
	sample := record.Sample{
		Journey: journey + "/" + s.title, Seq: seq, Sent: s.sent, Latency: s.latency,
		Code: uint16(s.code), BytesOut: uint64(s.out), BytesIn: uint64(s.in), //nolint:gosec // G115: a status, and sizes
	}
	if s.err != nil {
		sample.Error, sample.Void = reason(s.err), ours(s.err)
		if sample.Code < http.StatusBadRequest {
			sample.Code = 0 // vegeta's own report counts any other code as a success
		}
	} else if !served(s.code) {
		sample.Code = http.StatusOK // it was expected, and vegeta would count it as a failure
	}
	return sample
}
