package run_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/run"
)

// A baseline that goes on does not begin before users who were forgotten: the run would be
// inconclusive whatever comes, and nothing may be broken then.
func TestABaselineDoesNotBeginBeforeWhatWasForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		day := p.day(t, "staging")
		day.Scenario.Timing.Baseline = 10400 * time.Millisecond // 520 users: 15 may be bad; of 533, 16
		day.Walks = func(int, uint64) run.Walk {
			return troubled{p.world, func(at time.Duration) bool {
				return at < 3*time.Second || at >= 8*time.Second && at < 12800*time.Millisecond && at%(300*time.Millisecond) < 20*time.Millisecond
			}}
		}
		dir, err := day.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, v := judged(t, dir)
		if p.Kills.Load() > 0 && v.Reason != "" {
			t.Errorf("%d kills for a verdict that is %s %s", p.Kills.Load(), v.Outcome, v.Reason)
		}
	})
}
