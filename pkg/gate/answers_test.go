package gate_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/gate"
)

func TestDeclarations(t *testing.T) {
	t.Parallel()
	type checker interface{ Check() error }
	for name, c := range map[string]struct {
		gate  checker
		names string // "" if it is right
	}{
		"http":            {gate.HTTP{GET: "http://x/healthz"}, ""},
		"https":           {gate.HTTP{GET: "https://x"}, ""},
		"no URL":          {gate.HTTP{}, "get"},
		"no scheme":       {gate.HTTP{GET: "x/healthz"}, "get"},
		"another scheme":  {gate.HTTP{GET: "file:///etc/passwd"}, "get"},
		"no host":         {gate.HTTP{GET: "http:///x"}, "get"},
		"not to be read":  {gate.HTTP{GET: "http://[x"}, "get"},
		"prometheus":      {gate.Prometheus{URL: "http://p:9090", Query: "up"}, ""},
		"no query":        {gate.Prometheus{URL: "http://p:9090"}, "query"},
		"no server":       {gate.Prometheus{Query: "up"}, "url"},
		"server, no host": {gate.Prometheus{URL: "p:9090", Query: "up"}, "url"},
	} {
		err := c.gate.Check()
		if (err == nil) != (c.names == "") || err != nil && !strings.HasPrefix(err.Error(), c.names+":") {
			t.Errorf("%s: found %v, expected a problem of %q", name, err, c.names)
		}
	}
}

// What is asked is told without what may be secret in its URL.
func TestSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	for _, g := range []gate.Gate{
		gate.HTTP{GET: "http://user:hunter2@127.0.0.1:1/x?token=hunter2#hunter2"},
		gate.Prometheus{URL: "http://user:hunter2@127.0.0.1:1/x?token=hunter2", Query: "up"},
		gate.HTTP{GET: "http://user:hunter2@[x/"},
		gate.Prometheus{URL: "http://user:hunter2@[x/", Query: "up"},
	} {
		ok, why, err := g.Holds(t.Context())
		said := g.String() + why
		if err != nil {
			said += err.Error()
		}
		if ok || why == "" && err == nil || strings.Contains(said, "hunter2") {
			t.Errorf("it says %q", said)
		}
	}
}

// Answers that are no answers of a Prometheus server say nothing about the query.
func TestAnswersOfNoPrometheus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
	}{
		"nothing":             {200, ""},
		"a page":              {502, "<html>Bad Gateway</html>"},
		"another JSON":        {200, `{"message": "ok"}`},
		"a list":              {200, `[]`},
		"a result of no kind": {200, `{"status":"success","data":{"result":[]}}`},
		"strings":             {200, `{"status":"success","data":{"resultType":"string","result":[1,"x"]}}`},
		"series of a text":    {200, `{"status":"success","data":{"resultType":"vector","result":"x"}}`},
		"a scalar of a text":  {200, `{"status":"success","data":{"resultType":"scalar","result":"x"}}`},
		"no number":           {200, `{"status":"success","data":{"resultType":"scalar","result":[1,"many"]}}`},
		"a value of no text":  {200, `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,2]}]}}`},
		"a value that lacks":  {200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{}}]}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			if ok, why, err := (gate.Prometheus{URL: server.URL, Query: "up"}).Holds(t.Context()); ok || err == nil || !strings.Contains(err.Error(), "up at "+server.URL) {
				t.Errorf("%v, %q, %v", ok, why, err)
			}
		})
	}
}

func TestValuesOfSeries(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"1": true, "-1": true, "0.001": true, "+Inf": true, "-Inf": true, "1e300": true, "0": false, "-0": false, "0.0": false, "NaN": false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/base/api/v1/query" || r.URL.Query().Get("query") != `sum(x{a="b"}) > 5 & 1` {
				http.Error(w, r.URL.String(), http.StatusBadRequest)
				return
			}
			_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"7"]},{"value":[1,"`+value+`"]}]}}`)
		}))
		ok, why, err := gate.Prometheus{URL: server.URL + "/base/", Query: `sum(x{a="b"}) > 5 & 1`}.Holds(t.Context())
		server.Close()
		if ok != want || err != nil || (why == "") != ok {
			t.Errorf("%s: %v, %q, %v", value, ok, why, err)
		}
	}
}

// silent is a server that never answers.
type silent struct{}

// RoundTrip implements [http.RoundTripper].
func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// A server that does not answer is waited for as long as [gate.Patience], and no longer.
func TestPatience(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	was := http.DefaultClient.Transport
	http.DefaultClient.Transport = silent{}
	t.Cleanup(func() { http.DefaultClient.Transport = was })
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if ok, why, err := (gate.HTTP{GET: "http://x"}).Holds(t.Context()); ok || why == "" || err != nil || time.Since(began) != gate.Patience {
			t.Errorf("%v, %q, %v after %v", ok, why, err, time.Since(began))
		}
		began = time.Now()
		if ok, _, err := (gate.Prometheus{URL: "http://x", Query: "up"}).Holds(t.Context()); ok || err == nil || time.Since(began) != gate.Patience {
			t.Errorf("%v, %v after %v", ok, err, time.Since(began))
		}
	})
}

// Of an answer without end so much is read, and no more.
func TestAnAnswerWithoutEnd(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for line := strings.Repeat("x", 1<<16); ; {
			if _, err := io.WriteString(w, line); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	if ok, why, err := (gate.HTTP{GET: server.URL, Body: "end"}).Holds(t.Context()); ok || !strings.Contains(why, `the first MiB of the response does not contain "end"`) || err != nil {
		t.Errorf("%v, %q, %v", ok, why, err)
	}
	if ok, why, err := (gate.HTTP{GET: server.URL, Body: "xxx"}).Holds(t.Context()); !ok {
		t.Errorf("%q, %v", why, err)
	}
	if ok, _, err := (gate.Prometheus{URL: server.URL, Query: "up"}).Holds(t.Context()); ok || err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("%v, %v", ok, err)
	}
}

// A server that changes the protocol and then says nothing is not waited for: no limit of
// time of net/http holds after that answer (H4).
func TestAnAnswerOfAnotherProtocol(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { _ = c.Close() })
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	}))
	t.Cleanup(server.Close)
	type result struct {
		ok  bool
		why string
		err error
	}
	for name, c := range map[string]struct {
		gate gate.Gate
		want result
		says string
	}{
		"http":       {gate.HTTP{GET: server.URL}, result{}, "answered 101, expected 200"},
		"status 101": {gate.HTTP{GET: server.URL, Status: 101}, result{ok: true}, ""},
		"prometheus": {gate.Prometheus{URL: server.URL, Query: "up"}, result{err: io.EOF}, "status 101"},
	} {
		done := make(chan result, 1)
		go func() {
			ok, why, err := c.gate.Holds(t.Context())
			done <- result{ok, why, err}
		}()
		select {
		case got := <-done:
			if got.ok != c.want.ok || (got.err == nil) != (c.want.err == nil) || !strings.Contains(fmt.Sprint(got.why, got.err), c.says) {
				t.Errorf("%s: %+v, expected %q", name, got, c.says)
			}
		case <-time.After(2 * gate.Patience):
			t.Errorf("%s: no result after %v", name, 2*gate.Patience)
		}
	}
}

// What a server says is repeated to a limit: it is written down every second.
func TestLongAnswersAreNotRepeated(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	for name, body := range map[string]string{
		"an error": `{"status":"error","error":"` + long + `"}`,
		"a value":  `{"status":"success","data":{"resultType":"scalar","result":[1,"` + long + `"]}}`,
		"a type":   `{"status":"success","data":{"resultType":"` + long + `","result":[]}}`,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		t.Cleanup(server.Close)
		if _, _, err := (gate.Prometheus{URL: server.URL, Query: "up"}).Holds(t.Context()); err == nil || len(err.Error()) > 500 {
			t.Errorf("%s: %.600v", name, err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 "+long+"\r\n\r\n")
			_ = c.Close()
		}
	}))
	t.Cleanup(server.Close)
	if ok, why, err := (gate.HTTP{GET: server.URL}).Holds(t.Context()); ok || err != nil || why == "" || len(why) > 500 {
		t.Errorf("%v, %.600s, %v", ok, why, err)
	}
}
