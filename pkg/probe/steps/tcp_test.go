package steps_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func TestTCP(t *testing.T) {
	t.Parallel()
	line := &probe.Until{Delimiter: "\n"}
	says := func(text string) func(net.Conn) { return func(c net.Conn) { _, _ = io.WriteString(c, text) } }
	then := func(text string, next func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) { says(text)(c); next(c) }
	}
	echo := func(c net.Conn) {
		text, _ := bufio.NewReader(c).ReadString('\n')
		then("you said "+text, mute)(c)
	}
	endless := func(c net.Conn) {
		for _, err := io.WriteString(c, strings.Repeat("A", 64<<10)); err == nil; _, err = io.WriteString(c, strings.Repeat("A", 64<<10)) {
		}
	}
	for name, c := range map[string]struct {
		serve  func(net.Conn)
		tcp    probe.TCP
		expect probe.Expect
		outcome
	}{
		"connect":                      {mute, probe.TCP{}, probe.Expect{}, outcome{presence: probe.Present}},
		"until expect":                 {echo, probe.TCP{Send: "user {{.seq}}\n"}, probe.Expect{Matches: probe.Texts{`^you said user \d+\n`}}, outcome{}},
		"until expect, not said":       {then("no", mute), probe.TCP{}, probe.Expect{Contains: probe.Texts{"yes"}}, outcome{want: "timeout", within: 300 * time.Millisecond, presence: probe.Unconfirmed}},
		"until expect, closed":         {says("no"), probe.TCP{}, probe.Expect{Contains: probe.Texts{"yes"}}, outcome{want: `the response does not contain "yes"`, presence: probe.Unconfirmed}},
		"until expect, endless":        {endless, probe.TCP{}, probe.Expect{Contains: probe.Texts{"B"}}, outcome{want: "the first 64 KiB of the response are not the expected ones", presence: probe.Unconfirmed}},
		"a delimiter":                  {then("one\ntwo", mute), probe.TCP{Until: line}, probe.Expect{Contains: probe.Texts{"one"}}, outcome{presence: probe.Present}},
		"a delimiter, another content": {then("one\n", mute), probe.TCP{Until: line}, probe.Expect{Contains: probe.Texts{"two"}}, outcome{want: `the response does not contain "two"`}},
		"no delimiter":                 {says("one"), probe.TCP{Until: line}, probe.Expect{}, outcome{want: "connection closed", presence: probe.Unconfirmed}},
		"no delimiter, endless":        {endless, probe.TCP{Until: line}, probe.Expect{}, outcome{want: "the response is larger than 4 MiB", presence: probe.Unconfirmed}},
		"bytes":                        {then("0123456789", mute), probe.TCP{Until: &probe.Until{Bytes: 10}}, probe.Expect{Size: 10}, outcome{}},
		"cut off":                      {says("012345678"), probe.TCP{Until: &probe.Until{Bytes: 10}}, probe.Expect{}, outcome{want: "connection closed"}},
		"until close":                  {says(strings.Repeat("A", 4*mib-1)), probe.TCP{Until: &probe.Until{Close: true}}, probe.Expect{Size: 4*mib - 1}, outcome{}},
		"until close, silent":          {mute, probe.TCP{Until: &probe.Until{Close: true}}, probe.Expect{}, outcome{want: "timeout", within: 300 * time.Millisecond}},
		"until close, endless":         {endless, probe.TCP{Until: &probe.Until{Close: true}}, probe.Expect{}, outcome{want: "the response is larger than 4 MiB"}},
		"no TLS":                       {says("220 here\r\n"), probe.TCP{TLS: true}, probe.Expect{}, outcome{want: "tls: the server does not speak TLS"}},
		"no handshake":                 {mute, probe.TCP{TLS: true}, probe.Expect{}, outcome{want: "timeout", within: 300 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.tcp.Address = wireServer(t, c.serve)
			check(t, "http://192.0.2.1", probe.Step{TCP: &c.tcp, Expect: c.expect}, c.outcome)
		})
	}
}

// The entry gives the host, the port and the trust.
func TestTCPAtTheEntry(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"", ":" + port} {
		step := probe.Step{TCP: &probe.TCP{Address: address, TLS: true}}
		check(t, server.URL, step, outcome{want: "tls: the certificate is signed by an unknown authority"})
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	check(t, gone.URL, probe.Step{TCP: &probe.TCP{}}, outcome{want: "dial: connection refused", presence: probe.Unconfirmed})
}

// What a server sends without an end takes bounded memory.
func TestMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	address := wireServer(t, func(c net.Conn) {
		block := make([]byte, 64<<10)
		for _, err := c.Write(block); err == nil; _, err = c.Write(block) {
		}
	})
	for want, u := range map[string]*probe.Until{
		"the response is larger than 4 MiB":                          {Close: true},
		"the first 64 KiB of the response are not the expected ones": nil,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		step := probe.Step{TCP: &probe.TCP{Address: address, Until: u}, Expect: probe.Expect{Contains: probe.Texts{"B"}}}
		check(t, "http://192.0.2.1", step, outcome{want: want})
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 48*mib {
			t.Errorf("%s: took %d MiB", want, took>>20)
		}
	}
}
