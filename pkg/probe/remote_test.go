package probe_test

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// worker is a load worker in this process, connected by two pipes.
func worker(context.Context) (io.ReadWriteCloser, error) {
	hisIn, ourOut := io.Pipe()
	ourIn, hisOut := io.Pipe()
	go func() { _ = hisOut.CloseWithError(probe.Work(context.Background(), hisIn, hisOut, nil)) }() //nolint:forbidigo // a process of its own has none of ours
	return &pipes{ourIn, ourOut}, nil
}

type pipes struct {
	*io.PipeReader
	out *io.PipeWriter
}

func (p *pipes) Write(data []byte) (int, error) { return p.out.Write(data) }
func (p *pipes) Close() error                   { return errors.Join(p.out.Close(), p.PipeReader.Close()) }

// A worker reports what happened, with times of our clock.
func TestUsersSetOutElsewhere(t *testing.T) {
	t.Parallel()
	server := shop(t, nil)
	l := probe.Load{Journey: journey(), Way: probe.Way{Entry: server.URL}, Rate: probe.Rate{Users: 100, Per: time.Second}, Seed: 1}
	r := probe.Remote{Load: l, Start: worker}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	var visits []probe.Visit
	var acks []record.Ack
	if err := r.Run(ctx, func(v probe.Visit) {
		visits = append(visits, v)
		acks = append(acks, *v.Ack)
	}); err != nil {
		t.Fatal(err)
	}
	if n := len(visits); n < 80 || n > 110 {
		t.Errorf("%d users in a second at 100/s", n)
	}
	for _, v := range visits {
		if since := v.Sample.Sent.Sub(began); since < 0 || since > 1100*time.Millisecond || v.Sample.Failed() || len(v.Steps) != 2 {
			t.Fatalf("%v after the start: %+v", since, v)
		}
		if late := v.Ack.At.Sub(v.Sample.Sent); late < 0 || late > v.Sample.Latency+5*time.Millisecond {
			t.Errorf("acknowledged %v after the user's arrival, but the journey took %v", late, v.Sample.Latency)
		}
	}
	here := slices.Clone(acks)
	if err := errors.Join(r.Confirm(t.Context(), record.AckedOf(acks), nil), l.Confirm(t.Context(), record.AckedOf(here), nil)); err != nil || !slices.EqualFunc(acks, here, func(a, b record.Ack) bool { return a.ID == b.ID && a.Presence == b.Presence }) || here[0].Presence == "" {
		t.Errorf("%v: found %+v from there, and %+v from here", err, acks[0], here[0])
	}
}

// A worker that dies is an error, not a silence.
func TestAWorkerThatDiesIsAnError(t *testing.T) {
	t.Parallel()
	l := probe.Load{Journey: journey(), Way: probe.Way{Entry: shop(t, nil).URL}, Rate: probe.Rate{Users: 100, Per: time.Second}}
	var stream io.ReadWriteCloser
	r := probe.Remote{Load: l, Start: func(ctx context.Context) (s io.ReadWriteCloser, err error) {
		stream, err = worker(ctx)
		return stream, err
	}}
	n := 0
	err := r.Run(t.Context(), func(probe.Visit) {
		if n++; n == 10 {
			_ = stream.Close()
		}
	})
	if !errors.Is(err, probe.ErrWorker) {
		t.Error(err)
	}
	refused := errors.New("no engine")
	r.Start = func(context.Context) (io.ReadWriteCloser, error) { return nil, refused }
	if err := r.Run(t.Context(), nil); !errors.Is(err, refused) {
		t.Error(err)
	}
}

// Users use the configured DNS servers and trust the configured CAs.
func TestTheWayIsTheDeclaredOne(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the TLS errors are intended
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	silent, zone := nameServer(t, none), nameServer(t, all)
	for name, c := range map[string]struct {
		way  probe.Way
		good bool
	}{
		"trusted":                {probe.Way{Entry: "https://example.com:" + port, CA: ca, DNS: []string{zone}}, true},
		"one of two servers":     {probe.Way{Entry: "https://example.com:" + port, CA: ca, DNS: []string{silent, zone}}, true},
		"no answer":              {probe.Way{Entry: "https://example.com:" + port, CA: ca, DNS: []string{silent}}, false},
		"another name":           {probe.Way{Entry: "https://other.test:" + port, CA: ca, DNS: []string{zone}}, false},
		"not by these":           {probe.Way{Entry: "https://example.com:" + port, DNS: []string{zone}}, false},
		"an address has no name": {probe.Way{Entry: server.URL, CA: ca, DNS: []string{silent}}, true},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		l := probe.Load{Journey: probe.Journey{Name: "x", Timeout: time.Second, Steps: []probe.Step{{Get: "/"}}}, Way: c.way, Rate: probe.Rate{Users: 10, Per: time.Second}}
		n := 0
		err := l.Run(ctx, func(v probe.Visit) {
			if n++; v.Sample.Failed() == c.good {
				t.Errorf("%s: %+v", name, v.Sample)
			}
		})
		cancel()
		if err != nil || n == 0 {
			t.Errorf("%s: %d users, %v", name, n, err)
		}
	}
	l := probe.Load{Journey: journey(), Way: probe.Way{Entry: server.URL, CA: "rubbish"}, Rate: probe.Rate{Users: 1, Per: time.Second}}
	if err := l.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "no certificate") {
		t.Error(err)
	}
}

// all and none are what a name server answers: 127.0.0.1, or nothing.
func all() net.IP  { return net.IPv4(127, 0, 0, 1) }
func none() net.IP { return nil }

// nameServer answers with one address for every name; with none, it never answers.
func nameServer(t *testing.T, address func() net.IP) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		for buffer := make([]byte, 1500); ; {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var query dnsmessage.Message
			ip := address().To4()
			if ip == nil || query.Unpack(buffer[:n]) != nil {
				continue
			}
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true}, Questions: query.Questions}
			if q := query.Questions[0]; q.Type == dnsmessage.TypeA {
				reply.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte(ip)},
				}}
			}
			if packed, err := reply.Pack(); err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}
