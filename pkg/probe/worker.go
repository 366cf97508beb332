package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
)

// The protocol between gameday and a load worker: lines of JSON. Both ends are
// built from the same source.
//
// Times are sent as time since the worker's start, by its monotonic clock, because its
// wall clock may differ. See [Remote] for the conversion to our clock.
type (
	// order is a line to the worker: exactly one field is set.
	order struct {
		Load      *Load        `json:"load,omitempty"`      // send users until Stop
		Confirm   *Load        `json:"confirm,omitempty"`   // look up the acknowledged writes that follow
		Look      []record.Ack `json:"look,omitempty"`      // such writes
		Looked    bool         `json:"looked,omitempty"`    // those were all
		Try       *tryOrder    `json:"try,omitempty"`       // let a few users walk, and tell all
		Ping      int          `json:"ping,omitempty"`      // send the time
		Struck    bool         `json:"struck,omitempty"`    // the fault was ordered: begin the stages
		Calibrate bool         `json:"calibrate,omitempty"` // begin the calibration
		Stop      bool         `json:"stop,omitempty"`      // send no more users
	}
	tryOrder struct {
		Load  Load `json:"load"`
		Users int  `json:"users"`
	}
	// line is a line from the worker.
	line struct {
		Version int           `json:"version,omitempty"` // in the first line
		Pong    int           `json:"pong,omitempty"`
		Now     time.Duration `json:"now,omitempty"`
		Visit   *Visit        `json:"visit,omitempty"`
		Found   []string      `json:"found,omitempty"` // the presence of the writes that were to be looked up
		Tried   *Tried        `json:"tried,omitempty"` // one user's way
		Done    bool          `json:"done,omitempty"`  // the last line
		Error   string        `json:"error,omitempty"`
	}
)

// workerVersion is the version of the protocol.
const workerVersion = 6

// epoch is the time that stands for the worker's start in samples.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

// worker is the far end of a [Remote].
type worker struct {
	started   time.Time
	protocols Protocols
	mu        sync.Mutex // guards out
	out       *json.Encoder
	looks     chan []record.Ack // to look up
}

// Work is the worker of a [Remote]. It reads orders and runs them until it receives Stop,
// or until in ends, which happens when gameday ends.
func Work(ctx context.Context, in io.Reader, out io.Writer, protocols Protocols) error {
	w := &worker{started: time.Now(), out: json.NewEncoder(out), protocols: protocols, looks: make(chan []record.Ack)}
	w.say(line{Version: workerVersion})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var working sync.WaitGroup
	defer working.Wait()
	orders := json.NewDecoder(in)
	orders.UseNumber() // a number of a body or of a statement stays what it is
	struck := make(chan struct{})
	strike := sync.OnceFunc(func() { close(struck) })
	calibrate := make(chan struct{}, MostCalibrations)
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			cancel()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read an order: %w", err)
		}
		switch {
		case o.Ping > 0:
			w.say(line{Pong: o.Ping, Now: time.Since(w.started)})
		case o.Struck:
			strike()
		case o.Calibrate:
			select {
			case calibrate <- struct{}{}:
			default:
			}
		case o.Stop:
			cancel()
			working.Wait()
			return nil
		case o.Load != nil:
			o.Load.Protocols, o.Load.Struck, o.Load.Calibrate = w.protocols, struck, calibrate
			working.Go(func() { w.done(o.Load.Run(ctx, w.visited)) })
		case o.Try != nil:
			o.Try.Load.Protocols = w.protocols
			working.Go(func() {
				w.done(o.Try.Load.Try(ctx, o.Try.Users, func(t Tried) { w.say(line{Tried: &t}) }))
			})
		default:
			w.look(ctx, o, &working)
		}
	}
}

// look carries out an order about acknowledged writes.
func (w *worker) look(ctx context.Context, o order, working *sync.WaitGroup) {
	switch {
	case o.Confirm != nil:
		o.Confirm.Protocols = w.protocols
		working.Go(func() {
			w.done(w.confirm(ctx, *o.Confirm, w.looks))
			passOver(ctx, w.looks)
		})
	case o.Look != nil:
		select {
		case w.looks <- o.Look:
		case <-ctx.Done():
		}
	case o.Looked:
		close(w.looks)
	}
}

// say writes a line. It ignores errors: if the reader is gone, in ends too.
func (w *worker) say(l line) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.out.Encode(l)
}

func (w *worker) done(err error) {
	last := line{Done: true}
	if err != nil {
		last.Error = err.Error()
	}
	w.say(last)
}

// confirm looks up writes as they come, until no more do.
func (w *worker) confirm(ctx context.Context, l Load, looks <-chan []record.Ack) error {
	look, err := l.lookUp(compilation{})
	if err != nil {
		return err
	}
	defer func() { _ = look.close() }()
	for {
		select {
		case acks, more := <-looks:
			if !more {
				return nil
			}
			found := make([]string, len(acks))
			look.each(ctx, slices.All(acks), func(place int, presence string) { found[place] = presence })
			w.say(line{Found: found})
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// passOver takes writes that are not looked up any longer, so that orders are read on.
func passOver(ctx context.Context, looks <-chan []record.Ack) {
	for {
		select {
		case _, more := <-looks:
			if !more {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (w *worker) visited(v Visit) {
	v.move(w.started, epoch())
	w.say(line{Visit: &v})
}

// move converts a visit's times from one clock to another. here and there are the same
// moment on the two clocks.
func (v *Visit) move(here, there time.Time) {
	shift := func(t time.Time) time.Time { return there.Add(t.Sub(here)) }
	v.Sample.Sent = shift(v.Sample.Sent)
	for i := range v.Steps {
		v.Steps[i].Sent = shift(v.Steps[i].Sent)
	}
	if v.Ack != nil {
		v.Ack.At = shift(v.Ack.At)
	}
	v.Truth.Move(shift)
}
