package helper

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// session is both ends of a helper of this world, in one process.
func (w *world) session(t *testing.T) (s *Session, served <-chan error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() {
		err := w.works().serve(t.Context(), theirs, theirs)
		_ = theirs.Close()
		done <- err
	}()
	s, err := Open(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	return s, done
}

func TestASessionFromBeginningToEnd(t *testing.T) {
	t.Parallel()
	w := &world{}
	s, served := w.session(t)
	ctx := t.Context()
	one := &thing{Name: "one"}
	if err := s.Try(ctx, &thing{Name: "one", Refuse: "not today"}); err == nil || err.Error() != "helper: try: not today" {
		t.Errorf("try: %v", err)
	}
	if err := s.Try(ctx, one); err != nil {
		t.Errorf("try: %v", err)
	}
	if _, ok := s.Applied("a"); ok {
		t.Error("something was applied already")
	}
	before := time.Now()
	reply, err := s.Apply(ctx, "a", one)
	if err != nil || reply.Note != "began one" || reply.At.Before(before.Add(-time.Second)) || reply.At.After(time.Now().Add(time.Second)) {
		t.Errorf("apply: %+v, %v", reply, err)
	}
	if applied, ok := s.Applied("a"); !ok || applied != Work(one) {
		t.Errorf("applied: %+v, %v", applied, ok)
	}
	w.is(t, "one")
	if reply, err := s.Status(ctx, "a"); err != nil || reply.Packets != 3 {
		t.Errorf("status: %+v, %v", reply, err)
	}
	if reply, err := s.Do(ctx, &word{Say: "hello"}); err != nil || reply.Note != "hello" {
		t.Errorf("do: %+v, %v", reply, err)
	}
	if err := s.Mend(ctx, &thing{Name: "other"}); err != nil {
		t.Errorf("mend: %v", err)
	}
	if _, err := s.Apply(ctx, "b", &thing{Name: "two"}); err != nil {
		t.Error(err)
	}
	if err := s.Undo(ctx, "a"); err != nil {
		t.Errorf("undo: %v", err)
	}
	w.is(t, "two")
	if _, err := s.Status(ctx, "a"); err == nil {
		t.Error("in force after it was undone")
	}
	if err := errors.Join(s.Close(), <-served); err != nil {
		t.Errorf("the end: %v", err)
	}
	w.is(t) // the end has undone the rest
	w.did(t, "try one", "try one", "begin one as gameday_a_1", "say hello", "mend other", "begin two as gameday_b_2", "undo one", "undo two")
	select {
	case <-s.Ended():
	default:
		t.Error("it was closed, and does not say that it has ended")
	}
}

func TestAStatusThatIsAnError(t *testing.T) {
	t.Parallel()
	w := &world{}
	s, served := w.session(t)
	if _, err := s.Apply(t.Context(), "a", &thing{Name: "one", Lost: true}); err != nil {
		t.Error(err)
	}
	if _, err := s.Status(t.Context(), "a"); err == nil || err.Error() != "helper: status: one is lost" {
		t.Errorf("%v", err)
	}
	if _, err := s.Apply(t.Context(), "a", &thing{Name: "two", Refuse: "no room"}); err == nil {
		t.Error("applied all the same")
	}
	if applied, _ := s.Applied("a"); applied.(*thing).Name != "one" {
		t.Errorf("what was refused counts as applied: %+v", applied)
	}
	if err := errors.Join(s.Close(), <-served); err != nil {
		t.Error(err)
	}
}

// Many ask at once, over a stream that holds nothing: each gets its own answer.
func TestManyAskAtOnce(t *testing.T) {
	t.Parallel()
	w := &world{}
	s, served := w.session(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var asking sync.WaitGroup
	for who := range 16 {
		asking.Go(func() {
			for i := range 50 {
				say := fmt.Sprintf("%d of %d", i, who)
				if reply, err := s.Do(ctx, &word{Say: say}); err != nil || reply.Note != say {
					t.Errorf("said %q, heard %q, %v", say, reply.Note, err)
					return
				}
			}
		})
	}
	asking.Wait()
	if err := errors.Join(s.Close(), <-served); err != nil {
		t.Error(err)
	}
	if len(w.log) != 16*50 {
		t.Errorf("%d orders were carried out", len(w.log))
	}
}

// other is the other end of a session, written by hand: it says some lines and
// then does as it is told.
func other(t *testing.T, lines string, then func(net.Conn)) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	var ended sync.WaitGroup
	ended.Go(func() {
		defer theirs.Close()
		if _, err := io.WriteString(theirs, lines); err != nil {
			return
		}
		if then != nil {
			then(theirs)
		}
	})
	t.Cleanup(func() {
		_ = ours.Close()
		ended.Wait()
	})
	return ours
}

const ready = `{"id":0,"version":2,"at":"2026-01-01T00:00:00Z"}` + "\n"

func TestAHelperThatIsNotReady(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ says, want string }{
		"it ends":                 {"", "start the helper: the helper has ended"},
		"it ends in half a line":  {`{"id":0,"ver`, "the helper has ended: unexpected EOF"},
		"it says something else":  {"exec format error\n", "the helper has ended: invalid character 'e'"},
		"it speaks a newer one":   {`{"id":0,"version":99}` + "\n", "the helper speaks version 99 of the protocol, this gameday version 2"},
		"it speaks an older one":  {`{"id":0,"version":1}` + "\n", "the helper speaks version 1 of the protocol, this gameday version 2"},
		"it speaks no version":    {`{"id":0}` + "\n", "the helper speaks version 0 of the protocol"},
		"it answers out of place": {`{"id":7,"version":2}` + "\n", "the helper has ended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(t.Context(), other(t, c.says, nil))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, expected %q", err, c.want)
			}
			if s != nil {
				t.Error("there is a session all the same")
			}
		})
	}
}

// Nothing waits for ever for a helper that says nothing.
func TestASilentHelper(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := Open(ctx, other(t, "", silent)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("open: %v", err)
		}
		s, err := Open(t.Context(), other(t, ready, silent))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := s.Status(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("status: %v after %v", err, time.Since(began))
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// An answer that comes too late is not taken for that of another order.
func TestALateAnswer(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), other(t, ready, func(c net.Conn) {
		lines := bufio.NewScanner(c)
		var asked []uint64
		for lines.Scan() {
			var r Request
			if json.Unmarshal(lines.Bytes(), &r) != nil {
				return
			}
			if asked = append(asked, r.ID); len(asked) < 2 {
				continue
			}
			for _, id := range asked {
				_, _ = fmt.Fprintf(c, "{\"id\":%d,\"ok\":true,\"note\":\"answer %d\"}\n", id, id)
			}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Status(ctx, "first"); !errors.Is(err, context.Canceled) {
		t.Errorf("the first: %v", err)
	}
	if reply, err := s.Status(t.Context(), "second"); err != nil || reply.Note != "answer 2" {
		t.Errorf("the second: %+v, %v", reply, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// All who wait for an answer are told when the helper ends.
func TestItEndsWhileManyWait(t *testing.T) {
	t.Parallel()
	const many = 8
	s, err := Open(t.Context(), other(t, ready, func(c net.Conn) {
		lines := bufio.NewScanner(c)
		for range many {
			lines.Scan()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for range many {
		asking.Go(func() {
			if _, err := s.Status(t.Context(), "a"); !errors.Is(err, ErrEnded) {
				t.Errorf("%v", err)
			}
		})
	}
	asking.Wait()
	<-s.Ended()
	if err := s.Mend(t.Context(), &thing{}); !errors.Is(err, ErrEnded) {
		t.Errorf("afterwards: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Work that cannot be written down is an error of its own, and no order.
func TestWorkThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := &world{}
	s, served := w.session(t)
	if _, err := s.Do(t.Context(), unwritable{}); err == nil || !strings.Contains(err.Error(), "write down unwritable") || errors.Is(err, ErrEnded) {
		t.Errorf("%v", err)
	}
	if reply, err := s.Do(t.Context(), &word{Say: "still here"}); err != nil || reply.Note != "still here" {
		t.Errorf("%+v, %v", reply, err)
	}
	if err := errors.Join(s.Close(), <-served); err != nil {
		t.Error(err)
	}
}

type unwritable struct{}

func (unwritable) work() string { return "unwritable" }

func (unwritable) MarshalJSON() ([]byte, error) { return nil, errors.New("no words for it") }
