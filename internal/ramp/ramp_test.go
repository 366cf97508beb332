package ramp_test

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/ramp"
)

func TestCurves(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		start  float64
		stages []ramp.Stage
		until  time.Duration
		want   float64
	}{
		"constant":                {50, nil, 3 * s, 150},
		"before":                  {50, []ramp.Stage{{To: 200, Over: 30 * s}}, -2 * s, -100},
		"half a ramp":             {0.5, []ramp.Stage{{To: 10.5, Over: 10 * s}}, 5 * s, 0.5*5 + 12.5},
		"a ramp":                  {50, []ramp.Stage{{To: 200, Over: 30 * s}}, 30 * s, 3750},
		"after a ramp":            {50, []ramp.Stage{{To: 200, Over: 30 * s}}, 32 * s, 4150},
		"a step":                  {50, []ramp.Stage{{To: 200}}, 2 * s, 400},
		"down again":              {50, []ramp.Stage{{To: 150, Over: 10 * s, Hold: 10 * s}, {To: 50, Over: 10 * s}}, 40 * s, 1000 + 1500 + 1000 + 500},
		"a hold, and then a step": {50, []ramp.Stage{{To: 50, Hold: 10 * s}, {To: 100}}, 11 * s, 600},
	} {
		curve := ramp.New(c.start, c.stages)
		if got := curve.Users(c.until); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %v users until %v, expected %v", name, got, c.until, c.want)
		}
		if at := curve.At(c.want); (at - c.until).Abs() > time.Microsecond {
			t.Errorf("%s: %v users at %v, expected %v", name, c.want, at, c.until)
		}
	}
}

// Both directions are each other's inverse, and never go back.
func TestCurvesAreMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Float64Range(0.01, 1e5)
		length := rapid.OneOf(rapid.Just(time.Duration(0)), rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "length"))
		}))
		stages := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ramp.Stage {
			return ramp.Stage{To: rate.Draw(t, "to"), Over: length.Draw(t, "over"), Hold: length.Draw(t, "hold")}
		}), 0, 5).Draw(t, "stages")
		c := ramp.New(rate.Draw(t, "start"), stages)
		at := time.Duration(rapid.Int64Range(int64(-time.Hour), int64(10*time.Hour)).Draw(t, "at"))
		later := at + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "later"))
		if c.Users(later) < c.Users(at) {
			t.Fatalf("%v users until %v, but %v until %v", c.Users(at), at, c.Users(later), later)
		}
		if back := c.At(c.Users(at)); (back - at).Abs() > 10*time.Microsecond {
			t.Fatalf("%v, and back %v", at, back)
		}
	})
}
