package enginetest

import (
	"io"
	"net"
	"os"
	"sync"
	"testing"
)

// engineSocket is the engine's default socket.
const engineSocket = "/var/run/docker.sock"

// Wire carries bytes between a client and the engine until it is cut, as a network does
// that fails.
type Wire struct {
	Address string // of the engine, as DOCKER_HOST has it

	listener net.Listener
	mu       sync.Mutex
	open     []net.Conn
}

// NewWire returns a wire to the engine. It is cut after the test at the latest.
func NewWire(tb testing.TB) *Wire {
	tb.Helper()
	if testing.Short() {
		tb.Skip("it needs a Docker engine, and -short means none")
	}
	if _, err := os.Stat(engineSocket); err != nil {
		Missing(tb, err)
	}
	var config net.ListenConfig
	listener, err := config.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	w := &Wire{Address: "tcp://" + listener.Addr().String(), listener: listener}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			w.connect(from)
		}
	}()
	tb.Cleanup(w.Cut)
	return w
}

func (w *Wire) connect(from net.Conn) {
	to, err := net.Dial("unix", engineSocket) //nolint:noctx // Cut closes it
	if err != nil {
		_ = from.Close()
		return
	}
	w.mu.Lock()
	w.open = append(w.open, from, to)
	w.mu.Unlock()
	go func() { _, _ = io.Copy(to, from) }()
	go func() { _, _ = io.Copy(from, to) }()
}

// Cut ends all connections, and refuses new ones.
func (w *Wire) Cut() {
	_ = w.listener.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		_ = c.Close()
	}
}
