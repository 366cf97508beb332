package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Remote is a load that a worker sends from elsewhere, such as the system's own network.
// Then no published port and no neighbour cache of the host lies between the users and
// the system.
type Remote struct {
	Load Load
	// Start starts a worker and returns a stream to it. Closing the stream ends the
	// worker.
	Start func(ctx context.Context) (io.ReadWriteCloser, error)
}

// pings is the number of requests for the worker's time, before the load. The fastest
// response counts, as in NTP.
const pings = 9

// draining is how long a stopped worker may take to report its remaining users, in
// addition to the journey's timeout and its pauses.
const draining = 5 * time.Second

// meetWithin is how long a started worker may take to answer the pings.
const meetWithin = 10 * time.Second

// ErrWorker is wrapped by the error of a worker that ended unexpectedly.
var ErrWorker = errors.New("the load worker ended unexpectedly")

// remote is a running worker.
type remote struct {
	stream io.ReadWriteCloser
	mu     sync.Mutex // guards in once the load runs
	in     *json.Encoder
	out    *json.Decoder
	// origin is the worker's start on our clock. Its error is at most half of the
	// fastest round trip.
	origin time.Time
}

// Run sends users until ctx ends, like [Load.Run]. A worker that dies is an error, so that
// missing users never count as good ones.
func (r Remote) Run(ctx context.Context, on func(Visit)) (err error) {
	w, err := begin(ctx, r.Start)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stream.Close()) }()
	if err := w.in.Encode(order{Load: &r.Load}); err != nil {
		return fmt.Errorf("%w: %w", ErrWorker, err)
	}
	walked := make(chan struct{})
	var striking sync.WaitGroup
	striking.Go(func() {
		select {
		case <-r.Load.Struck:
			w.say(order{Struck: true})
		case <-walked:
		}
	})
	striking.Go(func() {
		for {
			select {
			case <-r.Load.Calibrate:
				w.say(order{Calibrate: true})
			case <-walked:
				return
			}
		}
	})
	defer striking.Wait()
	defer close(walked)
	stop := context.AfterFunc(ctx, func() {
		// First the timer: a worker that hangs does not read its orders.
		time.AfterFunc(r.Load.limit()+r.Load.Journey.thinking()+draining, func() { _ = w.stream.Close() })
		w.say(order{Stop: true})
	})
	defer stop()
	return w.each(func(l line) {
		if l.Visit != nil {
			l.Visit.move(epoch(), w.origin)
			on(*l.Visit)
		}
	})
}

// Try is [Load.Try], run by a worker.
func (r Remote) Try(ctx context.Context, users int, on func(Tried)) error {
	return r.once(ctx, order{Try: &tryOrder{r.Load, users}}, func(l line) {
		if l.Tried != nil {
			on(*l.Tried)
		}
	})
}

// once lets a worker carry out one order, and reads its output to the end. It ends with ctx.
func (r Remote) once(ctx context.Context, o order, do func(line)) error {
	return r.with(ctx, o, func(w *remote) error { return w.each(do) })
}

// with gives an order to a worker, and then talks with it. It ends with ctx.
func (r Remote) with(ctx context.Context, o order, talk func(*remote) error) (err error) {
	w, err := begin(ctx, r.Start)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stream.Close()) }()
	stop := context.AfterFunc(ctx, func() { _ = w.stream.Close() })
	defer stop()
	if err := w.in.Encode(o); err != nil {
		return errors.Join(ctx.Err(), fmt.Errorf("%w: %w", ErrWorker, err))
	}
	err = talk(w)
	return errors.Join(ctx.Err(), err) // in this order: ctx may end meanwhile
}

// begin starts a worker and synchronizes with its clock.
func begin(ctx context.Context, start func(context.Context) (io.ReadWriteCloser, error)) (*remote, error) {
	stream, err := start(ctx)
	if err != nil {
		return nil, fmt.Errorf("start a load worker: %w", err)
	}
	w := &remote{stream: stream, in: json.NewEncoder(stream), out: json.NewDecoder(stream)}
	late := time.AfterFunc(meetWithin, func() { _ = stream.Close() })
	err = w.meet()
	if !late.Stop() {
		err = fmt.Errorf("it did not answer within %v", meetWithin)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a load worker: %w", err), stream.Close())
	}
	return w, nil
}

// say gives the worker an order. It ignores errors: if the worker is gone, its output ends
// too.
func (w *remote) say(o order) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.in.Encode(o)
}

func (w *remote) meet() error {
	var hello line
	if err := w.out.Decode(&hello); err != nil {
		return err
	}
	if hello.Version != workerVersion {
		return fmt.Errorf("found protocol version %d, expected %d", hello.Version, workerVersion)
	}
	quickest := time.Duration(-1)
	for n := 1; n <= pings; n++ {
		asked := time.Now()
		if err := w.in.Encode(order{Ping: n}); err != nil {
			return err
		}
		var pong line
		if err := w.out.Decode(&pong); err != nil {
			return err
		}
		if took := time.Since(asked); quickest < 0 || took < quickest {
			quickest, w.origin = took, asked.Add(took/2-pong.Now)
		}
	}
	return nil
}

// each reads the worker's output to its last line.
func (w *remote) each(do func(line)) error {
	for {
		var l line
		switch err := w.out.Decode(&l); {
		case err != nil:
			return fmt.Errorf("%w: %w", ErrWorker, err)
		case l.Done && l.Error != "":
			return fmt.Errorf("%w: %s", ErrWorker, l.Error)
		case l.Done:
			return nil
		}
		do(l)
	}
}
