package echo_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/labs/echo"
)

// echoing is the address of something that answers, until the test ends.
func echoing(t *testing.T) string {
	t.Helper()
	for range 20 { // a port may be taken between the look and the use
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := listener.Addr().String()
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- echo.Serve(ctx, address) }()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil && !errors.Is(err, syscall.EADDRINUSE) {
				t.Errorf("echo ended with %v", err)
			}
		})
		deadline, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		for deadline.Err() == nil && len(ended) == 0 {
			if _, err := echo.Reach(deadline, "udp", address); err == nil {
				return address
			}
		}
		cancel()
	}
	t.Fatal("nothing answers")
	return ""
}

func TestReach(t *testing.T) {
	t.Parallel()
	address := echoing(t)
	for _, network := range []string{"tcp", "udp"} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		took, err := echo.Reach(ctx, network, address)
		cancel()
		if err != nil || took <= 0 || took > 10*time.Second {
			t.Errorf("%s: %v, %v", network, took, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := echo.Reach(ctx, "dns", "localhost"); err != nil {
		t.Errorf("dns: %v", err)
	}
}

// A connection that is held open lasts as long as it is asked to.
func TestReachHolds(t *testing.T) {
	t.Parallel()
	address := echoing(t)
	ctx, cancel := context.WithCancel(t.Context())
	held := make(chan error, 1)
	go func() {
		_, err := echo.Reach(ctx, "hold", address)
		held <- err
	}()
	select {
	case err := <-held:
		t.Fatalf("it was let go: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	cancel()
	if err := <-held; err != nil {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeReached(t *testing.T) {
	t.Parallel()
	// A port on which nothing listens, and one that does and says nothing.
	silent, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := echo.Reach(ctx, "tcp", closed.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a closed port: %v", err)
	}
	if _, err := echo.Reach(ctx, "udp", silent.LocalAddr().String()); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a silent port: %v", err)
	}
	if _, err := echo.Reach(ctx, "carrier pigeon", "127.0.0.1:"+strconv.Itoa(7)); err == nil {
		t.Error("reached by a network that there is not")
	}
	if err := echo.Serve(t.Context(), "127.0.0.1:no-port"); err == nil {
		t.Error("something answers at no port")
	}
}
