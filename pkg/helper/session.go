package helper

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// ErrEnded is a helper that is no longer there: what it did is undone, by
// itself or by the kernel.
var ErrEnded = errors.New("the helper has ended")

// Session is gameday's end of a helper. It keeps the helper's lease alive until
// it is closed.
type Session struct {
	stream io.ReadWriteCloser

	// writing keeps lines whole. It is apart from mu: a helper that answers waits
	// until it is read, and reading must not wait for an order that is written.
	writing sync.Mutex

	mu      sync.Mutex // guards what follows
	last    uint64
	waiting map[uint64]chan Reply
	applied map[string]Work // what was last put in force
	err     error           // why it ended

	ended chan struct{}
	done  sync.WaitGroup
}

// Open waits until the helper at the other end of a stream is ready. The
// session closes the stream.
func Open(ctx context.Context, stream io.ReadWriteCloser) (*Session, error) {
	s := &Session{stream: stream, waiting: map[uint64]chan Reply{}, applied: map[string]Work{}, ended: make(chan struct{})}
	ready := make(chan Reply, 1)
	s.waiting[0] = ready
	s.done.Go(s.read)
	reply, err := s.await(ctx, ready)
	if err == nil && reply.Version != Version {
		err = fmt.Errorf("the helper speaks version %d of the protocol, this gameday version %d", reply.Version, Version)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the helper: %w", err), s.Close())
	}
	s.done.Go(s.renew)
	return s, nil
}

// Apply puts work in force under a name. It returns once it is so.
func (s *Session) Apply(ctx context.Context, name string, w Work) (Reply, error) {
	reply, err := s.ask(ctx, Request{Op: OpApply, Name: name}, w)
	if err == nil {
		s.mu.Lock()
		s.applied[name] = w
		s.mu.Unlock()
	}
	return reply, err
}

// Applied is the work that was last put in force under a name.
func (s *Session) Applied(name string) (Work, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.applied[name]
	return w, ok
}

// Undo takes back what has the name. It is no error if nothing has.
func (s *Session) Undo(ctx context.Context, name string) error {
	_, err := s.ask(ctx, Request{Op: OpUndo, Name: name}, nil)
	return err
}

// Mend takes back what a helper that is gone may have left of this work.
func (s *Session) Mend(ctx context.Context, w Work) error {
	_, err := s.ask(ctx, Request{Op: OpMend}, w)
	return err
}

// Do does what leaves nothing to take back.
func (s *Session) Do(ctx context.Context, w Work) (Reply, error) {
	return s.ask(ctx, Request{Op: OpDo}, w)
}

// Try reports whether work could be put in force, and changes nothing.
func (s *Session) Try(ctx context.Context, w Work) error {
	_, err := s.ask(ctx, Request{Op: OpTry}, w)
	return err
}

// Status is what the named work has met. It is an error if it is not in
// force.
func (s *Session) Status(ctx context.Context, name string) (Reply, error) {
	return s.ask(ctx, Request{Op: OpStatus, Name: name}, nil)
}

// Ended is closed when the helper is no longer there.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// Close ends the helper, which undoes all that it still does.
func (s *Session) Close() error {
	err := s.stream.Close()
	s.done.Wait()
	return err
}

func (s *Session) ask(ctx context.Context, r Request, w Work) (Reply, error) {
	var err error
	if r.Work, err = order(w); err != nil {
		return Reply{}, err
	}
	answer, err := s.send(&r)
	if err != nil {
		return Reply{}, err
	}
	reply, err := s.await(ctx, answer)
	if err == nil && reply.Error != "" {
		err = errors.New(reply.Error)
	}
	if err != nil {
		s.forget(r.ID)
		return reply, fmt.Errorf("helper: %s: %w", r.Op, err)
	}
	return reply, nil
}

func (s *Session) send(r *Request) (<-chan Reply, error) {
	answer, err := s.expect(r)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(r)
	if err == nil {
		s.writing.Lock()
		_, err = s.stream.Write(append(line, '\n'))
		s.writing.Unlock()
	}
	if err != nil {
		s.forget(r.ID)
		return nil, fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return answer, nil
}

// expect gives an order its number, and returns where its answer will be.
func (s *Session) expect(r *Request) (<-chan Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	s.last++
	r.ID = s.last
	answer := make(chan Reply, 1)
	s.waiting[r.ID] = answer
	return answer, nil
}

func (s *Session) await(ctx context.Context, answer <-chan Reply) (Reply, error) {
	select {
	case reply, ok := <-answer:
		if !ok {
			s.mu.Lock()
			defer s.mu.Unlock()
			return Reply{}, s.err
		}
		return reply, nil
	case <-ctx.Done():
		return Reply{}, ctx.Err()
	}
}

func (s *Session) forget(id uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, id)
}

// read hands the helper's answers to who waits for them, until it ends.
func (s *Session) read() {
	defer close(s.ended)
	var err error
	decoder := json.NewDecoder(bufio.NewReader(s.stream))
	for {
		var reply Reply
		if err = decoder.Decode(&reply); err != nil {
			break
		}
		s.mu.Lock()
		answer := s.waiting[reply.ID]
		delete(s.waiting, reply.ID)
		s.mu.Unlock()
		if answer != nil {
			answer <- reply
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = ErrEnded
	if !errors.Is(err, io.EOF) {
		s.err = fmt.Errorf("%w: %w", ErrEnded, err)
	}
	for id, answer := range s.waiting {
		delete(s.waiting, id)
		close(answer)
	}
}

// renew keeps the lease alive. A helper that does not answer for a while is
// not waited for: its lease ends by itself.
func (s *Session) renew() {
	ticker := time.NewTicker(Lease / 4)
	defer ticker.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-ticker.C:
			_, _ = s.send(&Request{Op: OpRenew}) // read reports an ended helper
		}
	}
}
