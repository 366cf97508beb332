package run_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"github.com/gameday-dev/gameday/internal/loopbacktest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// names answers every question for an address with the current one.
func names(t *testing.T, is *atomic.Pointer[string]) string {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan struct{})
	server := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(*is.Load())})
		}
		_ = w.WriteMsg(m)
	})}
	go func() { defer close(ended); _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown(); <-ended })
	return conn.LocalAddr().String()
}

// listening is a server of users at an address.
func listening(t *testing.T, address string) *httptest.Server {
	t.Helper()
	listener := loopbacktest.Listen(t, address)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// A whole run with two kinds of clients: the fault moves the name to another address. Each
// kind has its own verdict, the worst decides, and the environment counts as put back, although
// clients that keep the old address for ever are not served again.
func TestTwoKindsOfClients(t *testing.T) {
	t.Parallel()
	before := listening(t, "127.0.0.2:0")
	_, port, _ := net.SplitHostPort(before.Listener.Addr().String())
	listening(t, "127.0.0.3:"+port)
	var is atomic.Pointer[string]
	is.Store(new("127.0.0.2"))
	server := names(t, &is)
	p := newPlace(t)
	day := p.day(t, "staging")
	s := &day.Scenario
	s.Load = nil
	for _, kind := range []string{probe.Browser, probe.DNSForever} {
		s.Load = append(s.Load, scenario.JourneyLoad{Journey: "checkout", Rate: probe.Rate{Users: 50, Per: time.Second}, Critical: true, Clients: []scenario.Client{{Client: probe.Client{Kind: kind}}}})
	}
	s.Objective.RTO, s.Objective.Hold = time.Second, 500*time.Millisecond
	s.Timing.Baseline, s.Timing.Watch, s.Timing.Repair, s.Calibrate = time.Second, 3*time.Second, 3*time.Second, scenario.Off
	day.Journeys = nil
	for i := range s.Load {
		day.Journeys = append(day.Journeys, s.Walked(i, probe.Journey{Name: "checkout", Steps: []probe.Step{{Name: "buy", Get: "/{{.seq}}"}}}))
	}
	day.Walks = func(n int, seed uint64) run.Walk {
		return probe.Load{
			Journey: day.Journeys[n], Way: probe.Way{Entry: "http://shop.example:" + port, DNS: []string{server}},
			Rate: s.Load[n].Rate, Seed: seed, Client: s.Load[n].Client(), Place: scenario.PlaceOf(s.Load, n),
		}
	}
	observe := day.Observe
	day.Observe = func(u run.Update) {
		if observe(u); u.Phase == run.Inject {
			is.Store(new("127.0.0.3"))
			before.CloseClientConnections()
			before.Close()
		}
	}
	dir, err := day.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, v := judged(t, dir)
	if f.Meta.Left != "" || v.Outcome != verdict.Proven || v.State != verdict.Down || v.Deciding != "checkout (dns-forever)" {
		t.Errorf("%s %s %s, decided by %s; left %q", v.Outcome, v.State, v.Reason, v.Deciding, f.Meta.Left)
	}
	if j := v.Journeys[0]; j.Name != "checkout (browser)" || j.Outcome != verdict.Disproved {
		t.Errorf("%s %s %s", j.Name, j.Outcome, j.Reason)
	}
	steps := map[string]int{}
	for sample, err := range record.Samples(dir, record.StepsFile) {
		if err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(sample.Journey, "/")
		steps[name]++
	}
	a, b := steps["checkout (browser)"], steps["checkout (dns-forever)"]
	if len(steps) != 2 || a-b > 5 || b-a > 5 {
		t.Errorf("%v", steps)
	}
}

// ofKind are users of one kind of client. Those who keep an address for ever are not served
// again once they have failed.
type ofKind struct {
	*world

	name   string
	keeps  bool
	failed bool
}

func (w *ofKind) Run(ctx context.Context, on func(probe.Visit)) error {
	return w.world.Run(ctx, func(v probe.Visit) {
		if w.failed = w.failed || v.Sample.Failed(); w.failed && w.keeps {
			v.Sample.Code, v.Sample.Error = 0, "order: connection refused"
		}
		v.Sample.Journey, v.Ack = w.name, nil
		on(v)
	})
}

// People have recovered service if all are served who can be without a restart of their
// client; the verdict on the others stays.
func TestPeopleAndClientsThatKeepAnAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		day := p.day(t, "staging")
		s := &day.Scenario
		s.Undo, s.Timing.Watch = scenario.Undo{Mode: scenario.UndoByHand, Limit: handLimit}, handLimit
		s.Load = nil
		for _, kind := range []string{probe.Browser, probe.DNSForever} {
			l := scenario.JourneyLoad{Journey: "checkout", Rate: probe.Rate{Users: 50, Per: time.Second}, Critical: true, Clients: []scenario.Client{{Client: probe.Client{Kind: kind}}}}
			s.Load, day.Journeys = append(s.Load, l), append(day.Journeys, probe.Journey{Name: l.Name()})
		}
		day.Journeys = day.Journeys[1:]
		day.Walks = func(n int, _ uint64) run.Walk {
			return &ofKind{world: p.world, name: s.Load[n].Name(), keeps: s.Load[n].Client().Kind == probe.DNSForever}
		}
		observe := day.Observe
		day.Observe = func(u run.Update) {
			if observe(u); u.Phase == run.Watch {
				time.AfterFunc(time.Minute, func() { p.set(target.Running) })
			}
		}
		dir, err := day.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f, v := judged(t, dir)
		if h := f.Meta.ByHand; h == nil || h.EndedBy != run.HandServed || f.Meta.Left != "" {
			t.Errorf("%+v, left %q", h, f.Meta.Left)
		}
		if v.Outcome != verdict.Proven || v.Deciding != "checkout (dns-forever)" || v.Journeys[0].State != verdict.Late {
			t.Errorf("%s, decided by %s; %+v", v.Outcome, v.Deciding, v.Journeys[0])
		}
	})
}
