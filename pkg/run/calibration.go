package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Calibrated is what the calibration beside a journey has shown.
type Calibrated struct {
	Journey string          `json:"journey"`
	Lo      verdict.Seconds `json:"lo_s"`   // the lower bound that was measured, less the truth: 0 or less
	Hi      verdict.Seconds `json:"hi_s"`   // the upper bound, less the truth: 0 or more
	Null    verdict.Seconds `json:"null_s"` // how long the control load was watched without an outage
	Wrong   string          `json:"wrong,omitempty"`
}

// calibrationRTO is the RTO by which a calibration is judged.
const calibrationRTO = 2 * probe.CalibrationOutage

// leastOfRate is which part of the calibration's users must have been sent.
const leastOfRate = 0.8

// judge judges a calibration as a run is judged, and holds its samples against what is known.
// The control load must not have had an outage from its beginning until a moment.
func (i *instrument) judge(t record.Truth, objective verdict.Objective, until time.Time) Calibrated {
	i.mu.Lock()
	samples := slices.Clone(i.calibrations[t.Samples])
	i.mu.Unlock()
	slices.SortFunc(samples, func(a, b record.Sample) int { return cmp.Compare(a.Seq, b.Seq) })
	objective.RTO, objective.Hold, objective.Window = calibrationRTO, probe.CalibrationHold, verdict.DefaultWindow
	c := Calibrated{Journey: t.Journey}
	err := errors.Join(complete(samples, t), agree(samples, t, objective.Within))
	if err == nil {
		err = c.bounds(samples, t, objective)
	}
	if err == nil {
		err = c.null(i.of(t.Journey, t.Began, until), objective)
	}
	if err != nil {
		c.Wrong = err.Error()
	}
	return c
}

// complete checks that each user of a calibration is there once, and that they kept the rate.
func complete(samples []record.Sample, t record.Truth) error {
	for n, s := range samples {
		if s.Seq != uint64(n) {
			return fmt.Errorf("user %d is missing, or there twice", n)
		}
	}
	want := t.Rate * t.Ended.Sub(t.Began).Seconds()
	if float64(len(samples)) < leastOfRate*want {
		return fmt.Errorf("%d users were sent, expected %.0f", len(samples), want)
	}
	return nil
}

// clockTolerance is how far times that were taken by one clock may be apart in the wrong
// direction: they are rounded on their way.
const clockTolerance = 100 * time.Microsecond

// agree holds what users met against what the server saw of them.
func agree(samples []record.Sample, t record.Truth, within time.Duration) error {
	served := make(map[uint64]record.Served, len(t.Served))
	for _, s := range t.Served {
		served[s.Seq] = s
	}
	for _, s := range samples {
		seen, was := served[s.Seq]
		done := s.Sent.Add(s.Latency)
		switch {
		case !was && !s.Failed():
			return fmt.Errorf("user %d counts as served, and was not", s.Seq)
		case was && !s.Sent.Before(t.Closed) && seen.At.Before(t.Opened):
			return fmt.Errorf("user %d was served through the closed door", s.Seq)
		case was && s.Failed() && s.Latency <= within:
			return fmt.Errorf("user %d was served, and counts as failed: %s", s.Seq, s.Error)
		case was && (seen.At.Before(s.Sent.Add(-clockTolerance)) || seen.Until.After(done.Add(clockTolerance)) && !s.Failed()):
			return fmt.Errorf("user %d was served from %v to %v after being sent, but is recorded with a latency of %v",
				s.Seq, seen.At.Sub(s.Sent), seen.Until.Sub(s.Sent), s.Latency)
		}
	}
	return nil
}

// bounds judges the samples, whose bounds of the recovery time must contain the truth.
func (c *Calibrated) bounds(samples []record.Sample, t record.Truth, objective verdict.Objective) error {
	fault := t.Closed.Sub(t.Began) / 2 // what is before it is the baseline
	v := verdict.Judge(verdict.Case{
		Samples: judgedSamples(samples, t.Began), Objective: objective, Rate: t.Rate,
		Marks: verdict.Marks{Fault: fault, Reverted: true, Revert: t.Ended.Sub(t.Began)},
	})
	truth := t.Opened.Sub(t.Closed)
	if v.RecoveryLo == nil || v.RecoveryHi == nil {
		return fmt.Errorf("an outage of %v was measured as: %s %s %s", truth, v.Outcome, v.Reason, v.State)
	}
	lo, hi := v.RecoveryLo.Duration(), v.RecoveryHi.Duration()
	c.Lo, c.Hi = verdict.Seconds(lo-truth), verdict.Seconds(hi-truth)
	switch {
	case lo > truth || hi < truth:
		return fmt.Errorf("an outage of %v was measured as %v to %v", truth, lo, hi)
	case v.Outcome != verdict.Disproved || *v.Relapses > 0 || v.Failback:
		return fmt.Errorf("an outage of %v was measured as: %s %s %s, %d relapses", truth, v.Outcome, v.Reason, v.State, *v.Relapses)
	}
	return nil
}

// null checks that the control load shows no outage: there was none.
func (c *Calibrated) null(control []controlled, objective verdict.Objective) error {
	samples := make([]verdict.Sample, len(control))
	for n, s := range control {
		samples[n] = s.Sample
	}
	if reason := verdict.Baseline(samples, objective, probe.ControlRate().PerSecond()); reason != "" {
		return fmt.Errorf("the control load, which has no outage, is %s", reason)
	}
	c.Null = verdict.Seconds(samples[len(samples)-1].Sent - samples[0].Sent)
	return nil
}

func judgedSamples(samples []record.Sample, origin time.Time) []verdict.Sample {
	all := make([]verdict.Sample, len(samples))
	for n, s := range samples {
		all[n] = judgedSample(s, origin)
	}
	return all
}

// calibrateFor is how long a calibration may take.
const calibrateFor = 10 * time.Second

// calibrated waits for the calibrations, and reports whether the load generator measures what
// it should. If one does not, it is repeated. If none does, no fault is ordered: the run would
// be inconclusive.
func (r *conduct) calibrated(ctx context.Context) bool {
	if r.Calibrate == nil {
		return true
	}
	for n := 1; ; n++ {
		wrong := r.wrong(ctx, n)
		switch {
		case wrong == "", ctx.Err() != nil: // or the run is over, for another reason
			return true
		case n == probe.MostCalibrations:
			r.account.NotCalibrated = wrong
			r.note("the load generator is not calibrated, so no fault is injected: " + wrong)
			return false
		}
		r.note("the load generator is not calibrated, and measures again: " + wrong)
		r.calibrating = time.Now()
		r.Calibrate()
	}
}

// wrong waits for the n-th calibration beside each journey, and says what is wrong with one,
// or "".
func (r *conduct) wrong(ctx context.Context, n int) string {
	for end := r.calibrating.Add(calibrateFor); len(r.instrument.known()) < n*len(r.Loads); {
		if time.Now().After(end) || !sleep(ctx, beat) {
			return fmt.Sprintf("a calibration did not end within %v", calibrateFor)
		}
	}
	for _, l := range r.plan.Scenario.Load {
		t, _ := r.instrument.last(l.Name())
		if c := r.instrument.judge(t, r.plan.Scenario.Objective.Verdict(), r.Clock.Now()); c.Wrong != "" {
			return fmt.Sprintf("beside journey %s: %s", l.Name(), c.Wrong)
		}
	}
	return ""
}
