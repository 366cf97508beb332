package fault_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}

// A warm injection is in force within milliseconds: one line to a helper that
// is there already. A cold one has to start the helper first.
func BenchmarkInjection(b *testing.B) {
	bed := enginetest.New(b)
	id := bed.Start("no")
	h := bed.Open(id)
	f := of(&fault.Drop{Traffic: fault.Traffic{Ports: []uint16{9}}})
	attacher := h.(target.Attacher)
	var cold, warm, undone []time.Duration
	for range 5 {
		began := time.Now()
		if _, err := attacher.Attach(b.Context(), helper.Network); err != nil {
			b.Fatal(err)
		}
		cold = append(cold, time.Since(began))
		if err := bed.Env.Dismiss(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.(fault.Warmer).Warm(b.Context(), h); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for range 50 {
			was, err := f.Prepare(b.Context(), h)
			if err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			if err := f.Inject(b.Context(), h, was); err != nil {
				b.Fatal(err)
			}
			warm = append(warm, time.Since(began))
			began = time.Now()
			if err := f.Revert(b.Context(), h, was); err != nil {
				b.Fatal(err)
			}
			undone = append(undone, time.Since(began))
		}
	}
	b.ReportMetric(float64(median(warm).Microseconds())/1000, "ms-warm")
	b.ReportMetric(float64(warm[len(warm)*99/100].Microseconds())/1000, "ms-warm-p99") // median has sorted them
	b.ReportMetric(float64(median(cold).Microseconds())/1000, "ms-cold")
	b.ReportMetric(float64(median(undone).Microseconds())/1000, "ms-undo")
}

// A fault of a whole zone is one event: how long after the first of 20 components the last one
// has it, all ordered at once.
func BenchmarkInjectionIntoAZone(b *testing.B) {
	bed := enginetest.New(b)
	f := of(&fault.Drop{Traffic: fault.Traffic{Ports: []uint16{9}}})
	handles := make([]target.Handle, 20)
	for i := range handles {
		handles[i] = bed.Open(bed.Start("no"))
		if err := f.(fault.Warmer).Warm(b.Context(), handles[i]); err != nil {
			b.Fatal(err)
		}
	}
	var spreads, all []time.Duration
	for b.Loop() {
		for range 20 {
			spread, took := strikeAll(b, f, handles)
			spreads, all = append(spreads, spread), append(all, took...)
		}
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(median(spreads)), "ms-spread")
	b.ReportMetric(ms(spreads[len(spreads)-1]), "ms-spread-max")
	b.ReportMetric(ms(all[len(all)/2]), "ms-each")
	b.ReportMetric(ms(all[len(all)*99/100]), "ms-each-p99")
}

// strikeAll injects a fault into all components at once, and reverts it. It returns the time
// between the first and the last that had it, and how long each took.
func strikeAll(b *testing.B, f fault.Fault, handles []target.Handle) (spread time.Duration, took []time.Duration) {
	b.Helper()
	states, done := make([]json.RawMessage, len(handles)), make([]time.Time, len(handles))
	for i, h := range handles {
		was, err := f.Prepare(b.Context(), h)
		if err != nil {
			b.Fatal(err)
		}
		states[i] = was
	}
	var orders sync.WaitGroup
	began := time.Now()
	for i, h := range handles {
		orders.Go(func() {
			if err := f.Inject(b.Context(), h, states[i]); err != nil {
				b.Error(err)
			}
			done[i] = time.Now()
		})
	}
	orders.Wait()
	for i, h := range handles {
		took = append(took, done[i].Sub(began))
		if err := f.Revert(b.Context(), h, states[i]); err != nil {
			b.Error(err)
		}
	}
	return slices.MaxFunc(done, time.Time.Compare).Sub(slices.MinFunc(done, time.Time.Compare)), took
}

// A delay is what was asked for, at the rate of users.
func TestADelayIsWhatWasAsked(t *testing.T) { //nolint:paralleltest // times are measured
	enginetest.Alone(t)
	c := packetSuite()["delay"]
	s := c.begin(t)
	h := s.Open(s.id)
	bare := median(echoes(t, s, 200, time.Second))
	f := of(&fault.Delay{By: 50 * time.Millisecond})
	was, err := f.Prepare(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Inject(t.Context(), h, was); err != nil {
		t.Fatal(err)
	}
	delayed := echoes(t, s, 200, 2*time.Second)
	more := median(delayed) - bare
	t.Logf("%v at rest, %v more with a delay of 50ms, of %d round trips", bare, more, len(delayed))
	if more < 45*time.Millisecond || more > 55*time.Millisecond || len(delayed) < 390 {
		t.Errorf("delayed by %v (%d of 400 came back)", more, len(delayed))
	}
}

// How many packets a second the delay carries, and what it does above that. It
// is on the way in: on the way out, what is held counts against the sender's own
// socket buffer, and some 250 packets are as much as one has room for.
func BenchmarkDelayRate(b *testing.B) {
	c := packetSuite()["delay"]
	s := c.begin(b)
	h := s.Open(s.id)
	f := of(&fault.Delay{Traffic: fault.Traffic{Direction: fault.In}, By: 50 * time.Millisecond})
	was, err := f.Prepare(b.Context(), h)
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(f.(fault.Warmer).Warm(b.Context(), h), f.Inject(b.Context(), h, was)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, rate := range []int{1000, 2000, 5000, 10_000, 20_000, 40_000} {
			took := echoes(b, s, rate, 2*time.Second)
			if len(took) == 0 {
				b.Logf("%6d packets/s: none came back", rate)
				continue
			}
			asked := 0
			for _, d := range took {
				if d >= 45*time.Millisecond && d <= 60*time.Millisecond {
					asked++
				}
			}
			b.Logf("%6d packets/s: %3d%% came back, %3d%% of them 45 to 60 ms late, median %v",
				rate, 100*len(took)/(2*rate), 100*asked/len(took), median(took))
		}
	}
}

// echoes sends packets at a rate, whatever comes back, and returns how long
// those took that did.
func echoes(tb testing.TB, s scene, rate int, lasts time.Duration) []time.Duration {
	tb.Helper()
	conn, err := dial(s, "udp", 7, time.Second)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.UDPConn).SetReadBuffer(8 << 20)
	began := time.Now()
	came := make(chan []time.Duration)
	go func() {
		var all []time.Duration
		buffer := make([]byte, 64)
		for {
			_ = conn.SetReadDeadline(began.Add(lasts + 500*time.Millisecond))
			if _, err := conn.Read(buffer); err != nil {
				came <- all
				return
			}
			all = append(all, time.Since(began)-time.Duration(binary.BigEndian.Uint64(buffer)))
		}
	}()
	gap := time.Second / time.Duration(rate)
	packet := make([]byte, 64)
	for sent := 0; ; {
		now := time.Since(began)
		if now >= lasts {
			break
		}
		for ; sent < int(now/gap); sent++ {
			binary.BigEndian.PutUint64(packet, uint64(time.Since(began)))
			_, _ = conn.Write(packet) // a full buffer: one that does not come back
		}
		<-time.After(min(gap, time.Millisecond))
	}
	return <-came
}
