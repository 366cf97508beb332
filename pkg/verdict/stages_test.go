package verdict_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/ramp"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A rate that changes to what it was is the same rate: every vector has the same verdict.
func TestARateThatDoesNotChange(t *testing.T) {
	t.Parallel()
	for _, path := range vectorPaths(t) {
		v, samples := readVector(t, path)
		c := v.vectorCase(samples)
		for _, c.Rate = range []float64{10, 50, 100} {
			want := verdict.Judge(c)
			changing := c
			changing.Stages = []ramp.Stage{{To: c.Rate, Over: 3 * time.Second, Hold: 4 * time.Second}, {To: c.Rate}}
			if diff := cmp.Diff(want, verdict.Judge(changing)); diff != "" {
				t.Errorf("%s at %v/s: %s", filepath.Base(path), c.Rate, diff)
			}
		}
	}
}

// rated are users of a baseline of 20 seconds at 50/s, and of a minute at the rate of
// stages after it. Those of down fail.
func rated(stages []ramp.Stage, down func(time.Duration) bool) verdict.Case {
	const start, fault, watch = 50, 20 * time.Second, time.Minute
	c := verdict.Case{
		Rate: start, Stages: stages, Marks: verdict.Marks{Fault: fault, Reverted: true, Revert: fault + watch},
		Objective: verdict.Objective{RTO: 20 * time.Second}.WithDefaults(),
	}
	curve := ramp.New(start, stages)
	for n := -start * fault.Seconds(); ; n++ {
		at := fault + curve.At(n)
		if at > fault+watch+5*time.Second {
			return c
		}
		c.Samples = append(c.Samples, verdict.Sample{Seq: uint32(len(c.Samples)), Sent: at, Latency: 10 * time.Millisecond, Failed: down(at - fault)})
	}
}

func TestRatesThatChange(t *testing.T) {
	t.Parallel()
	const s = time.Second
	never := func(time.Duration) bool { return false }
	outage := func(from, to time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool { return at >= from && at < to }
	}
	up := []ramp.Stage{{To: 200, Over: 30 * s}}
	fall := []ramp.Stage{{To: 2, Over: 5 * s}}
	for name, c := range map[string]struct {
		stages  []ramp.Stage
		down    func(time.Duration) bool
		outcome verdict.Outcome
		state   verdict.State
		took    time.Duration
	}{
		"up, and nothing happens":    {up, never, verdict.Disproved, verdict.Unaffected, 0},
		"up, and down for 10s":       {up, outage(5*s, 15*s), verdict.Disproved, verdict.Recovered, 10 * s},
		"up, and down for 25s":       {up, outage(0, 25*s), verdict.Proven, verdict.Late, 25 * s},
		"up, and down":               {up, outage(0, time.Hour), verdict.Proven, verdict.Down, 0},
		"a fall, nothing happens":    {fall, never, verdict.Disproved, verdict.Unaffected, 0},
		"a fall, and down for 10s":   {fall, outage(10*s, 20*s), verdict.Disproved, verdict.Recovered, 10 * s},
		"a fall, and down for 30s":   {fall, outage(10*s, 40*s), verdict.Proven, verdict.Late, 30 * s},
		"a peak, and down in it":     {[]ramp.Stage{{To: 400, Over: 5 * s, Hold: 5 * s}, {To: 20, Over: 5 * s}}, outage(6*s, 12*s), verdict.Disproved, verdict.Recovered, 6 * s},
		"steps, and down at the end": {[]ramp.Stage{{To: 5, Hold: 20 * s}, {To: 300, Hold: 10 * s}, {To: 5}}, outage(31*s, 45*s), verdict.Disproved, verdict.Recovered, 14 * s},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cases := rated(c.stages, c.down)
			if found := verdict.Silences(cases); len(found) > 0 {
				t.Errorf("silences %v", found)
			}
			v := verdict.Judge(cases)
			if v.Outcome != c.outcome || v.State != c.state {
				t.Fatalf("%s %s %s", v.Outcome, v.State, v.Reason)
			}
			if c.took > 0 && (v.RecoveryLo.Duration() > c.took || v.RecoveryHi.Duration() < c.took) {
				t.Errorf("recovery between %v and %v, expected %v", v.RecoveryLo, v.RecoveryHi, c.took)
			}
			if c.took == 0 {
				return
			}
			// A stall of the generator during the recovery is one, whatever the rate.
			stalled := cases
			stalled.Samples = nil
			for _, sample := range cases.Samples {
				if at := sample.Sent - cases.Marks.Fault; at < 9*s || at > 15*s {
					stalled.Samples = append(stalled.Samples, sample)
				}
			}
			if found := verdict.Silences(stalled); len(found) != 1 {
				t.Errorf("silences %v", found)
			}
			if v := verdict.Judge(stalled); v.RecoveryLo != nil && v.RecoveryLo.Duration() > c.took || v.RecoveryHi != nil && v.RecoveryHi.Duration() < c.took {
				t.Errorf("with a stall, recovery between %v and %v, expected %v", v.RecoveryLo, v.RecoveryHi, c.took)
			}
		})
	}
	// By the rate before the fault alone, the gaps of the lower one would be stalls.
	naive := rated(fall, never)
	naive.Stages = nil
	if len(verdict.Silences(naive)) == 0 {
		t.Error("the test does not see what it is for")
	}
}

// The gaps between independent users are no stalls of the generator, and a stall is one.
func TestPoissonGaps(t *testing.T) {
	t.Parallel()
	constant, poisson, stalls := 0, 0, 0
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		c := verdict.Case{
			Rate: 5, Poisson: true, Marks: verdict.Marks{Fault: 20 * time.Second, Reverted: true, Revert: 80 * time.Second},
			Objective: verdict.Objective{RTO: 20 * time.Second}.WithDefaults(),
		}
		stalled := c
		for at := 0.0; at < 85; at += random.ExpFloat64() / c.Rate {
			sample := verdict.Sample{Seq: uint32(len(c.Samples)), Sent: time.Duration(at * float64(time.Second))}
			c.Samples = append(c.Samples, sample)
			if at < 40 || at > 44 {
				stalled.Samples = append(stalled.Samples, sample)
			}
		}
		poisson += len(verdict.Silences(c))
		stalls += len(verdict.Silences(stalled))
		if v := verdict.Judge(c); v.Outcome != verdict.Disproved {
			t.Errorf("seed %d: %s %s", seed, v.Outcome, v.Reason)
		}
		c.Poisson = false
		constant += len(verdict.Silences(c))
	}
	if poisson > 0 || stalls != 200 || constant < 100 {
		t.Errorf("%d silences, %d with a stall in each, %d if the gaps were judged as even ones", poisson, stalls, constant)
	}
}
