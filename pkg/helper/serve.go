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

// server is the helper under way.
type server struct {
	works registry
	// effects are in force, by name. The last of a name is the one that was
	// ordered; those before it could not be undone so far.
	effects map[string][]effect
	met     map[string]uint64 // packets that replaced effects had met, by name
	order   []string          // the names, in the order in which they began
	round   int               // counts what was begun, so that no two names in the kernel are the same
}

// maxLine bounds an order, in bytes.
const maxLine = 4 << 20

// Serve is the helper: it carries out the orders of in and answers on out,
// until in ends, ctx ends, or its lease was not renewed in time. Before it returns it
// has undone everything.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	return works().serve(ctx, in, out)
}

// serve is a helper that knows this work.
func (r registry) serve(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	s := &server{works: r, effects: map[string][]effect{}, met: map[string]uint64{}}
	defer func() { err = errors.Join(err, s.undoAll()) }()
	lines := make(chan Request)
	ended := make(chan error, 1)
	go func() {
		ended <- readOrders(ctx, in, lines)
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
			return errors.New("the lease was not renewed")
		case r, more := <-lines:
			if !more {
				return <-ended
			}
			lease.Reset(Lease)
			reply := s.answer(r)
			reply.ID = r.ID
			if err := answers.Encode(reply); err != nil {
				return fmt.Errorf("answer: %w", err)
			}
		}
	}
}

// readOrders hands orders over, until in ends.
func readOrders(ctx context.Context, in io.Reader, to chan<- Request) error {
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
	switch r.Op {
	case OpRenew:
		return Reply{}, nil
	case OpUndo:
		delete(s.met, r.Name)
		return Reply{}, s.undo(r.Name)
	case OpStatus:
		all := s.effects[r.Name]
		if len(all) == 0 {
			return Reply{}, errors.New("nothing of this name is in force")
		}
		reply, err := all[len(all)-1].status()
		reply.Packets += s.met[r.Name]
		return reply, err
	case OpDo:
		work, err := s.works.moment(r.Work)
		if err != nil {
			return Reply{}, err
		}
		return work.do()
	case OpApply, OpMend, OpTry:
		work, err := s.works.last(r.Work)
		if err != nil {
			return Reply{}, err
		}
		return s.lasting(r, work)
	}
	return Reply{}, fmt.Errorf("unknown order %q", r.Op)
}

// lasting carries out an order about work that lasts.
func (s *server) lasting(r Request, work lasting) (Reply, error) {
	if r.Op == OpMend {
		return Reply{}, work.mend()
	}
	if r.Op == OpTry {
		return Reply{}, work.try()
	}
	return s.apply(r.Name, work)
}

// apply puts work in force before it takes back what has the name, so that
// there is no moment between the two.
func (s *server) apply(name string, work lasting) (Reply, error) {
	s.round++
	e, reply, err := work.begin(fmt.Sprintf("gameday_%s_%d", name, s.round))
	if err != nil {
		if e != nil {
			s.add(name, append([]effect{half{e}}, s.effects[name]...))
		}
		return reply, err
	}
	reply.At = time.Now()
	if all := s.effects[name]; len(all) > 0 {
		before, _ := all[len(all)-1].status() // it is replaced, whatever it says
		s.met[name] += before.Packets
	}
	err = s.undo(name)
	s.add(name, append(s.effects[name], e))
	return reply, err
}

// half is what is left of work that could not begin.
type half struct{ effect }

func (half) status() (Reply, error) { return Reply{}, errors.New("it was not put in force") }

func (s *server) add(name string, all []effect) {
	s.effects[name] = all
	s.order = append(s.without(name), name)
}

func (s *server) without(name string) []string {
	return slices.DeleteFunc(s.order, func(n string) bool { return n == name })
}

// undo takes back what has the name. What cannot be taken back is kept, so that
// the next order, or the end of the helper, tries again.
func (s *server) undo(name string) error {
	var stuck []effect
	var errs []error
	for _, e := range slices.Backward(s.effects[name]) {
		if err := e.undo(); err != nil {
			stuck, errs = append([]effect{e}, stuck...), append(errs, err)
		}
	}
	if s.effects[name] = stuck; len(stuck) == 0 {
		delete(s.effects, name)
		s.order = s.without(name)
	}
	return errors.Join(errs...)
}

// undoAll undoes the last one first.
func (s *server) undoAll() error {
	var errs []error
	for _, name := range slices.Backward(slices.Clone(s.order)) {
		errs = append(errs, s.undo(name))
	}
	return errors.Join(errs...)
}
