package fault_test

import (
	"slices"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
)

// A kill is in force, and seen to be, within 1.2 times of the engine's own kill
// call: medians of turns taken one after the other, as the engine's speed
// changes with what else the machine does.
func TestKillIsOnTime(t *testing.T) { //nolint:paralleltest // times are measured
	enginetest.Alone(t)
	b := enginetest.New(t)
	ctx := t.Context()
	kill, id := &fault.Kill{}, b.Start("no")
	h := b.Open(id)
	again := func() {
		if err := b.Client.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		b.Eventually("it serves again", func() bool { return b.Serves(id) })
	}
	var ours, bare []time.Duration
	for range 15 {
		was, err := kill.Prepare(ctx, h)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := kill.Inject(ctx, h, was); err != nil {
			t.Fatal(err)
		}
		if err := kill.InForce(ctx, h, was); err != nil {
			t.Fatal(err)
		}
		ours = append(ours, time.Since(began))
		again()

		began = time.Now()
		if err := b.Client.ContainerKill(ctx, id, "SIGKILL"); err != nil {
			t.Fatal(err)
		}
		bare = append(bare, time.Since(began))
		again()
	}
	slices.Sort(ours)
	slices.Sort(bare)
	ratio := func(rank, of int) float64 { return float64(ours[rank-1]) / float64(bare[of-1]) }
	t.Logf("in force %v after the order, a bare kill takes %v: %.2f times", ours[7], bare[7], ratio(8, 8))
	// By the 95% bounds of both medians, which are the 4th and the 12th of 15.
	if ratio(4, 12) > 1.2 {
		t.Errorf("at least %.2f times as long as a bare kill, expected at most 1.2", ratio(4, 12))
	}
}
