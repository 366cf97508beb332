package helper

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// effect is work that is in force.
type effect interface {
	// status tells what it has met, or that it is not in force any more.
	status() (Reply, error)
	// undo takes it back. It is called once.
	undo() error
}

// server is the helper under way.
type server struct {
	effects map[string]effect
	order   []string // the names, in the order in which they began
	round   int      // counts what was begun, so that no two names in the kernel are the same
}

// maxLine bounds an order, in bytes.
const maxLine = 4 << 20

// Serve is the helper: it carries out the orders of in and answers on out,
// until in ends, ctx ends, or nobody has renewed its lease. Before it returns it
// has undone everything.
func Serve(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	s := &server{effects: map[string]effect{}}
	defer func() { err = errors.Join(err, s.undoAll()) }()
	lines := make(chan Request)
	ended := make(chan error, 1)
	go func() {
		ended <- read(ctx, in, lines)
		close(lines)
	}()
	answers := json.NewEncoder(out)
	if err := answers.Encode(Reply{Version: Version, At: time.Now()}); err != nil {
		return err
	}
	lease := time.NewTimer(Lease)
	defer lease.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-lease.C:
			return errors.New("nobody has renewed the lease")
		case r, more := <-lines:
			if !more {
				return <-ended
			}
			lease.Reset(Lease)
			reply := s.answer(r) //nolint:contextcheck // what is in force lasts longer than an order
			reply.ID = r.ID
			if err := answers.Encode(reply); err != nil {
				return fmt.Errorf("answer: %w", err)
			}
		}
	}
}

// read hands orders over, until in ends.
func read(ctx context.Context, in io.Reader, to chan<- Request) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var r Request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		select {
		case to <- r:
		case <-ctx.Done():
			return nil
		}
	}
	return lines.Err()
}

func (s *server) answer(r Request) Reply {
	reply, err := s.carryOut(r)
	if err != nil {
		reply.Error = err.Error()
	}
	if reply.At.IsZero() {
		reply.At = time.Now()
	}
	return reply
}

func (s *server) carryOut(r Request) (Reply, error) {
	work := Work{}
	if r.Work != nil {
		work = *r.Work
	}
	switch r.Op {
	case OpRenew:
		return Reply{}, nil
	case OpApply:
		return s.apply(r.Name, work)
	case OpDo:
		return work.do()
	case OpTry:
		return Reply{}, work.try()
	case OpMend:
		return Reply{}, work.mend()
	case OpUndo:
		return Reply{}, s.undo(r.Name)
	case OpStatus:
		e, ok := s.effects[r.Name]
		if !ok {
			return Reply{}, errors.New("nothing of this name is in force")
		}
		return e.status()
	}
	return Reply{}, fmt.Errorf("unknown order %q", r.Op)
}

// apply puts work in force before it takes back what has the name, so that
// there is no moment between the two.
func (s *server) apply(name string, work Work) (Reply, error) {
	s.round++
	e, reply, err := work.begin(fmt.Sprintf("gameday_%s_%d", name, s.round))
	if err != nil {
		return reply, err
	}
	reply.At = time.Now()
	err = s.undo(name)
	s.effects[name] = e
	s.order = append(s.order, name)
	return reply, err
}

func (s *server) undo(name string) error {
	e, ok := s.effects[name]
	if !ok {
		return nil
	}
	delete(s.effects, name)
	s.order = slices.DeleteFunc(s.order, func(n string) bool { return n == name })
	return e.undo()
}

// undoAll undoes the last one first.
func (s *server) undoAll() error {
	var errs []error
	for len(s.order) > 0 {
		errs = append(errs, s.undo(s.order[len(s.order)-1]))
	}
	return errors.Join(errs...)
}
