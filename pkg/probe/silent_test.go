package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// swallower forwards connections. Those that are open when it drops them stay open, and
// nothing arrives any more: a machine that lost its power, or a firewall that forgot them.
type swallower struct {
	net.Listener

	mu      sync.Mutex
	dropped chan struct{} // of the connections from now on
	open    []net.Conn
}

func newSwallower(t *testing.T, to string) *swallower {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &swallower{Listener: l, dropped: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := (&net.Dialer{}).DialContext(context.WithoutCancel(t.Context()), "tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			s.mu.Lock()
			dropped := s.dropped
			s.open = append(s.open, near, far)
			s.mu.Unlock()
			all.Go(func() { swallow(near, far, dropped) })
			all.Go(func() { swallow(far, near, dropped) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.mu.Lock()
		for _, c := range s.open {
			_ = c.Close()
		}
		s.mu.Unlock()
		all.Wait()
	})
	return s
}

// drop stops forwarding on all open connections.
func (s *swallower) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.dropped)
	s.dropped = make(chan struct{})
}

// swallow copies until from ends; what comes after dropped is lost. It closes to, unless
// connections were dropped: no one is informed that they ended.
func swallow(from, to net.Conn, dropped chan struct{}) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-dropped:
			if err != nil {
				_ = to.Close() // the user has given up
				return
			}
			continue
		default:
		}
		if err == nil {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			_, _ = from.Close(), to.Close()
			return
		}
	}
}

// Users of a connection that is silently dead fail within the time of a ping, and those who
// come then have a new connection. With HTTP/1.1, each connection is given up by its user.
// Without pings, the users of HTTP/2 go on failing: that is why HTTP/1.1 is the default.
func TestASilentDrop(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(says))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // dropped connections are intended
	server.StartTLS()
	t.Cleanup(server.Close)
	ca := certificateOf(server)
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const late = 3 * time.Second
			s := newSwallower(t, server.Listener.Addr().String())
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			at := make(chan time.Time, 1)
			time.AfterFunc(time.Second, func() { at <- time.Now(); s.drop() })
			var visits []probe.Visit
			j := probe.Journey{Name: "j", Timeout: 4 * time.Second, Steps: []probe.Step{{Name: "s", Get: "/"}}}
			way := probe.Way{Entry: "https://" + s.Addr().String(), CA: ca, HTTP2: http2}
			if !http2 {
				j.Timeout = 2 * time.Second
			}
			if err := (probe.Load{Journey: j, Way: way, Rate: probe.Rate{Users: 50, Per: time.Second}, Seed: 1}).Run(ctx, func(v probe.Visit) { visits = append(visits, v) }); err != nil {
				t.Fatal(err)
			}
			dropped := <-at
			failed, last, slowest := 0, time.Duration(0), time.Duration(0)
			for _, v := range visits {
				if v.Sample.Error == "" {
					continue
				}
				failed++
				last, slowest = max(last, v.Sample.Sent.Sub(dropped)), max(slowest, v.Sample.Latency)
				if want := map[bool]string{true: "s: connection lost: no answer to a ping", false: "s: timeout"}[http2]; v.Sample.Error != want {
					t.Errorf("found %q, expected %q", v.Sample.Error, want)
				}
			}
			// One second until the ping, and one until its answer is missed; a machine with much
			// to do is late. All of that is before the journey's own timeout.
			if failed == 0 || last > late || slowest > late {
				t.Errorf("%d of %d users failed, the last one %v after the drop, after at most %v", failed, len(visits), last, slowest)
			}
			if !slices.ContainsFunc(visits, func(v probe.Visit) bool { return v.Sample.Error == "" && v.Sample.Sent.Sub(dropped) > 2*time.Second }) {
				t.Error("no user was served after the drop")
			}
			t.Logf("%d users failed, the last one %v after the drop, after at most %v", failed, last, slowest)
		})
	}
	t.Run("HTTP/2 without pings", func(t *testing.T) {
		t.Parallel()
		s := newSwallower(t, server.Listener.Addr().String())
		pool := x509.NewCertPool()
		pool.AddCert(server.Certificate())
		transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}}
		defer transport.CloseIdleConnections()
		get := func(within time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.Addr().String(), nil)
			if err != nil {
				return err
			}
			response, err := transport.RoundTrip(r)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, response.Body)
			return errors.Join(err, response.Body.Close())
		}
		if err := get(5 * time.Second); err != nil {
			t.Fatal(err)
		}
		s.drop()
		if err := get(3 * time.Second); err == nil || !strings.Contains(err.Error(), "deadline") {
			t.Errorf("found %v: net/http now finds a dead connection itself", err)
		}
	})
}

// certificateOf is the certificate of a server, as PEM.
func certificateOf(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}
