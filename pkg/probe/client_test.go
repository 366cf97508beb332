package probe_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/loopbacktest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

// moving is a name server whose one address can change; it begins with 127.0.0.2.
type moving struct {
	server string // its address
	is     atomic.Value
	asked  atomic.Int64
}

func newMoving(t *testing.T) *moving {
	t.Helper()
	m := &moving{}
	m.moves("127.0.0.2")
	m.server = nameServer(t, func() net.IP {
		m.asked.Add(1)
		ip, _ := m.is.Load().(net.IP)
		return ip
	})
	return m
}

func (m *moving) moves(to string) { m.is.Store(net.ParseIP(to)) }

// host is a server at an address of its own. Its name is moved by a [moving].
type host struct {
	*httptest.Server

	hits atomic.Int64
	open atomic.Int64 // connections
	most atomic.Int64
}

func newHost(t *testing.T, address string, handler http.HandlerFunc) *host {
	t.Helper()
	listener := loopbacktest.Listen(t, address)
	h := &host{}
	speaks := new(http.Protocols)
	speaks.SetHTTP1(true)
	speaks.SetUnencryptedHTTP2(true)
	h.Server = &httptest.Server{Listener: listener, Config: &http.Server{
		ReadHeaderTimeout: time.Minute, Protocols: speaks,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.hits.Add(1)
			if handler != nil {
				handler(w, r)
			}
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s { //nolint:exhaustive // how many are open
			case http.StateNew:
				h.most.Store(max(h.most.Load(), h.open.Add(1)))
			case http.StateClosed:
				h.open.Add(-1)
			}
		},
	}}
	h.Start()
	t.Cleanup(h.Close)
	return h
}

// port is the port of the server's address.
func (h *host) port(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(h.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// die ends the server with its connections.
func (h *host) die() {
	h.CloseClientConnections()
	h.Close()
}

// clients are one of each kind.
func clients() []probe.Client {
	return []probe.Client{
		{Kind: probe.Browser},
		{Kind: probe.Fresh},
		{Kind: probe.Pooled, Size: 10},
		{Kind: probe.DNSForever},
		{Kind: probe.Retrier, Attempts: 2},
	}
}

// traffic is a load, or that of a worker.
type traffic interface {
	Run(ctx context.Context, on func(probe.Visit)) error
}

// here and there are where users come from: this process, and a load worker.
func here(l probe.Load) traffic  { return l }
func there(l probe.Load) traffic { return probe.Remote{Load: l, Start: worker} }

// together lets all kinds of clients walk at once for a time, and returns what each met in
// the last part of it.
func together(t *testing.T, way probe.Way, from func(probe.Load) traffic, lasts, last time.Duration) map[string][]record.Sample {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	since := time.Now().Add(lasts - last)
	var mu sync.Mutex
	met := map[string][]record.Sample{}
	var walking sync.WaitGroup
	for n, c := range clients() {
		l := probe.Load{
			Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Name: "home", Get: "/{{.seq}}"}}},
			Way:     way, Rate: probe.Rate{Users: 50, Per: time.Second}, Seed: uint64(n), Client: c, Place: probe.Place{Of: len(clients()), N: n},
		}
		load := from(l)
		walking.Go(func() {
			if err := load.Run(ctx, func(v probe.Visit) {
				mu.Lock()
				defer mu.Unlock()
				if v.Sample.Sent.After(since) && !v.Sample.Void {
					met[c.Kind] = append(met[c.Kind], v.Sample)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
	walking.Wait()
	return met
}

func bad(samples []record.Sample) (n int) {
	for _, s := range samples {
		if s.Failed() {
			n++
		}
	}
	return n
}

// If a name moves to another address and the old one dies, clients that look it up again
// recover, and those that keep its address never do: from here, and from a load worker.
func TestANameThatMoves(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]func(probe.Load) traffic{"here": here, "there": there} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := newHost(t, "127.0.0.2:0", nil)
			after := newHost(t, "127.0.0.3:"+before.port(t), nil)
			names := newMoving(t)
			moved := time.AfterFunc(time.Second, func() { names.moves("127.0.0.3"); before.die() })
			defer moved.Stop()
			met := together(t, probe.Way{Entry: "http://shop.example:" + before.port(t), DNS: []string{names.server}}, from, 2500*time.Millisecond, time.Second)
			for _, c := range clients() {
				want := 0
				if c.Kind == probe.DNSForever {
					want = len(met[c.Kind])
				}
				if n := len(met[c.Kind]); n < 30 || bad(met[c.Kind]) != want {
					t.Errorf("%s: %d of %d users failed after the name had moved, expected %d", c.Kind, bad(met[c.Kind]), n, want)
				}
			}
			if after.hits.Load() == 0 {
				t.Error("no user came to the new address")
			}
		})
	}
}

// If the address is served again, all kinds of clients recover alike.
func TestAnAddressThatIsServedAgain(t *testing.T) {
	t.Parallel()
	before := newHost(t, "127.0.0.2:0", nil)
	port := before.port(t)
	names := newMoving(t)
	again := make(chan *host, 1)
	go func() {
		<-time.After(800 * time.Millisecond)
		before.die()
		<-time.After(300 * time.Millisecond)
		again <- newHost(t, "127.0.0.2:"+port, nil)
	}()
	met := together(t, probe.Way{Entry: "http://shop.example:" + port, DNS: []string{names.server}}, here, 2500*time.Millisecond, time.Second)
	<-again
	for _, c := range clients() {
		if n := len(met[c.Kind]); n < 30 || bad(met[c.Kind]) != 0 {
			t.Errorf("%s: %d of %d users failed after the address was served again", c.Kind, bad(met[c.Kind]), n)
		}
	}
}

// walks lets one client walk for a time.
func walks(t *testing.T, l probe.Load, lasts time.Duration) (all []probe.Visit) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	if err := l.Run(ctx, func(v probe.Visit) { all = append(all, v) }); err != nil {
		t.Fatal(err)
	}
	return all
}

// While the old address serves on, a kept connection hides that a name has moved: until it
// was idle for too long.
func TestConnectionsHideThatANameMoved(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		client probe.Client
		moves  bool
	}{
		"browser":          {probe.Client{Kind: probe.Browser}, false},
		"dns-forever":      {probe.Client{Kind: probe.DNSForever}, false},
		"pooled":           {probe.Client{Kind: probe.Pooled, Size: 5}, false},
		"pooled, but idle": {probe.Client{Kind: probe.Pooled, Size: 5, Idle: 20 * time.Millisecond}, true},
		"fresh":            {probe.Client{Kind: probe.Fresh}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := newHost(t, "127.0.0.2:0", nil)
			after := newHost(t, "127.0.0.3:"+before.port(t), nil)
			names := newMoving(t)
			moved := time.AfterFunc(500*time.Millisecond, func() { names.moves("127.0.0.3") })
			defer moved.Stop()
			all := walks(t, probe.Load{
				Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Get: "/"}}}, Client: c.client,
				Way: probe.Way{Entry: "http://shop.example:" + before.port(t), DNS: []string{names.server}}, Rate: probe.Rate{Users: 5, Per: time.Second},
			}, 1500*time.Millisecond)
			if moves := after.hits.Load() > 0; moves != c.moves || len(all) < 5 {
				t.Errorf("%d of %d users came to the new address", after.hits.Load(), len(all))
			}
			if c.client.Kind == probe.DNSForever && names.asked.Load() > 2 {
				t.Errorf("the name was looked up %d times", names.asked.Load())
			}
		})
	}
}

// A pool never has more connections than its size: users wait, and that is in their latency.
func TestAPoolHasASize(t *testing.T) {
	t.Parallel()
	server := newHost(t, "127.0.0.1:0", func(http.ResponseWriter, *http.Request) { <-time.After(100 * time.Millisecond) })
	l := probe.Load{
		Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Get: "/"}}}, Way: probe.Way{Entry: server.URL},
		Client: probe.Client{Kind: probe.Pooled, Size: 3}, Rate: probe.Rate{Users: 60, Per: time.Second},
	}
	all := walks(t, l, time.Second)
	slow := 0
	for _, v := range all {
		if v.Sample.Latency > 150*time.Millisecond {
			slow++
		}
	}
	if server.most.Load() != 3 || slow < len(all)/2 {
		t.Errorf("%d connections at once, and %d of %d users waited", server.most.Load(), slow, len(all))
	}
	l.Client.Size = 50
	if walks(t, l, time.Second); server.most.Load() <= 3 {
		t.Errorf("%d connections at once in a pool of 50", server.most.Load())
	}
}

// Without DNS servers of its own, a client keeps what the machine's resolver says.
func TestANameOfTheMachine(t *testing.T) {
	t.Parallel()
	server := newHost(t, "127.0.0.1:0", nil)
	all := walks(t, probe.Load{
		Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Get: "/"}}}, Way: probe.Way{Entry: "http://localhost:" + server.port(t), IP: 4},
		Client: probe.Client{Kind: probe.DNSForever}, Rate: probe.Rate{Users: 50, Per: time.Second},
	}, 500*time.Millisecond)
	if n := server.hits.Load(); n == 0 || int(n) != len(all) {
		t.Errorf("%d of %d users came", n, len(all))
	}
}

// A write of a client whose address is gone is looked up where it now is.
func TestLookUpsFollowTheName(t *testing.T) {
	t.Parallel()
	server := newHost(t, "127.0.0.3:0", nil)
	names := newMoving(t)
	l := probe.Load{
		Journey: probe.Journey{
			Name: "j", Let: map[string]string{"order": "{{uuid}}"},
			Steps: []probe.Step{{Name: "buy", Put: "/{{.order}}", Acknowledges: "{{.order}}"}}, Confirm: &probe.Step{Get: "/{{.id}}"},
		},
		Way:    probe.Way{Entry: "http://shop.example:" + server.port(t), DNS: []string{names.server}},
		Client: probe.Client{Kind: probe.DNSForever}, Rate: probe.Rate{Users: 50, Per: time.Second},
	}
	if all := walks(t, l, 300*time.Millisecond); len(all) == 0 || all[0].Ack != nil {
		t.Fatalf("%+v", all)
	}
	names.moves("127.0.0.3")
	acks := []record.Ack{{Journey: "j", ID: "1"}}
	for _, of := range []interface {
		Confirm(ctx context.Context, acks *record.Acked, progress func(done, all int)) error
	}{l, probe.Remote{Load: l, Start: worker}} {
		if err := of.Confirm(t.Context(), record.AckedOf(acks), nil); err != nil || acks[0].Presence != probe.Present {
			t.Errorf("%v: %+v", err, acks)
		}
		acks[0].Presence = ""
	}
}
