package verdict_test

import (
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A lost write that was acknowledged before the fault was in force is no split brain.
func TestSplitBrainIsNamedAfterTheFaultOnly(t *testing.T) {
	t.Parallel()
	const fault, inForce = 10 * time.Second, 11 * time.Second
	for name, c := range map[string]struct {
		at    time.Duration
		split bool
	}{
		"before":             {9500 * time.Millisecond, false},
		"not yet in force":   {10500 * time.Millisecond, false},
		"after it was":       {11500 * time.Millisecond, true},
		"at the very moment": {inForce, false},
	} {
		w := verdict.JudgeWrites([]verdict.Ack{{At: 9900 * time.Millisecond, Presence: verdict.Present}, {At: c.at, Presence: verdict.Absent}}, fault, inForce, 0)
		if w.SplitBrain != c.split || w.Lost != 1 || !w.Missed || !w.Observed {
			t.Errorf("%s: %+v", name, w)
		}
	}
}
