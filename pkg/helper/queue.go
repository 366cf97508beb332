package helper

import (
	"context"
	"math/rand/v2"
	"time"
)

// Queue holds packets up in user space.
type Queue struct {
	Match   []Rule        `json:"match"` // which packets; their Do is not read
	Delay   time.Duration `json:"delay,omitempty"`
	Jitter  time.Duration `json:"jitter,omitempty"`  // up to so much more or less
	Corrupt float64       `json:"corrupt,omitempty"` // share of packets of which a byte is changed
	Reorder float64       `json:"reorder,omitempty"` // share of packets that overtake the delayed ones
	Seed    uint64        `json:"seed,omitempty"`
}

func (*Queue) work() string { return "queue" }

// fate is what becomes of a packet that was sent to the queue.
type fate struct {
	due     time.Time // when it leaves; the zero time: now, before those that wait
	altered []byte    // what it is by then, if it was changed
	met     bool      // the fault has done something to it
}

// fates decides what becomes of one packet after the other.
type fates struct {
	spec   Queue
	random *rand.Rand
	last   time.Time // when the last packet leaves: they keep their order
}

func newFates(q Queue) fates {
	return fates{spec: q, random: rand.New(rand.NewPCG(q.Seed, 0))} //nolint:gosec // G404: jitter, not a secret
}

// next is the fate of the packet that has come now. payload is nil if the kernel
// was not asked for it.
func (f *fates) next(now time.Time, payload []byte) fate {
	due := now.Add(f.spec.Delay)
	if f.spec.Jitter > 0 {
		due = due.Add(time.Duration((2*f.random.Float64() - 1) * float64(f.spec.Jitter)))
	}
	if due.Before(f.last) {
		due = f.last
	}
	var altered []byte
	if payload != nil && f.random.Float64() < f.spec.Corrupt {
		altered = corrupted(payload, f.random)
	}
	if f.random.Float64() < f.spec.Reorder || !due.After(now) {
		overtakes := f.spec.Reorder > 0 && f.last.After(now)
		return fate{altered: altered, met: altered != nil || overtakes}
	}
	f.last = due
	// To hold packets up is the means by which others overtake, and not the fault.
	return fate{due: due, altered: altered, met: altered != nil || f.spec.Reorder == 0}
}

// corrupted changes a bit behind the IP header, so that the packet arrives and
// its checksum tells.
func corrupted(payload []byte, random *rand.Rand) []byte {
	header := 20
	if len(payload) > 0 {
		header = int(payload[0]&0x0f) * 4
		if payload[0]>>4 == 6 {
			header = 40
		}
	}
	if len(payload) <= header {
		return nil
	}
	altered := append([]byte{}, payload...)
	altered[header+random.IntN(len(payload)-header)] ^= 1 << random.IntN(8)
	return altered
}

// packet is one that is held up, by the kernel's number for it.
type packet struct {
	id uint32
	fate
}

// release lets packets go when they are due, and all of them at the end.
func release(ctx context.Context, held <-chan packet, pass func(packet)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case p := <-held:
			// All that are due by now go at once: a timer for each would take longer
			// than the gap between them.
			if wait := time.Until(p.due); wait > 0 {
				timer.Reset(wait)
				select {
				case <-timer.C:
				case <-ctx.Done():
				}
			}
			pass(p)
		case <-ctx.Done():
			for {
				select {
				case p := <-held:
					pass(p)
				default:
					return
				}
			}
		}
	}
}
