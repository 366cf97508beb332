package steps_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/gameday-dev/gameday/internal/loopbacktest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/probe/steps"
)

// Steps that are not HTTP connect as the client does, too: if a name moves and the old address
// dies, only a client that keeps the address is never served again.
func TestClientsOfOtherSteps(t *testing.T) {
	t.Parallel()
	listen := func(address string) net.Listener {
		l := loopbacktest.Listen(t, address)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_ = c.Close()
			}
		}()
		return l
	}
	for _, c := range []probe.Client{{Kind: probe.Browser}, {Kind: probe.Fresh}, {Kind: probe.DNSForever}} {
		t.Run(c.Kind, func(t *testing.T) {
			t.Parallel()
			before := listen("127.0.0.2:0")
			_, port, _ := net.SplitHostPort(before.Addr().String())
			listen("127.0.0.3:" + port)
			var moved atomic.Bool
			zone := dnsServer(t, func(w dns.ResponseWriter, q *dns.Msg) {
				m := new(dns.Msg).SetReply(q)
				if name := q.Question[0]; name.Qtype == dns.TypeA {
					ip := map[bool]string{false: "127.0.0.2", true: "127.0.0.3"}[moved.Load()]
					m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name.Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.ParseIP(ip)}}
				}
				_ = w.WriteMsg(m)
			})
			l := load(time.Second, probe.Step{Name: "connect", TCP: &probe.TCP{Address: "shop.example:" + port}})
			l.Way.Entry, l.Way.DNS, l.Client, l.Protocols = "http://shop.example", []string{zone}, c, steps.All()
			l.Rate = probe.Rate{Users: 50, Per: time.Second}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			time.AfterFunc(400*time.Millisecond, func() { moved.Store(true); _ = before.Close() })
			since := time.Now().Add(600 * time.Millisecond)
			good, bad := 0, 0
			if err := l.Run(ctx, func(v probe.Visit) {
				switch {
				case v.Sample.Sent.Before(since):
				case v.Sample.Failed():
					bad++
				default:
					good++
				}
			}); err != nil {
				t.Fatal(err)
			}
			if keeps := c.Kind == probe.DNSForever; keeps && (good > 0 || bad < 10) || !keeps && (bad > 0 || good < 10) {
				t.Errorf("%d users were served after the name had moved, %d were not", good, bad)
			}
		})
	}
}
