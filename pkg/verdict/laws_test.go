package verdict_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/ramp"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// drawCase draws a run of 50 samples a second with outages, noise and silence.
func drawCase(t *rapid.T) verdict.Case {
	const gap = 20 * time.Millisecond
	seconds := func(label string, low, high int) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, label)) * time.Second
	}
	fault := seconds("baseline", 0, 4)
	watched := seconds("watched", 0, 20)
	outage := seconds("outage", 0, 20)
	severity := rapid.Float64Range(0, 1).Draw(t, "severity")
	noise := rapid.SampledFrom([]float64{0, 0, 0.004, 0.03}).Draw(t, "noise")
	silent := seconds("silent", 0, 3) * time.Duration(rapid.IntRange(0, 1).Draw(t, "stalls"))
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))

	c := verdict.Case{Marks: verdict.Marks{Fault: fault}, Objective: verdict.Objective{RTO: seconds("rto", 1, 12)}.WithDefaults()}
	c.Marks.Reverted = rapid.Bool().Draw(t, "reverted")
	c.Marks.Revert = fault + watched
	if rapid.Bool().Draw(t, "staged") { // whether samples keep the declared rate or not
		c.Rate, c.Poisson = 50, rapid.Bool().Draw(t, "poisson")
		c.Stages = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ramp.Stage {
			return ramp.Stage{To: rapid.Float64Range(10, 200).Draw(t, "to"), Over: seconds("over", 0, 5), Hold: seconds("hold", 0, 5)}
		}), 0, 3).Draw(t, "stages")
	}
	for at := time.Duration(0); at < fault+watched+3*time.Second; at += gap {
		if at >= fault+time.Second && at < fault+time.Second+silent {
			continue
		}
		s := verdict.Sample{Seq: uint32(len(c.Samples)), Sent: at, Latency: gap}
		s.Failed = random.Float64() < noise || at >= fault && at < fault+outage && random.Float64() < severity
		if s.Failed && random.IntN(2) == 0 {
			s.Latency = 2 * time.Second
		}
		c.Samples = append(c.Samples, s)
	}
	return c
}

func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		want := verdict.Judge(c)
		shuffled := c
		shuffled.Samples = rapid.Permutation(c.Samples).Draw(t, "arrival")
		before := slices.Clone(shuffled.Samples)
		if diff := cmp.Diff(want, verdict.Judge(shuffled)); diff != "" {
			t.Fatal(diff)
		}
		if !slices.Equal(before, shuffled.Samples) {
			t.Fatal("judging changed the samples it was given")
		}
	})
}

// A worse sample may make a verdict worse or uncertain, never a pass. The contract has
// one exception: one more error can turn an impaired journey into one with an outage
// that ended, and the remaining samples are within the allowance.
func TestAWorseSampleNeverMakesAPass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		if len(c.Samples) == 0 {
			return
		}
		before := verdict.Judge(c)
		worse := c
		worse.Samples = slices.Clone(c.Samples)
		i := rapid.IntRange(0, len(c.Samples)-1).Draw(t, "worse")
		worse.Samples[i].Failed = true
		after := verdict.Judge(worse)
		if after.Outcome == verdict.Disproved && before.Outcome != verdict.Disproved && before.State != verdict.Impaired {
			t.Fatalf("sample %d made worse turned %s %s into a pass", i, before.Outcome, before.Reason)
		}
	})
}

// A record that ends before the revert is never a pass.
func TestATruncatedRecordIsNeverAPass(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := drawCase(t)
		c.Marks.Reverted = true
		until := c.Marks.Fault + c.Objective.RTO/2
		if c.Marks.Revert < c.Marks.Fault+c.Objective.RTO {
			return
		}
		c.Samples = slices.DeleteFunc(c.Samples, func(s verdict.Sample) bool { return s.Sent > until })
		if v := verdict.Judge(c); v.Outcome == verdict.Disproved {
			t.Fatalf("samples end %v after the fault with an RTO of %v, and the verdict is disproved", until-c.Marks.Fault, c.Objective.RTO)
		}
	})
}

func TestFiguresKeepTheirOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := verdict.Judge(drawCase(t))
		// If the load stalled, the lower bound comes from the other filling.
		if v.Recovery != nil && v.RecoveryLo != nil && v.Reason != verdict.LoadStalled && (*v.RecoveryLo > *v.Recovery || *v.Recovery > *v.RecoveryHi) {
			t.Fatalf("lo %v, recovery %v, hi %v", *v.RecoveryLo, *v.Recovery, *v.RecoveryHi)
		}
		if v.Outcome == verdict.Inconclusive && v.Reason == "" || v.Outcome == verdict.Disproved && v.AtLeast != nil {
			t.Fatalf("%+v", v)
		}
	})
}

func TestWorstWinsAndIsCommutative(t *testing.T) {
	t.Parallel()
	outcomes := []verdict.Outcome{verdict.Proven, verdict.Degraded, verdict.Inconclusive, verdict.Disproved}
	rapid.Check(t, func(t *rapid.T) {
		journeys := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) verdict.Journey {
			j := verdict.Journey{Critical: true}
			j.Outcome = rapid.SampledFrom(outcomes).Draw(t, "outcome")
			j.AtLeast = new(verdict.Seconds(rapid.IntRange(0, 3).Draw(t, "seconds") * int(time.Second)))
			return j
		}), 1, 5).Draw(t, "journeys")
		got := verdict.Combine(journeys, verdict.Evidence{})
		for _, j := range journeys {
			if verdict.Worst(j.Outcome, got.Outcome) < 0 || j.Outcome == got.Outcome && j.Lasted() > got.Lasted() {
				t.Fatalf("%s for %v is worse than %s for %v", j.Outcome, j.Lasted(), got.Outcome, got.Lasted())
			}
		}
		slices.Reverse(journeys)
		if reversed := verdict.Combine(journeys, verdict.Evidence{}); reversed.Outcome != got.Outcome || reversed.Lasted() != got.Lasted() {
			t.Fatalf("%s for %v one way, %s for %v the other", got.Outcome, got.Lasted(), reversed.Outcome, reversed.Lasted())
		}
	})
}

// The allowance, compared with an independent implementation of the binomial
// distribution.
func TestAllowanceIsTheSmallestThatWillDo(t *testing.T) {
	t.Parallel()
	for _, good := range []float64{0.5, 0.9, 0.99, 0.999} {
		for _, n := range []int{1, 2, 9, 10, 50, 51, 200, 1000, 4200, 1_000_000} {
			k := verdict.Allowance(n, good)
			tail := func(k int) float64 {
				return 1 - distuv.Binomial{N: float64(n), P: 1 - good}.CDF(float64(k))
			}
			if k < n && tail(k) > 0.0001+1e-12 {
				t.Errorf("a(%d) at %v is %d: too small, tail %v", n, good, k, tail(k))
			}
			if k > 0 && tail(k-1) <= 0.0001-1e-12 {
				t.Errorf("a(%d) at %v is %d: too large, tail below it %v", n, good, k, tail(k-1))
			}
		}
	}
	if k := verdict.Allowance(1000, 1); k != 0 {
		t.Errorf("with good = 100%% an error is allowed: %d", k)
	}
}

func BenchmarkJudgeMillion(b *testing.B) {
	samples := make([]verdict.Sample, 1_000_000)
	for i := range samples {
		at := time.Duration(i) * time.Millisecond
		samples[i] = verdict.Sample{
			Seq: uint32(i), Sent: at, Latency: 5 * time.Millisecond,
			Failed: at > 100*time.Second && at < 120*time.Second || i%1009 == 0,
		}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	c := verdict.Case{
		Samples:   samples,
		Marks:     verdict.Marks{Fault: 100 * time.Second, Reverted: true, Revert: 900 * time.Second},
		Objective: verdict.Objective{RTO: 30 * time.Second}.WithDefaults(),
		Rate:      1000,
	}
	b.ReportAllocs()
	for b.Loop() {
		if v := verdict.Judge(c); v.State != verdict.Recovered {
			b.Fatalf("%+v", v)
		}
	}
}
