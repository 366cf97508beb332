package steps_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// socket is a server that opens WebSockets at /live, and does something with each.
func socket(t *testing.T, serve func(ctx context.Context, c *websocket.Conn)) *httptest.Server {
	t.Helper()
	ended, end := context.WithCancel(context.Background()) //nolint:forbidigo // until the test's cleanup
	mux := http.NewServeMux()
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "user", Value: "me"})
	})
	mux.HandleFunc("/live", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		if cookie, err := r.Cookie("user"); err == nil {
			_ = c.Write(ended, websocket.MessageText, []byte("hello "+cookie.Value))
		}
		serve(ended, c)
	})
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	mux.HandleFunc("/plain", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	server := httptest.NewServer(mux)
	t.Cleanup(func() { end(); server.Close() })
	return server
}

// What a server of WebSockets does with them.
type serves = func(ctx context.Context, c *websocket.Conn)

func listening(ctx context.Context, c *websocket.Conn) { <-c.CloseRead(ctx).Done() }

func saying(texts ...string) serves {
	return func(ctx context.Context, c *websocket.Conn) {
		for _, text := range texts {
			if c.Write(ctx, websocket.MessageText, []byte(text)) != nil {
				return
			}
		}
	}
}

func each(every time.Duration, n int, text string) serves {
	return func(ctx context.Context, c *websocket.Conn) {
		ctx = c.CloseRead(ctx)
		for range n {
			_ = c.Write(ctx, websocket.MessageText, []byte(text))
			select {
			case <-time.After(every):
			case <-ctx.Done():
				return
			}
		}
	}
}

func both(all ...serves) serves {
	return func(ctx context.Context, c *websocket.Conn) {
		for _, do := range all {
			do(ctx, c)
		}
	}
}

func echoing(ctx context.Context, c *websocket.Conn) {
	for {
		kind, data, err := c.Read(ctx)
		if err != nil || c.Write(ctx, kind, append([]byte("you said "), data...)) != nil {
			return
		}
	}
}

// deaf keeps the connection, and reads nothing.
func deaf(ctx context.Context, _ *websocket.Conn) { <-ctx.Done() }

func TestWebSocket(t *testing.T) {
	t.Parallel()
	const soon, short, long = 300 * time.Millisecond, 2 * time.Second, 10 * time.Second
	ready := probe.Expect{JSON: map[string]any{"$.ready": true}}
	closing := func(ctx context.Context, c *websocket.Conn) { _ = c.Close(websocket.StatusGoingAway, "secret") }
	for name, c := range map[string]struct {
		serve  serves
		socket probe.WebSocket
		expect probe.Expect
		outcome
	}{
		"open":                       {listening, probe.WebSocket{}, probe.Expect{}, outcome{presence: probe.Present}},
		"open, as expected":          {listening, probe.WebSocket{}, probe.Expect{Status: probe.Statuses{"OK"}}, outcome{}},
		"refused":                    {listening, probe.WebSocket{Path: "/busy"}, probe.Expect{}, outcome{want: "status 503", presence: probe.Unconfirmed}},
		"refused, as expected":       {listening, probe.WebSocket{Path: "/busy"}, probe.Expect{Status: probe.Codes(503)}, outcome{}},
		"no such path":               {listening, probe.WebSocket{Path: "/none"}, probe.Expect{}, outcome{want: "status 404", presence: probe.Absent}},
		"no WebSocket":               {listening, probe.WebSocket{Path: "/plain"}, probe.Expect{}, outcome{want: "the server opens no WebSocket: status 200"}},
		"an echo":                    {echoing, probe.WebSocket{Send: probe.Texts{"user {{.seq}}"}, Receive: 1}, probe.Expect{Matches: probe.Texts{`^you said user \d+$`}}, outcome{}},
		"until expect":               {both(saying("hello", `{"ready": false}`, `{"ready": true}`), listening), probe.WebSocket{}, ready, outcome{presence: probe.Present}},
		"until expect, never":        {both(saying(`{"ready": false}`), listening), probe.WebSocket{}, ready, outcome{want: "$.ready is not the expected value", within: 2 * time.Second, presence: probe.Unconfirmed}},
		"until expect, silent":       {listening, probe.WebSocket{}, ready, outcome{want: "timeout", within: soon}},
		"until expect, closed":       {both(saying("a"), closing), probe.WebSocket{}, ready, outcome{want: "the response is not JSON"}},
		"until expect, endless":      {each(0, 1<<30, strings.Repeat("A", mib)), probe.WebSocket{}, probe.Expect{Contains: probe.Texts{"B"}}, outcome{want: "the response is larger than 64 MiB", within: 30 * time.Second}},
		"three":                      {both(saying("a", `{"b": 1}`, "c"), listening), probe.WebSocket{Receive: 3}, probe.Expect{JSON: map[string]any{"$[0]": "a", "$[1].b": 1}}, outcome{}},
		"three, closed after two":    {both(saying("a", "b"), closing), probe.WebSocket{Receive: 3}, probe.Expect{}, outcome{want: "connection closed", presence: probe.Unconfirmed}},
		"three, cut off":             {saying("a", "b"), probe.WebSocket{Receive: 3}, probe.Expect{}, outcome{want: "connection closed"}},
		"a huge message":             {both(saying(strings.Repeat("A", 5*mib)), listening), probe.WebSocket{Receive: 1}, probe.Expect{}, outcome{want: "a message of the response is larger than 4 MiB", presence: probe.Unconfirmed}},
		"slow":                       {each(200*time.Millisecond, 1000, "a"), probe.WebSocket{Receive: 100}, probe.Expect{}, outcome{want: "timeout", within: soon}},
		"held":                       {listening, probe.WebSocket{Hold: short}, probe.Expect{}, outcome{}},
		"held, with messages":        {each(50*time.Millisecond, 1000, "a"), probe.WebSocket{Hold: short, Gap: 3 * time.Second}, probe.Expect{}, outcome{}},
		"held, closed":               {both(each(50*time.Millisecond, 3, "a"), closing), probe.WebSocket{Hold: long}, probe.Expect{}, outcome{want: "the server closed the WebSocket while it was held"}},
		"held, cut off":              {each(50*time.Millisecond, 3, "a"), probe.WebSocket{Hold: long}, probe.Expect{}, outcome{want: "the server closed the WebSocket while it was held"}},
		"held, silent":               {each(time.Hour, 1, "a"), probe.WebSocket{Hold: long, Gap: soon}, probe.Expect{}, outcome{want: "the server was silent for 300ms while the WebSocket was held"}},
		"held, pings not answered":   {deaf, probe.WebSocket{Hold: long}, probe.Expect{}, outcome{want: "the server answered no ping for 2s while the WebSocket was held", within: 2 * time.Second}},
		"held, a huge message":       {both(saying(strings.Repeat("A", 5*mib)), listening), probe.WebSocket{Hold: long}, probe.Expect{}, outcome{want: "a message of the response is larger than 4 MiB"}},
		"held, the expected is late": {each(time.Hour, 1, "a"), probe.WebSocket{Hold: long}, ready, outcome{want: "the response is not JSON", within: 2 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.socket.Path == "" {
				c.socket.Path = "/live"
			}
			v := check(t, socket(t, c.serve).URL, probe.Step{WebSocket: &c.socket, Expect: c.expect}, c.outcome)
			if c.socket.Hold > 0 && c.want == "" && v.Sample.Latency > c.socket.Hold {
				t.Errorf("a latency of %v: the time for which it was held counts", v.Sample.Latency)
			}
		})
	}
}

// What is held fails when the server fails, and not when the user came.
func TestWhatIsHeldFailsLater(t *testing.T) {
	t.Parallel()
	server := socket(t, each(50*time.Millisecond, 20, "a"))
	began := time.Now()
	step := probe.Step{Name: "s", WebSocket: &probe.WebSocket{Path: "/live", Hold: 10 * time.Second}}
	v := walk(t, server.URL, probe.Journey{Name: "j", Timeout: 5 * time.Second, Steps: []probe.Step{step}})
	if late := v.Sample.Sent.Sub(began); late < 500*time.Millisecond || v.Sample.Latency > time.Second || v.Steps[0].Sent.Sub(began) < 500*time.Millisecond {
		t.Errorf("sent %v after the start, latency %v; the step %v after the start", late, v.Sample.Latency, v.Steps[0].Sent.Sub(began))
	}
}

// The user's cookies open a WebSocket, too.
func TestCookiesOfAWebSocket(t *testing.T) {
	t.Parallel()
	server := socket(t, listening)
	j := probe.Journey{Name: "j", Timeout: 5 * time.Second, Steps: []probe.Step{
		{Get: "/login"},
		{WebSocket: &probe.WebSocket{URL: "ws" + strings.TrimPrefix(server.URL, "http") + "/live", Receive: 1}, Expect: probe.Expect{Contains: probe.Texts{"hello me"}}},
	}}
	if v := walk(t, server.URL, j); v.Sample.Failed() {
		t.Errorf("%+v", v.Sample)
	}
}

// A connection that dies without a word is noticed while it is held.
func TestAWebSocketOverASilentDrop(t *testing.T) {
	t.Parallel()
	opened, cut := make(chan struct{}, 10), make(chan struct{})
	server := socket(t, func(ctx context.Context, c *websocket.Conn) {
		_, _, _ = c.Read(ctx) // then the user has opened it
		opened <- struct{}{}
		listening(ctx, c)
	})
	go func() { <-opened; close(cut) }()
	step := probe.Step{Name: "s", WebSocket: &probe.WebSocket{Path: "/live", Send: probe.Texts{"hello"}, Hold: 10 * time.Second}}
	l := wired("http://"+proxy(t, server.Listener.Addr().String(), cut), probe.Journey{Name: "j", Timeout: 2 * time.Second, Steps: []probe.Step{step}})
	if v := firstUser(t, l); v.Sample.Error != "s: the server answered no ping for 2s while the WebSocket was held" {
		t.Errorf("%+v", v.Sample)
	}
}

// Servers that are none.
func TestNoServerOfWebSockets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		serve func(net.Conn)
		outcome
	}{
		"silent":   {mute, outcome{want: "timeout", within: 300 * time.Millisecond}},
		"closed":   {func(net.Conn) {}, outcome{want: "connection closed"}},
		"not HTTP": {func(c net.Conn) { _, _ = fmt.Fprint(c, "220 secret\r\n") }, outcome{want: "malformed HTTP status code …"}},
		"a wrong accept": {func(c net.Conn) {
			_, _ = fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: secret\r\n\r\n")
			mute(c)
		}, outcome{want: "the server's answer opens no WebSocket"}},
		"an endless head": {func(c net.Conn) {
			for _, err := fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\n"); err == nil; _, err = fmt.Fprint(c, "X: "+strings.Repeat("A", 1000)+"\r\n") {
			}
		}, outcome{want: "the headers of the response are larger than 256 KiB"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entry := "http://" + wireServer(t, func(conn net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					c.serve(conn)
				}
			})
			check(t, entry, probe.Step{WebSocket: &probe.WebSocket{Path: "/live"}}, c.outcome)
		})
	}
}
