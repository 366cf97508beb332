package helper_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gameday-dev/gameday/pkg/helper"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ends are both ends of a helper, in one process.
func ends(t *testing.T) (session *helper.Session, served <-chan error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan error, 1)
	go func() {
		err := helper.Serve(t.Context(), theirs, theirs)
		_ = theirs.Close()
		done <- err
	}()
	session, err := helper.Open(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	return session, done
}

func TestAHelperAnswers(t *testing.T) {
	t.Parallel()
	s, served := ends(t)
	ctx := t.Context()
	if _, err := s.Status(ctx, "nothing"); err == nil || !strings.Contains(err.Error(), "nothing of this name is in force") {
		t.Error(err)
	}
	if _, err := s.Apply(ctx, "nothing", nil); err == nil || !strings.Contains(err.Error(), "does not know this work") {
		t.Error(err)
	}
	if err := s.Undo(ctx, "nothing"); err != nil {
		t.Errorf("undoing what was never done: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Errorf("it did not end well when its input did: %v", err)
	}
	if _, err := s.Status(ctx, "nothing"); !errors.Is(err, helper.ErrEnded) {
		t.Errorf("asked after its end: %v", err)
	}
}

// A session keeps the lease alive; without one the helper ends by itself.
func TestTheLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, served := ends(t)
		<-time.After(10 * helper.Lease)
		select {
		case err := <-served:
			t.Fatalf("it ended while its lease was renewed: %v", err)
		default:
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil && !errors.Is(err, io.ErrClosedPipe) { // it may have been answering just then
			t.Error(err)
		}

		ours, theirs := net.Pipe()
		defer ours.Close()
		go func() { // somebody listens, and says nothing
			buffer := make([]byte, 1024)
			for {
				if _, err := ours.Read(buffer); err != nil {
					return
				}
			}
		}()
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := helper.Serve(ctx, theirs, theirs)
		if lasted := time.Since(began); err == nil || lasted != helper.Lease {
			t.Errorf("it ended after %v: %v", lasted, err)
		}
		_ = theirs.Close()
	})
}

func TestRubbishIsAnError(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"rubbish\n", "{\"id\":\n", "[]\n"} {
		var out bytes.Buffer
		if err := helper.Serve(t.Context(), strings.NewReader(text), &out); err == nil {
			t.Errorf("%q was taken for an order", text)
		}
	}
	var out bytes.Buffer
	if err := helper.Serve(t.Context(), strings.NewReader("{\"id\": 7, \"op\": \"dance\"}\n"), &out); err != nil || !strings.Contains(out.String(), "unknown order") {
		t.Errorf("%v %s", err, out.String())
	}
}
