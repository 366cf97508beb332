package record

import (
	"errors"
	"iter"
	"sync"
)

// Acked are the acknowledged writes of a run that lasts, and what looking them up has
// found: of each, one byte is in memory.
type Acked struct {
	each   func(yield func(Ack) bool) error // reads them
	memory []Ack                            // those of [AckedOf]

	mu    sync.Mutex // guards what follows
	found []readings
	of    map[string]int // how many writes each journey has
	err   error
}

// readings are what two look-ups of a write have found, each in two bits: 0 before it.
type readings uint8

const (
	present readings = 1 + iota
	absent
	unconfirmed
)

// AckedOf are a few writes that are in memory, and are given their presence there. Those
// without a journey are of every one.
func AckedOf(acks []Ack) *Acked {
	a := &Acked{memory: acks, found: make([]readings, len(acks)), of: map[string]int{}}
	for _, ack := range acks {
		a.of[ack.Journey]++
	}
	a.each = func(yield func(Ack) bool) error {
		for _, ack := range acks {
			if !yield(ack) {
				break
			}
		}
		return nil
	}
	return a
}

// Len is how many writes of a journey there are.
func (a *Acked) Len(journey string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if journey == "" {
		return a.of[""]
	}
	return a.of[journey] + a.of[""]
}

// All are the writes of a journey with their places among all, as the system acknowledged
// them. They can be read again, once no more are added. An error ends them: see [Acked.Err].
func (a *Acked) All(journey string) iter.Seq2[int, Ack] {
	return func(yield func(int, Ack) bool) {
		place := -1
		err := a.each(func(ack Ack) bool {
			place++
			return ack.Journey != journey && ack.Journey != "" || yield(place, ack)
		})
		a.mu.Lock()
		defer a.mu.Unlock()
		a.err = errors.Join(a.err, err)
	}
}

// Err is the error that ended a reading of [Acked.All].
func (a *Acked) Err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

// Found notes what a look-up of a write has found: present, absent, or anything else.
func (a *Acked) Found(place int, presence string) {
	found := unconfirmed
	switch presence {
	case "present":
		found = present
	case "absent":
		found = absent
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found[place] == 0 {
		a.found[place] = found
	} else {
		a.found[place] |= found << 2
	}
	if a.memory != nil {
		a.memory[place].Presence = a.presence(place)
	}
}

// Presence is what two look-ups of a write agree on; else it is unconfirmed.
func (a *Acked) Presence(place int) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.presence(place)
}

func (a *Acked) presence(place int) string {
	first, second := a.found[place]&3, a.found[place]>>2
	switch {
	case first == present && second == present:
		return "present"
	case first == absent && second == absent:
		return "absent"
	}
	return "unconfirmed"
}
