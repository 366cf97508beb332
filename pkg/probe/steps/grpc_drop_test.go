package steps_test

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	testpb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/reflection"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// Servers that are none, and one whose certificate is not trusted.
func TestNoServerOfGRPC(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(nil)
	gone := httptest.NewServer(nil)
	gone.Close()
	secure := httptest.NewUnstartedServer(nil)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	busy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	busy.Config.Protocols = new(http.Protocols)
	busy.Config.Protocols.SetUnencryptedHTTP2(true)
	busy.Start()
	for _, s := range []*httptest.Server{plain, secure, busy} {
		t.Cleanup(s.Close)
	}
	for name, c := range map[string]struct {
		entry string
		outcome
	}{
		"HTTP/1.1":  {plain.URL, outcome{want: "the server does not speak HTTP/2"}},
		"HTTP/2":    {busy.URL, outcome{want: "the response is not gRPC: status 503 of HTTP"}},
		"gone":      {gone.URL, outcome{want: "dial: connection refused"}},
		"untrusted": {secure.URL, outcome{want: "tls: the certificate is signed by an unknown authority"}},
		"no TLS":    {strings.Replace(plain.URL, "http:", "https:", 1), outcome{want: "tls: the server does not speak TLS"}},
		"no name":   {"http://no-such-name.invalid", outcome{want: "look up the name: no such host"}},
		"silent":    {"http://" + wireServer(t, mute), outcome{want: "timeout", within: 300 * time.Millisecond}},
		"closed":    {"http://" + wireServer(t, func(net.Conn) {}), outcome{want: "connection closed"}},
		"garbage":   {"http://" + wireServer(t, func(c net.Conn) { _, _ = io.Copy(c, io.LimitReader(zeros{}, 64*mib)) }), outcome{want: "the server does not speak HTTP/2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.presence = probe.Unconfirmed
			step := probe.Step{GRPC: &probe.GRPC{Method: unary, Descriptors: "x.pb", Content: descriptors(t)}}
			check(t, c.entry, step, c.outcome)
		})
	}
}

// The way's trust is used, and the host of the entry.
func TestGRPCOverTLS(t *testing.T) {
	t.Parallel()
	plain := httptest.NewTLSServer(nil)
	t.Cleanup(plain.Close)
	s := grpcServer(t, replying(&testpb.SimpleResponse{}, nil), grpc.Creds(credentials.NewServerTLSFromCert(&plain.TLS.Certificates[0])))
	reflection.Register(s)
	_, port, err := net.SplitHostPort(listenAt(t, s, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	for want, tls := range map[string]*bool{"": nil, "s: connection closed": new(false)} {
		step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: unary, Address: ":" + port, TLS: tls}}
		l := wired("https://127.0.0.1", probe.Journey{Name: "j", Timeout: 5 * time.Second, Steps: []probe.Step{step}})
		l.Way.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: plain.Certificate().Raw}))
		if v := firstUser(t, l); v.Sample.Error != want {
			t.Errorf("%q: %+v", want, v.Sample)
		}
	}
}

type zeros struct{}

func (zeros) Read(data []byte) (int, error) { return len(data), nil }

// An outage is seen as long as it lasts, and no longer: nothing backs off.
func TestARecoveryIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	for _, connections := range []string{"reuse", "fresh"} {
		t.Run(connections, func(t *testing.T) {
			t.Parallel()
			step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: unary, Descriptors: "x.pb", Content: descriptors(t)}}
			s := grpcServer(t, replying(&testpb.SimpleResponse{}, nil))
			step.GRPC.Address = listenAt(t, s, "127.0.0.1:0")
			l := wired("http://192.0.2.1", probe.Journey{Name: "j", Timeout: 2 * time.Second, Connections: connections, Steps: []probe.Step{step}})
			l.Rate.Users = 50
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			defer cancel()
			var back time.Time
			phase, since := "before", time.Now()
			var late time.Duration
			if err := l.Run(ctx, func(v probe.Visit) {
				switch {
				case phase == "before" && !v.Sample.Failed() && time.Since(since) > 300*time.Millisecond:
					s.Stop()
					phase, since = "down", time.Now()
				case phase == "down" && v.Sample.Failed() && time.Since(since) > 2500*time.Millisecond: // a backoff would be seconds by now
					listenAt(t, grpcServer(t, replying(&testpb.SimpleResponse{}, nil)), step.GRPC.Address)
					phase, back = "up", time.Now()
				case phase == "up" && !v.Sample.Failed():
					late = v.Sample.Sent.Sub(back)
					cancel()
				case v.Sample.Failed() && v.Sample.Error != "s: dial: connection refused" && v.Sample.Error != "s: connection closed":
					t.Errorf("%+v", v.Sample)
				}
			}); err != nil || phase != "up" || late > 500*time.Millisecond {
				t.Errorf("%s: recovery was seen after %v: %v", phase, late, err)
			}
		})
	}
}

// A connection that dies without a word takes the users of half a timeout with it, and no
// more: the others get a new connection.
func TestASilentDrop(t *testing.T) {
	t.Parallel()
	server := listenAt(t, grpcServer(t, replying(&testpb.SimpleResponse{}, nil)), "127.0.0.1:0")
	cut := make(chan struct{})
	first, second := proxy(t, server, cut), proxy(t, server, nil)
	var once sync.Once
	var mu sync.Mutex
	to := first
	// Users who connect anew get to the second proxy after the cut.
	entry := wireServer(t, func(c net.Conn) {
		mu.Lock()
		target := to
		mu.Unlock()
		there, err := net.Dial("tcp", target) //nolint:noctx // closed below
		if err != nil {
			return
		}
		var both sync.WaitGroup
		both.Go(func() { _, _ = io.Copy(there, c); _ = there.Close() })
		both.Go(func() { _, _ = io.Copy(c, there); _ = c.Close() })
		both.Wait()
	})
	step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: unary, Address: entry, Descriptors: "x.pb", Content: descriptors(t)}}
	l := wired("http://192.0.2.1", probe.Journey{Name: "j", Timeout: time.Second, Steps: []probe.Step{step}})
	l.Rate.Users = 50
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	var fell, rose time.Time
	began := time.Now()
	if err := l.Run(ctx, func(v probe.Visit) {
		switch {
		case !v.Sample.Failed() && time.Since(began) > 300*time.Millisecond && fell.IsZero():
			once.Do(func() {
				mu.Lock()
				to = second
				mu.Unlock()
				close(cut)
				fell = time.Now()
			})
		case v.Sample.Failed():
			if v.Sample.Error != "s: timeout" || v.Sample.Void {
				t.Errorf("%+v", v.Sample)
			}
			if sent := v.Sample.Sent; sent.After(rose) {
				rose = sent
			}
		case !fell.IsZero() && v.Sample.Sent.Sub(fell) > 1500*time.Millisecond:
			cancel()
		}
	}); err != nil {
		t.Fatal(err)
	}
	if dead := rose.Sub(fell); rose.IsZero() || dead > 800*time.Millisecond {
		t.Errorf("the last user of the dead connection came %v after its end", dead)
	}
}

// What a server sends takes bounded memory.
func TestMemoryOfAStream(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	s := grpcServer(t, streaming(1<<30, 0, mib, ending))
	reflection.Register(s)
	step := probe.Step{Name: "s", GRPC: &probe.GRPC{Method: stream, Address: listenAt(t, s, "127.0.0.1:0"), Stream: holds(2 * time.Second)}}
	l := wired("http://192.0.2.1", probe.Journey{Name: "j", Steps: []probe.Step{step}})
	stop := make(chan struct{})
	most := make(chan uint64)
	go func() {
		var found uint64
		for {
			select {
			case <-stop:
				most <- found
				return
			case <-time.After(50 * time.Millisecond):
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				found = max(found, m.HeapAlloc)
			}
		}
	}()
	firstUser(t, l)
	close(stop)
	if took := <-most; took > 384*mib { // the server is in this process too, and sends gigabytes
		t.Errorf("%d MiB in use", took>>20)
	}
}
