package helper

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Work is one thing that a helper can do: [Packets], [Queue], [Shape], [Fill],
// [Mount] and [Signal] last until they are undone; [File], [KillOrder],
// [Sockets], [Features], and a [Signal] that nothing takes back, are done at
// once.
type Work interface {
	// work is its name on the wire.
	work() string
}

// Order is work on the wire: its name, and its settings. It has one entry.
type Order map[string]json.RawMessage

// order writes work down.
func order(w Work) (Order, error) {
	if w == nil {
		return nil, nil
	}
	data, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write down %s: %w", w.work(), err)
	}
	return Order{w.work(): data}, nil
}

// lasting is work that is in force until it is undone. What the kernel keeps
// when the helper is killed, mend takes back.
type lasting interface {
	Work
	// try reports whether it could be put in force, as far as that shows before.
	// It changes nothing.
	try() error
	// begin puts it in force, or changes nothing. If it fails and cannot take
	// back what it did so far, it returns that beside the error. tag is a name of
	// its own in the kernel.
	begin(tag string) (effect, Reply, error)
	// mend takes back what a helper that was killed has left of it. It runs in
	// another helper, after whatever may have happened: all of it, half of it,
	// or nothing.
	mend() error
}

// momentary is work that leaves nothing to take back.
type momentary interface {
	Work
	do() (Reply, error)
}

// effect is lasting work that is in force.
type effect interface {
	// status tells what it has met, or that it is not in force any more.
	status() (Reply, error)
	// undo takes it back. It is tried again if it fails, and mends nothing that
	// is no longer there.
	undo() error
}

// registry is all work that a helper knows, by its name on the wire. Each
// function makes a zero value, to be filled from an order.
type registry struct {
	lasting   map[string]func() lasting
	momentary map[string]func() momentary
}

// errNoWork is an order of a newer gameday.
var errNoWork = errors.New("the helper does not know this work")

// last is the lasting work that an order means.
func (r registry) last(o Order) (lasting, error) { return read(o, r.lasting) }

// moment is the work of an order that is done at once.
func (r registry) moment(o Order) (momentary, error) { return read(o, r.momentary) }

func read[W Work](o Order, known map[string]func() W) (w W, err error) {
	if len(o) != 1 {
		return w, fmt.Errorf("%w: an order is one work, and this is %d", errNoWork, len(o))
	}
	for name, data := range o {
		blank, ok := known[name]
		if !ok {
			return w, fmt.Errorf("%w: found %q, expected one of %v", errNoWork, name, slices.Sorted(maps.Keys(known)))
		}
		w = blank()
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields() // an order that is half understood is another fault
		if err := decoder.Decode(w); err != nil {
			return w, fmt.Errorf("read an order of %s: %w", name, err)
		}
	}
	return w, nil
}
