package probe_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// A server that fails for two seconds gets a storm of retries, and the record has each of its
// requests.
func TestTheStormOfARetrier(t *testing.T) {
	t.Parallel()
	began := time.Now()
	server := newHost(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) {
		if since := time.Since(began); since > 500*time.Millisecond && since < 2500*time.Millisecond {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	l := probe.Load{
		Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Name: "home", Get: "/"}}}, Way: probe.Way{Entry: server.URL},
		Client: probe.Client{Kind: probe.Retrier, Attempts: 3, Backoff: 100 * time.Millisecond}, Rate: probe.Rate{Users: 50, Per: time.Second},
	}
	all := walks(t, l, 3500*time.Millisecond)
	requests, retries, rescued := 0, 0, 0
	for _, v := range all {
		requests += len(v.Steps)
		retries += v.Sample.Retries
		if v.Sample.Retries > 0 && !v.Sample.Failed() {
			rescued++
			if v.Sample.Latency < 100*time.Millisecond {
				t.Errorf("a retry was answered %v after the user came", v.Sample.Latency)
			}
		}
	}
	if int64(requests) != server.hits.Load() || requests != len(all)+retries {
		t.Errorf("the server saw %d requests, and %d are recorded: those of %d users, and %d retries", server.hits.Load(), requests, len(all), retries)
	}
	if retries < 150 || retries > 200 || rescued < 5 {
		t.Errorf("%d retries in two seconds at 50/s, %d users were served by them", retries, rescued)
	}
}

// An attempt that hangs ends at its own timeout, and the next one may serve the user.
func TestARetrierGivesAnAttemptUp(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]bool{}
	server := newHost(t, "127.0.0.1:0", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		first := !seen[r.URL.Path]
		seen[r.URL.Path] = true
		mu.Unlock()
		if first {
			<-r.Context().Done()
		}
	})
	journey := probe.Journey{Name: "j", Timeout: 300 * time.Millisecond, Steps: []probe.Step{{Name: "home", Get: "/{{.seq}}"}}}
	for _, c := range []struct {
		client    probe.Client
		good      bool
		atLeast   time.Duration
		atMost    time.Duration
		retryable int
	}{
		{probe.Client{Kind: probe.Browser}, false, 300 * time.Millisecond, 400 * time.Millisecond, 0},
		{probe.Client{Kind: probe.Retrier, Attempts: 2}, true, 300 * time.Millisecond, 500 * time.Millisecond, 1},
		{probe.Client{Kind: probe.Retrier, Attempts: 2, Timeout: 100 * time.Millisecond, Backoff: 50 * time.Millisecond}, true, 150 * time.Millisecond, 300 * time.Millisecond, 1},
	} {
		mu.Lock()
		clear(seen)
		mu.Unlock()
		for _, v := range walks(t, probe.Load{Journey: journey, Way: probe.Way{Entry: server.URL}, Client: c.client, Rate: probe.Rate{Users: 20, Per: time.Second}}, 400*time.Millisecond) {
			if v.Sample.Failed() == c.good || v.Sample.Latency < c.atLeast || v.Sample.Latency > c.atMost || v.Sample.Retries != c.retryable {
				t.Errorf("%+v: %+v", c.client, v.Sample)
			}
		}
	}
}

// What a server may have carried out is sent again only if it can tell that it is the same.
func TestWhatARetrierSendsAgain(t *testing.T) {
	t.Parallel()
	const order = "{{.order}}"
	for name, c := range map[string]struct {
		step probe.Step
		code int
		is   int // requests of one user
	}{
		"GET":               {probe.Step{Get: "/"}, 503, 3},
		"PUT":               {probe.Step{Put: "/"}, 500, 3},
		"DELETE":            {probe.Step{Delete: "/"}, 504, 3},
		"POST":              {probe.Step{Post: "/"}, 503, 1},
		"PATCH":             {probe.Step{Patch: "/"}, 503, 1},
		"not found":         {probe.Step{Get: "/"}, 404, 1},
		"what is expected":  {probe.Step{Get: "/", Expect: probe.Expect{Status: probe.Statuses{"503"}}}, 503, 1},
		"a key":             {probe.Step{Post: "/", Headers: map[string]string{"idempotency-key": "k-" + order}}, 503, 3},
		"a key each time":   {probe.Step{Post: "/", Headers: map[string]string{"Idempotency-Key": "{{.order}}{{uuid}}"}}, 503, 1},
		"a key for all":     {probe.Step{Post: "/", Headers: map[string]string{"Idempotency-Key": "k"}}, 503, 1},
		"the user's ID":     {probe.Step{Post: "/", Acknowledges: order}, 503, 3},
		"the server's ID":   {probe.Step{Post: "/", Acknowledges: "$.id"}, 503, 1},
		"a captured ID":     {probe.Step{Post: "/", Capture: map[string]probe.Capture{"id": {JSON: "$.id"}}, Acknowledges: "{{.id}}"}, 503, 1},
		"a retry of a step": {probe.Step{Get: "/", Retry: &probe.Retry{Attempts: 2}}, 503, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newHost(t, "127.0.0.1:0", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(c.code) })
			all := walks(t, probe.Load{
				Journey: probe.Journey{Name: "j", Let: map[string]string{"order": "{{uuid}}"}, Steps: []probe.Step{c.step}},
				Way:     probe.Way{Entry: server.URL}, Client: probe.Client{Kind: probe.Retrier}, Rate: probe.Rate{Users: 20, Per: time.Second},
			}, 200*time.Millisecond)
			if want := c.is * len(all); int(server.hits.Load()) != want {
				t.Errorf("%d requests of %d users, expected %d", server.hits.Load(), len(all), want)
			}
		})
	}
}

// What was not sent, as there was no connection, is tried again whatever it is.
func TestARetrierOpensAConnectionAgain(t *testing.T) {
	t.Parallel()
	gone := newHost(t, "127.0.0.1:0", nil)
	gone.die()
	for _, v := range walks(t, probe.Load{
		Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Post: "/"}}}, Way: probe.Way{Entry: gone.URL},
		Client: probe.Client{Kind: probe.Retrier}, Rate: probe.Rate{Users: 20, Per: time.Second},
	}, 200*time.Millisecond) {
		if v.Sample.Retries != 2 || !v.Sample.Failed() {
			t.Errorf("%+v", v.Sample)
		}
	}
}

// The users of several loads of one journey have numbers of their own.
func TestNumbersOfUsers(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	server := newHost(t, "127.0.0.1:0", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.URL.Path]++
	})
	sent := 0
	for n := range 3 {
		sent += len(walks(t, probe.Load{
			Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Get: "/{{.seq}}"}}}, Way: probe.Way{Entry: server.URL},
			Place: probe.Place{Of: 3, N: n}, Rate: probe.Rate{Users: 50, Per: time.Second},
		}, 200*time.Millisecond))
	}
	if len(seen) != sent || seen["/0"] != 1 || seen["/4"] != 1 {
		t.Errorf("%d numbers of %d users: %v", len(seen), sent, seen)
	}
}

// What a server has carried out is not sent again because of where it then sends the user, or
// because of the connection that net/http opens to send it again by itself.
func TestARetrierDoesNotRepeatWhatWasCarriedOut(t *testing.T) {
	t.Parallel()
	gone := newHost(t, "127.0.0.1:0", nil)
	gone.die()
	for name, target := range map[string]string{
		"no connection": gone.URL + "/thanks",
		"no name":       "http://127.0.0.1.invalid/thanks",
	} {
		for code, way := range map[int]probe.Way{http.StatusSeeOther: {}, http.StatusPermanentRedirect: {}, http.StatusFound: {HTTP2: true}} {
			t.Run(fmt.Sprint(name, code), func(t *testing.T) {
				t.Parallel()
				server := newHost(t, "127.0.0.1:0", func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.ReadAll(r.Body); err != nil {
						t.Error(err)
					}
					w.Header().Set("Location", target)
					w.WriteHeader(code)
				})
				way.Entry = server.URL
				all := walks(t, probe.Load{
					Journey: probe.Journey{Name: "j", Follow: 3, Steps: []probe.Step{{Post: "/pay", Body: "x"}}}, Way: way,
					Client: probe.Client{Kind: probe.Retrier}, Rate: probe.Rate{Users: 50, Per: time.Second},
				}, 200*time.Millisecond)
				if n := int(server.hits.Load()); n != len(all) || n == 0 {
					t.Errorf("%d payments of %d users", n, len(all))
				}
				for _, v := range all {
					if !v.Sample.Failed() || v.Sample.Retries != 0 {
						t.Errorf("%+v", v.Sample)
					}
				}
			})
		}
	}
	t.Run("sent on a kept connection that ends", func(t *testing.T) {
		t.Parallel()
		var server *host
		server = newHost(t, "127.0.0.1:0", func(_ http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				_ = server.Listener.Close()
				panic(http.ErrAbortHandler)
			}
		})
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		all := walks(t, probe.Load{
			// net/http sends again what has such a header, even if it is another one each time.
			Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Get: "/"}, {Post: "/pay", Headers: map[string]string{"Idempotency-Key": "{{uuid}}"}}}},
			Way:     probe.Way{Entry: server.URL}, Client: probe.Client{Kind: probe.Retrier}, Rate: probe.Rate{Users: 5, Per: time.Second},
		}, 300*time.Millisecond)
		if len(all) == 0 || !all[0].Sample.Failed() || all[0].Sample.Retries != 0 || server.hits.Load() != 2 {
			t.Errorf("%d requests: %+v", server.hits.Load(), all)
		}
	})
}

// A connection that is not established in time has sent nothing.
func TestARetrierOpensAConnectionAgainThatTakesTooLong(t *testing.T) {
	t.Parallel()
	server := newHost(t, "127.0.0.1:0", nil)
	names := newMoving(t)
	names.moves("127.0.0.1")
	silent, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0") // a name server that does not answer
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for dns, good := range map[string]bool{names.server: true, silent.LocalAddr().String(): false} {
		for _, v := range walks(t, probe.Load{
			Journey: probe.Journey{Name: "j", Steps: []probe.Step{{Post: "/"}}}, Way: probe.Way{Entry: "http://shop.example:" + server.port(t), DNS: []string{dns}},
			Client: probe.Client{Kind: probe.Retrier, Timeout: 50 * time.Millisecond}, Rate: probe.Rate{Users: 20, Per: time.Second},
		}, 200*time.Millisecond) {
			if want := map[bool]int{true: 0, false: 2}[good]; v.Sample.Retries != want || v.Sample.Failed() == good {
				t.Errorf("%t: %+v", good, v.Sample)
			}
		}
	}
}
