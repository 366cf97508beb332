package helper

import (
	"bytes"
	"context"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// when is a moment for packets to come at.
func when() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// through sends packets through a queue, one each gap, and returns how long each
// was held up; 0 is not at all.
func through(q Queue, n int, gap time.Duration) []time.Duration {
	f := newFates(q)
	held := make([]time.Duration, n)
	for i := range held {
		now := when().Add(time.Duration(i) * gap)
		if due := f.next(now, nil).due; !due.IsZero() {
			held[i] = due.Sub(now)
		}
	}
	return held
}

func TestADelay(t *testing.T) {
	t.Parallel()
	for i, held := range through(Queue{Delay: 50 * time.Millisecond}, 1000, time.Millisecond) {
		if held != 50*time.Millisecond {
			t.Errorf("packet %d was held up for %v", i, held)
		}
	}
	for i, held := range through(Queue{}, 10, time.Millisecond) {
		if held != 0 {
			t.Errorf("packet %d was held up for %v by nothing", i, held)
		}
	}
}

// Jitter is up to so much more or less, on both sides and around the delay, for
// packets that come one by one.
func TestJitter(t *testing.T) {
	t.Parallel()
	const delay, jitter = 50 * time.Millisecond, 20 * time.Millisecond
	var sum time.Duration
	var less, more int
	all := through(Queue{Delay: delay, Jitter: jitter, Seed: 7}, 2000, time.Second)
	for _, held := range all {
		if held < delay-jitter || held > delay+jitter {
			t.Errorf("held up for %v", held)
		}
		sum += held
		switch {
		case held < delay-jitter*9/10:
			less++
		case held > delay+jitter*9/10:
			more++
		}
	}
	if mean := sum / time.Duration(len(all)); mean < delay-time.Millisecond || mean > delay+time.Millisecond {
		t.Errorf("%v in the mean", mean)
	}
	if less < 50 || more < 50 { // of 100 that are expected
		t.Errorf("%d near the least, %d near the most", less, more)
	}
}

// The same seed is the same choice, so that a run can be repeated.
func TestASeed(t *testing.T) {
	t.Parallel()
	q := Queue{Delay: 50 * time.Millisecond, Jitter: 20 * time.Millisecond, Reorder: 0.3, Seed: 7}
	other := q
	other.Seed = 8
	first := through(q, 100, time.Second)
	if !slices.Equal(first, through(q, 100, time.Second)) {
		t.Error("another choice by the same seed")
	}
	if slices.Equal(first, through(other, 100, time.Second)) {
		t.Error("the same choice by another seed")
	}
}

// However much jitter there is, packets leave in the order in which they came;
// and those of the share that overtakes leave at once.
func TestTheOrderOfPackets(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delay := time.Duration(rapid.IntRange(0, 100_000).Draw(t, "delay")) * time.Microsecond
		q := Queue{
			Delay: delay, Jitter: time.Duration(rapid.Int64Range(0, int64(delay)).Draw(t, "jitter")),
			Reorder: rapid.SampledFrom([]float64{0, 0.25, 1}).Draw(t, "reorder"), Seed: rapid.Uint64().Draw(t, "seed"),
		}
		f := newFates(q)
		now, last := when(), time.Time{}
		for range rapid.IntRange(1, 200).Draw(t, "packets") {
			now = now.Add(time.Duration(rapid.IntRange(0, 10_000).Draw(t, "gap")) * time.Microsecond)
			due := f.next(now, nil).due
			switch {
			case due.IsZero() && q.Reorder == 0 && last.After(now):
				t.Fatalf("a packet overtakes one that leaves %v later", last.Sub(now))
			case due.IsZero():
			case q.Reorder == 1:
				t.Fatal("all overtake, and one is held up")
			case due.Before(last):
				t.Fatalf("due %v before the last one", last.Sub(due))
			case due.Sub(now) > q.Delay+q.Jitter && !due.Equal(last):
				t.Fatalf("held up for %v", due.Sub(now))
			default:
				last = due
			}
		}
	})
}

func TestAShareOvertakes(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0, 0.1, 0.5, 1} {
		overtake := 0
		for _, held := range through(Queue{Delay: 20 * time.Millisecond, Reorder: share, Seed: 3}, 10_000, time.Millisecond) {
			if held == 0 {
				overtake++
			}
		}
		if got := float64(overtake) / 10_000; got < share-0.02 || got > share+0.02 || share == 0 && got > 0 || share == 1 && got < 1 {
			t.Errorf("%v of them overtake, expected %v", got, share)
		}
	}
}

// A packet that is corrupted differs in one bit behind its IP header, of which
// the options are a part; and it is as long as it was.
func TestCorrupted(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, h := range map[string]header{
		"plain":        between("10.0.0.1", "10.0.0.2"),
		"with options": between("10.0.0.1", "10.0.0.2").optional(40),
		"a fragment":   func() header { h := between("10.0.0.1", "10.0.0.2").part(185, false); h.payload = "the rest"; return h }(),
	} {
		sent := h.bytes()
		header := 20 + h.options
		places := map[int]bool{}
		for range 2000 {
			got := corrupted(sent, random)
			if len(got) != len(sent) || !bytes.Equal(got[:header], sent[:header]) {
				t.Fatalf("%s: the header was changed: % x", name, got)
			}
			changed := 0
			for i := range got {
				if got[i] != sent[i] {
					changed += bits.OnesCount8(got[i] ^ sent[i])
					places[i] = true
				}
			}
			if changed != 1 {
				t.Fatalf("%s: %d bits were changed", name, changed)
			}
		}
		if len(places) != len(sent)-header {
			t.Errorf("%s: only %d places of %d are ever changed", name, len(places), len(sent)-header)
		}
		if !bytes.Equal(sent, h.bytes()) {
			t.Errorf("%s: the packet itself was changed", name)
		}
	}
}

// What has nothing behind its header, or is no packet at all, passes as it is.
func TestNothingToCorrupt(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, data := range map[string][]byte{
		"nothing":            {},
		"a header alone":     between("10.0.0.1", "10.0.0.2").bytes()[:20],
		"less than a header": {0x45, 0, 0},
		"options cut off":    between("10.0.0.1", "10.0.0.2").optional(40).bytes()[:50],
	} {
		if got := corrupted(data, random); got != nil {
			t.Errorf("%s: % x", name, got)
		}
	}
}

func TestAShareIsCorrupted(t *testing.T) {
	t.Parallel()
	payload := between("10.0.0.1", "10.0.0.2").bytes()
	for _, share := range []float64{0, 0.2, 1} {
		f := newFates(Queue{Corrupt: share, Seed: 11})
		n := 0
		for range 10_000 {
			got := f.next(when(), payload)
			if !got.due.IsZero() {
				t.Fatal("it was held up")
			}
			if got.altered != nil {
				n++
			}
		}
		if got := float64(n) / 10_000; got < share-0.02 || got > share+0.02 || share == 0 && n > 0 || share == 1 && got < 1 {
			t.Errorf("%v of them were corrupted, expected %v", got, share)
		}
	}
	// Without the packet itself nothing is corrupted, and it is held up all the same.
	f := newFates(Queue{Corrupt: 1, Delay: time.Millisecond})
	if got := f.next(when(), nil); got.altered != nil || got.due.IsZero() {
		t.Errorf("%+v", got)
	}
	f = newFates(Queue{Corrupt: 1, Delay: time.Millisecond})
	if got := f.next(when(), payload); got.altered == nil || got.due.IsZero() {
		t.Errorf("%+v", got)
	}
}

// Packets are let go when they are due, to the nanosecond of a clock that is
// ours, and all that are due by then at once.
func TestRelease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		held := make(chan packet, 16)
		var passed []int64
		for i, after := range []int{10, 10, 30, 30, 31, 5} {
			held <- packet{id: uint32(i), fate: fate{due: began.Add(time.Duration(after) * time.Millisecond)}}
		}
		ended := make(chan struct{})
		var ids []uint32
		go func() {
			defer close(ended)
			release(ctx, held, func(p packet) {
				passed, ids = append(passed, time.Since(began).Milliseconds()), append(ids, p.id)
			})
		}()
		<-time.After(time.Second)
		synctest.Wait()
		if !slices.Equal(passed, []int64{10, 10, 30, 30, 31, 31}) || !slices.Equal(ids, []uint32{0, 1, 2, 3, 4, 5}) {
			t.Errorf("%v passed after %v", ids, passed)
		}
		cancel()
		<-ended
	})
}

// The end of a delay is the end for all that are held up.
func TestReleaseAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		held := make(chan packet, 16)
		for i := range 10 {
			held <- packet{id: uint32(i), fate: fate{due: began.Add(time.Hour)}}
		}
		ended := make(chan struct{})
		passed := 0
		go func() {
			defer close(ended)
			release(ctx, held, func(packet) { passed++ })
		}()
		<-time.After(time.Minute)
		synctest.Wait()
		if passed != 0 {
			t.Errorf("%d passed before they were due", passed)
		}
		cancel()
		<-ended
		if passed != 10 || time.Since(began) != time.Minute {
			t.Errorf("%d passed, %v after the first came", passed, time.Since(began))
		}
	})
}
