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

// The lines between gameday and a load worker that sends the users from inside
// the system's own network. Both ends are of the same binary.
//
// Moments are told as time since the worker's start, by its monotonic clock:
// its wall clock may be another one. See [Remote] for how they are put on ours.
type (
	// order is a line to the worker: exactly one field is set.
	order struct {
		Load    *Load         `json:"load,omitempty"`    // send users, until told to stop
		Confirm *confirmOrder `json:"confirm,omitempty"` // look acknowledged writes up
		Ping    int           `json:"ping,omitempty"`    // what time is it?
		Stop    bool          `json:"stop,omitempty"`    // send nobody any more
	}
	confirmOrder struct {
		Journey Journey      `json:"journey"`
		Way     Way          `json:"way"`
		Acks    []record.Ack `json:"acks"`
	}
	// line is one from the worker.
	line struct {
		Version int           `json:"version,omitempty"` // in the first
		Pong    int           `json:"pong,omitempty"`
		Now     time.Duration `json:"now,omitempty"`
		Visit   *Visit        `json:"visit,omitempty"`
		Looked  int           `json:"looked,omitempty"` // look-ups that are done
		Acks    []record.Ack  `json:"acks,omitempty"`   // with what was found
		Done    bool          `json:"done,omitempty"`   // the last
		Error   string        `json:"error,omitempty"`
	}
)

// workerVersion is that of the lines.
const workerVersion = 1

// epoch is the moment that stands for the worker's start in samples.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

// worker is the far end of a [Remote].
type worker struct {
	started time.Time
	mu      sync.Mutex // guards out
	out     *json.Encoder
}

// Work is the far end of a [Remote]: it carries out one order, until that is done,
// it is told to stop, or in ends, as it does with whoever gave the order.
func Work(ctx context.Context, in io.Reader, out io.Writer) error {
	w := &worker{started: time.Now(), out: json.NewEncoder(out)}
	w.say(line{Version: workerVersion})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var working sync.WaitGroup
	defer working.Wait()
	orders := json.NewDecoder(in)
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
		case o.Stop:
			cancel()
			working.Wait()
			return nil
		case o.Load != nil:
			working.Go(func() { w.done(o.Load.Run(ctx, w.visited)) })
		case o.Confirm != nil:
			working.Go(func() { w.done(w.confirm(ctx, *o.Confirm)) })
		}
	}
}

// say writes a line. Who cannot be told anything has gone, which in tells too.
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
	told := time.Now()
	err := Confirm(ctx, o.Journey, o.Way, o.Acks, func(done, _ int) {
		if time.Since(told) > 100*time.Millisecond {
			told = time.Now()
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

// move puts a visit's moments from one scale on another, given the same moment
// on both.
func (v *Visit) move(here, there time.Time) {
	shift := func(t time.Time) time.Time { return there.Add(t.Sub(here)) }
	v.Sample.Sent = shift(v.Sample.Sent)
	for i := range v.Steps {
		v.Steps[i].Sent = shift(v.Steps[i].Sent)
	}
	if v.Ack != nil {
		v.Ack.At = shift(v.Ack.At)
	}
}
