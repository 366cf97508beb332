package run_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// writers are a thousand users a second, each of whom is acknowledged a write. heap is told
// how much memory is in use after each minute.
type writers struct {
	heap func(minute int, bytes uint64)
}

// Run implements [run.Traffic].
func (w writers) Run(ctx context.Context, on func(probe.Visit)) error {
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for seq := 1; ; seq++ {
		select {
		case <-ctx.Done():
			return nil
		case now := <-ticker.C:
			s := record.Sample{Journey: "checkout", Seq: uint64(seq), Sent: now, Latency: 5 * time.Millisecond, Code: 201}
			step := s
			step.Journey = "checkout/order"
			id := fmt.Sprintf("32d5f23b-628c-4224-92fa-%012d", seq)
			on(probe.Visit{Sample: s, Steps: []record.Sample{step}, Ack: &record.Ack{Journey: "checkout", ID: id, At: now, Vars: map[string]string{"token": id}}})
			if seq%60_000 == 0 {
				w.heap(seq/60_000, inUse())
			}
		}
	}
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A run of an hour at a thousand acknowledged writes a second grows by less than 64 MB, its
// look-ups included. Its clock is that of the test. Minutes of it are enough to see by how
// much each one grows; task test:long runs the hour.
func TestMemoryStaysFlat(t *testing.T) { //nolint:paralleltest // it counts what the process has in use
	minutes, most := enginetest.Rounds(3, 60), 64e6/60
	synctest.Test(t, func(t *testing.T) {
		d := newDay(t)
		d.timing.Watch = time.Duration(minutes) * time.Minute
		var first, last uint64
		var from, to int
		d.load = writers{func(minute int, bytes uint64) {
			if first == 0 {
				first, from = bytes, minute
			}
			last, to = bytes, minute
		}}
		looked := 0
		d.onConfirm = func(acks *record.Acked) { looked, last = acks.Len("checkout"), max(last, inUse()) }
		if account, err := d.conduct(t.Context(), t); err != nil || !account.Confirmed || looked < minutes*60_000 {
			t.Fatalf("%+v, %d writes, %v", account, looked, err)
		}
		grew := float64(int64(last)-int64(first)) / float64(to-from)
		t.Logf("%d writes, %.1f MB after minute %d, %.1f MB after minute %d and the look-ups: %.2f MB a minute", looked, float64(first)/1e6, from, float64(last)/1e6, to, grew/1e6)
		if grew > most {
			t.Errorf("it grows by %.2f MB a minute, expected at most %.2f", grew/1e6, most/1e6)
		}
	})
}
