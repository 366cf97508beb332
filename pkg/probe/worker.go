package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		Load      *Load         `json:"load,omitempty"`      // send users until Stop
		Confirm   *confirmOrder `json:"confirm,omitempty"`   // look up acknowledged writes
		Try       *tryOrder     `json:"try,omitempty"`       // let a few users walk, and tell all
		Ping      int           `json:"ping,omitempty"`      // send the time
		Struck    bool          `json:"struck,omitempty"`    // the fault was ordered: begin the stages
		Calibrate bool          `json:"calibrate,omitempty"` // begin the calibration
		Stop      bool          `json:"stop,omitempty"`      // send no more users
	}
	confirmOrder struct {
		Load Load         `json:"load"`
		Acks []record.Ack `json:"acks"`
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
		Looked  int           `json:"looked,omitempty"` // completed lookups
		Acks    []record.Ack  `json:"acks,omitempty"`   // with their presence
		Tried   *Tried        `json:"tried,omitempty"`  // one user's way
		Done    bool          `json:"done,omitempty"`   // the last line
		Error   string        `json:"error,omitempty"`
	}
)

// workerVersion is the version of the protocol.
const workerVersion = 4

// epoch is the time that stands for the worker's start in samples.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

// worker is the far end of a [Remote].
type worker struct {
	started   time.Time
	protocols Protocols
	mu        sync.Mutex // guards out
	out       *json.Encoder
}

// Work is the worker of a [Remote]. It reads orders and runs them until it receives Stop,
// or until in ends, which happens when gameday ends.
func Work(ctx context.Context, in io.Reader, out io.Writer, protocols Protocols) error {
	w := &worker{started: time.Now(), out: json.NewEncoder(out), protocols: protocols}
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
		case o.Confirm != nil:
			working.Go(func() { w.done(w.confirm(ctx, *o.Confirm)) })
		}
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

func (w *worker) confirm(ctx context.Context, o confirmOrder) error {
	reported := time.Now()
	o.Load.Protocols = w.protocols
	err := o.Load.Confirm(ctx, o.Acks, func(done, _ int) {
		if time.Since(reported) > 100*time.Millisecond {
			reported = time.Now()
			w.say(line{Looked: done})
		}
	})
	w.say(line{Acks: o.Acks})
	return err
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
