package steps_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// dnsServer serves by UDP and TCP, and returns its address.
func dnsServer(t *testing.T, handle dns.HandlerFunc) string {
	t.Helper()
	var config net.ListenConfig
	for {
		packets, err := config.ListenPacket(t.Context(), "udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := config.Listen(t.Context(), "tcp", packets.LocalAddr().String())
		if err != nil {
			_ = packets.Close()
			continue // the port of TCP is taken
		}
		for _, server := range []*dns.Server{{PacketConn: packets, Handler: handle}, {Listener: listener, Handler: handle}} {
			started, ended := make(chan struct{}), make(chan struct{})
			server.NotifyStartedFunc = func() { close(started) }
			go func() { defer close(ended); _ = server.ActivateAndServe() }()
			<-started
			t.Cleanup(func() { _ = server.Shutdown(); <-ended })
		}
		return packets.LocalAddr().String()
	}
}

// zone is a handler that answers by the first label of the name.
func zone(t *testing.T) dns.HandlerFunc {
	t.Helper()
	record := func(text string) dns.RR {
		r, err := dns.NewRR(text)
		if err != nil {
			t.Error(err)
		}
		return r
	}
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		name := q.Question[0].Name
		add := func(texts ...string) {
			for _, text := range texts {
				m.Answer = append(m.Answer, record(text))
			}
		}
		switch label, _, _ := strings.Cut(name, "."); label {
		case "a", "user-0", "user-1", "user-2":
			add(name+" 30 IN A 192.0.2.1", name+" 30 IN A 192.0.2.2")
		case "alias":
			add(name+" 5 IN CNAME a.shop.test.", "a.shop.test. 30 IN A 192.0.2.1")
		case "half": // the alias is answered, but not what it means
			add(name + " 5 IN CNAME a.shop.test.")
		case "six":
			add(name + " 30 IN AAAA 2001:db8::1")
		case "text":
			add(name + ` 30 IN TXT "one " "two"`)
		case "mail":
			add(name + " 30 IN MX 10 mx.shop.test.")
		case "_http":
			add(name + " 30 IN SRV 1 2 8080 app.shop.test.")
		case "large":
			for i := range 200 {
				add(fmt.Sprintf("%s 30 IN A 192.0.%d.%d", name, i/100, i%100))
			}
			if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
				m.Answer, m.Truncated = nil, true
			}
		case "empty":
		case "none":
			m.Rcode = dns.RcodeNameError
		case "broken":
			m.Rcode = dns.RcodeServerFailure
		case "refused":
			m.Rcode = dns.RcodeRefused
		case "silent":
			return
		case "garbage":
			_, _ = w.Write([]byte("HTTP/1.1 400"))
			return
		case "other":
			m.Question[0].Name = "b.shop.test."
		case "question":
			m.Response = false
		}
		_ = w.WriteMsg(m)
	}
}

func TestDNS(t *testing.T) {
	t.Parallel()
	at := dnsServer(t, zone(t))
	json := func(path string, want any) probe.Expect { return probe.Expect{JSON: map[string]any{path: want}} }
	for name, c := range map[string]struct {
		name, kind string
		expect     probe.Expect
		want       string
	}{
		"addresses":         {"a.shop.test", "", probe.Expect{JSON: map[string]any{"$.rcode": "NOERROR", "$.answers": map[string]any{"length": 2}, "$.answers[0]": map[string]any{"name": "a.shop.test", "type": "A", "ttl": 30, "value": "192.0.2.1"}}}, ""},
		"a status":          {"a.shop.test", "A", probe.Expect{Status: probe.Statuses{"NOERROR"}}, ""},
		"another address":   {"a.shop.test", "A", json("$.answers[?@.value == '192.0.2.9']", probe.Exists), "s: the response has no $.answers[?@.value == '192.0.2.9']"},
		"a complete name":   {"a.shop.test.", "A", probe.Expect{}, ""},
		"of a user":         {"user-{{random 1 2}}.shop.test", "A", probe.Expect{}, ""},
		"an alias":          {"alias.shop.test", "A", json("$.answers[?@.type == 'A'].value", "192.0.2.1"), ""},
		"the alias itself":  {"alias.shop.test", "CNAME", json("$.answers[0].value", "a.shop.test"), ""},
		"an alias alone":    {"half.shop.test", "A", probe.Expect{}, "s: status NODATA"},
		"IPv6":              {"six.shop.test", "AAAA", json("$.answers[0].value", "2001:db8::1"), ""},
		"a text":            {"text.shop.test", "TXT", json("$.answers[0].value", "one two"), ""},
		"mail":              {"mail.shop.test", "MX", json("$.answers[0].value", "10 mx.shop.test"), ""},
		"a service":         {"_http._tcp.shop.test", "SRV", json("$.answers[0].value", "1 2 8080 app.shop.test"), ""},
		"by TCP":            {"large.shop.test", "A", json("$.answers", map[string]any{"length": 200}), ""},
		"no record":         {"empty.shop.test", "A", probe.Expect{}, "s: status NODATA"},
		"no record, wanted": {"empty.shop.test", "A", probe.Expect{Status: probe.Statuses{"NODATA"}, JSON: map[string]any{"$.rcode": "NOERROR"}}, ""},
		"no record is bad":  {"empty.shop.test", "A", probe.Expect{Status: probe.Statuses{"NOERROR"}}, "s: status NODATA, expected NOERROR"},
		"no such name":      {"none.shop.test", "A", probe.Expect{}, "s: status NXDOMAIN"},
		"and expected":      {"none.shop.test", "A", probe.Expect{Status: probe.Statuses{"NXDOMAIN"}}, ""},
		"a failed server":   {"broken.shop.test", "A", probe.Expect{}, "s: status SERVFAIL"},
		"a refusal":         {"refused.shop.test", "A", probe.Expect{}, "s: status REFUSED"},
		"silent":            {"silent.shop.test", "A", probe.Expect{}, "s: timeout"},
		"garbage":           {"garbage.shop.test", "A", probe.Expect{}, "s: timeout"}, // its ID is another one
		"another question":  {"other.shop.test", "A", probe.Expect{}, "s: dns: the response is to another question"},
		"no response":       {"question.shop.test", "A", probe.Expect{}, "s: dns: the response is to another question"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			timeout := patience
			if strings.HasSuffix(c.want, "timeout") {
				timeout = 300 * time.Millisecond
			}
			v := first(t, load(timeout, probe.Step{Name: "s", DNS: &probe.DNS{Name: c.name, Type: c.kind, Server: at}, Expect: c.expect}))
			if v.Sample.Error != c.want || v.Sample.Void {
				t.Errorf("%q, expected %q", v.Sample.Error, c.want)
			}
		})
	}
	for id, want := range map[string]string{"a": probe.Present, "none": probe.Absent, "empty": probe.Absent, "broken": probe.Unconfirmed} {
		if found := presence(t, id, probe.Step{DNS: &probe.DNS{Name: "{{.id}}.shop.test", Server: at}}); found != want {
			t.Errorf("%s: %s, expected %s", id, found, want)
		}
	}
	v := first(t, load(patience, probe.Step{Name: "s", DNS: &probe.DNS{Name: "a", Server: "127.0.0.1:1"}}))
	if v.Sample.Error != "s: read: connection refused" {
		t.Errorf("%+v", v.Sample)
	}
}
