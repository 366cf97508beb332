package probe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
	"go.uber.org/goleak"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
)

func TestMain(m *testing.M) {
	if os.Getenv(serveVariable) != "" {
		serveAlone()
		return
	}
	goleak.VerifyTestMain(m)
}

// shop answers the journey, unless broken answers a request first.
func shop(t *testing.T, broken func(w http.ResponseWriter, r *http.Request) bool) *httptest.Server {
	t.Helper()
	var orders atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case broken != nil && broken(w, r):
		case r.URL.Path == "/login":
			var who struct{ User string }
			_ = json.NewDecoder(r.Body).Decode(&who)
			fmt.Fprintf(w, `{"token": %q}`, "t-"+who.User)
		case r.URL.Path == "/orders" && strings.HasPrefix(r.Header.Get("Authorization"), "Bearer t-user-"):
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id": %d}`, orders.Add(1))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// hang does not answer until the user disconnects. A server notices that only after it
// has read the whole request.
func hang(_ http.ResponseWriter, r *http.Request) bool {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}

func journey() probe.Journey {
	return probe.Journey{
		Version: 1, Name: "checkout", Timeout: 300 * time.Millisecond,
		Steps: []probe.Step{
			{
				Name: "login", Post: "/login", JSON: map[string]any{"user": "user-{{.seq}}"},
				Expect: probe.Expect{Status: probe.Codes(200), JSON: map[string]any{"$.token": probe.Exists}}, Capture: map[string]probe.Capture{"token": {JSON: "$.token"}},
			},
			{
				Name: "order", Post: "/orders", Headers: map[string]string{"Authorization": "Bearer {{.token}}"},
				Expect: probe.Expect{Status: probe.Codes(201)}, Acknowledges: "$.id",
			},
		},
		Confirm: &probe.Step{Get: "/orders/{{.id}}", Expect: probe.Expect{Status: probe.Codes(200)}},
	}
}

// walk sends users for a while.
func walk(t *testing.T, j probe.Journey, entry string, rate int, lasts time.Duration) []probe.Visit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	var visits []probe.Visit
	l := probe.Load{Journey: j, Way: probe.Way{Entry: entry}, Rate: probe.Rate{Users: rate, Per: time.Second}, Seed: 1}
	if err := l.Run(ctx, func(v probe.Visit) { visits = append(visits, v) }); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(visits, func(a, b probe.Visit) int { return int(a.Sample.Seq) - int(b.Sample.Seq) })
	return visits
}

func TestUsersWalkTheWholeJourney(t *testing.T) {
	t.Parallel()
	started := time.Now()
	visits := walk(t, journey(), shop(t, nil).URL, 100, time.Second)
	// A machine with other work notices the end late, and sends users until then.
	if n, most := len(visits), int(100*time.Since(started).Seconds())+10; n < 90 || n > most {
		t.Errorf("%d users at 100/s, expected 90 to %d", n, most)
	}
	acked := map[string]bool{}
	for _, v := range visits {
		if v.Sample.Error != "" || v.Sample.Code != 201 || len(v.Steps) != 2 || v.Ack == nil || v.Sample.Void {
			t.Fatalf("%+v", v)
		}
		if v.Steps[0].Journey != "checkout/login" || v.Steps[0].Latency > v.Sample.Latency || v.Sample.BytesIn == 0 {
			t.Errorf("%+v", v)
		}
		acked[v.Ack.ID] = true
	}
	if len(acked) != len(visits) {
		t.Errorf("%d acknowledgements of %d users", len(acked), len(visits))
	}
}

func TestEachWayToFailIsToldApart(t *testing.T) {
	t.Parallel()
	// The port of a server that was closed may be taken by the next one; this one is not.
	const nowhere = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		broken func(w http.ResponseWriter, r *http.Request) bool
		entry  string
		want   string
	}{
		"status": {func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, "", "login: status 503, expected 200"},
		"assertion": {
			func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "{}"); return true }, "", "login: the response has no $.token",
		},
		"not JSON": {func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "<html>"); return true }, "", "login: the response is not JSON"},
		"hangs":    {hang, "", "login: timeout"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) bool {
			c, _, _ := http.NewResponseController(w).Hijack()
			_ = c.Close()
			return true
		}, "", "login: connection closed"},
		"refused": {nil, nowhere, "login: dial: connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			entry := c.entry
			if entry == "" {
				entry = shop(t, c.broken).URL
			}
			for _, v := range walk(t, journey(), entry, 50, 300*time.Millisecond) {
				if v.Sample.Error != c.want || v.Ack != nil || !v.Sample.Failed() || len(v.Steps) != 1 {
					t.Fatalf("%+v, expected %q", v, c.want)
				}
			}
		})
	}
}

// stalls measures how long this machine lets nothing run that should, until worst is called:
// a test beside it cannot be more punctual.
func stalls(t *testing.T) (worst func() time.Duration) {
	t.Helper()
	const every = 5 * time.Millisecond
	stop, found := make(chan struct{}), make(chan time.Duration, 1)
	go func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		longest := time.Duration(0)
		for last := time.Now(); ; last = time.Now() {
			select {
			case <-ticker.C:
				longest = max(longest, time.Since(last)-every)
			case <-stop:
				found <- longest
				return
			}
		}
	}()
	return func() time.Duration { close(stop); return <-found }
}

// Open loop: users arrive on schedule, no matter how the system responds.
func TestAStalledServerHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server := shop(t, hang)
	worst := stalls(t)
	visits := walk(t, journey(), server.URL, 100, time.Second)
	most := 100*time.Millisecond + worst()
	if n := len(visits); n < 90 {
		t.Fatalf("%d users in a second at 100/s", n)
	}
	for i := range visits[1:] {
		if gap := visits[i+1].Sample.Sent.Sub(visits[i].Sample.Sent); gap > most {
			t.Errorf("no users were sent for %v, expected at most %v", gap, most)
		}
	}
}

// Vegeta's own library reads our files.
func TestVegetaReadsSamples(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "run")
	w, err := record.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	broken := func(w http.ResponseWriter, _ *http.Request) bool {
		n++
		if n%10 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	j := journey()
	j.Connections = "fresh"
	var mu sync.Mutex
	visits := walk(t, j, shop(t, func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		return broken(w, r)
	}).URL, 100, time.Second)
	failed := 0
	for _, v := range visits {
		if err := w.Sample(v.Sample); err != nil {
			t.Fatal(err)
		}
		if v.Sample.Failed() {
			failed++
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, record.SamplesFile))
	if err != nil {
		t.Fatal(err)
	}
	var metrics vegeta.Metrics
	decode := vegeta.DecoderFor(bytes.NewReader(data))
	if decode == nil {
		t.Fatal("vegeta does not recognize the file")
	}
	for {
		var r vegeta.Result
		if err := decode(&r); err == io.EOF { //nolint:errorlint // vegeta's decoders return it bare
			break
		} else if err != nil {
			t.Fatal(err)
		}
		metrics.Add(&r)
	}
	metrics.Close()
	if int(metrics.Requests) != len(visits) || failed == 0 || int(float64(len(visits))*metrics.Success+0.5) != len(visits)-failed {
		t.Errorf("vegeta: %d requests, %v success; ours: %d, %d failed", metrics.Requests, metrics.Success, len(visits), failed)
	}
	// Our own reader of vegeta's files agrees.
	i := 0
	for s, err := range probe.NewResults(bytes.NewReader(data)).All() {
		if err != nil {
			t.Fatal(err)
		}
		if s.Seq != visits[i].Sample.Seq || s.Failed() != visits[i].Sample.Failed() || !s.Sent.Equal(visits[i].Sample.Sent) {
			t.Fatalf("%+v, expected %+v", s, visits[i].Sample)
		}
		i++
	}
}

// Each of vegeta's encodings is detected from the content.
func TestResultsInEveryEncoding(t *testing.T) {
	t.Parallel()
	want := []vegeta.Result{
		{Attack: "a", Seq: 1, Code: 200, Timestamp: time.Unix(1_790_000_000, 5).UTC(), Latency: time.Millisecond},
		{Attack: "a", Seq: 2, Code: 0, Timestamp: time.Unix(1_790_000_001, 0).UTC(), Error: "dial tcp: bind: cannot assign requested address"},
	}
	for name, encoder := range map[string]func(io.Writer) vegeta.Encoder{"gob": vegeta.NewEncoder, "csv": vegeta.NewCSVEncoder, "json": vegeta.NewJSONEncoder} {
		var file bytes.Buffer
		encode := encoder(&file)
		for _, r := range want {
			if err := encode(&r); err != nil {
				t.Fatal(err)
			}
		}
		var got []record.Sample
		for s, err := range probe.NewResults(&file).All() {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, s)
		}
		if len(got) != 2 || got[0].Failed() || !got[0].Sent.Equal(want[0].Timestamp) || !got[1].Void || got[0].Void {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A failure of the generator itself, here a lack of local addresses, is no sample.
func TestOurOwnFailureIsVoid(t *testing.T) {
	t.Parallel()
	visits := walk(t, journey(), shop(t, nil).URL, 10, 100*time.Millisecond)
	if len(visits) == 0 || visits[0].Sample.Void {
		t.Fatalf("%+v", visits)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var d net.Dialer
	_, err := d.DialContext(ctx, "tcp", "127.0.0.1:1")
	if !probe.Ours(err) {
		t.Errorf("a cancelled dial counts against the system: %v", err)
	}
	// As net returns them.
	for text, want := range map[string]bool{
		"dial udp 127.0.0.53:53: socket: too many open files":               true,
		"dial udp 127.0.0.53:53: connect: cannot assign requested address":  true,
		"read udp 127.0.0.1:41234->127.0.0.53:53: read: connection refused": false,
		"no such host": false,
	} {
		if err := (&net.OpError{Op: "dial", Err: &net.DNSError{Err: text}}); probe.Ours(err) != want {
			t.Errorf("%v: found %v, expected %v", err, !want, want)
		}
	}
}

// The generator's own failure is known by its error, and in a file by its words on every
// system; what the system under test does is not.
func TestOurOwnFailureInWords(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.ENOBUFS} {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("bind", errno)}
		if !probe.Ours(err) || !probe.OursInWords("Get \"http://x\": "+err.Error()) {
			t.Errorf("%v counts against the system", err)
		}
	}
	for text, want := range map[string]bool{
		"dial tcp 0.0.0.0:0->10.0.0.1:80: bind: address already in use":                                                                  true,
		"dial tcp: connect: can't assign requested address":                                                                              true,
		"dial tcp 10.0.0.1:80: connectex: Only one usage of each socket address (protocol/network address/port) is normally permitted.":  true,
		"An operation on a socket could not be performed because the system lacked sufficient buffer space or because a queue was full.": true,
		"dial tcp 10.0.0.1:80: connect: connection refused":                                                                              false,
		"read tcp 10.0.0.2:41234->10.0.0.1:80: read: connection reset by peer":                                                           false,
		"dial tcp 10.0.0.1:80: i/o timeout":                                                                                              false,
		"503 Service Unavailable":                                                                                                        false,
		"dial tcp: lookup shop.example: no such host":                                                                                    false,
		"connectex: No connection could be made because the target machine actively refused it.":                                         false,
	} {
		if probe.OursInWords(text) != want {
			t.Errorf("%q: found %v, expected %v", text, !want, want)
		}
	}
}

// Every acknowledged write is looked up twice. If the lookups disagree, the write is
// neither lost nor present.
func TestConfirm(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := strings.TrimPrefix(r.URL.Path, "/orders/")
		mu.Lock()
		asked[id]++
		n := asked[id]
		mu.Unlock()
		switch {
		case id == "lost", id == "late" && n == 1:
			w.WriteHeader(http.StatusNotFound)
		case id == "broken":
			w.WriteHeader(http.StatusServiceUnavailable)
		case id == "forbidden":
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	acks := []record.Ack{{ID: "there"}, {ID: "lost"}, {ID: "late"}, {ID: "broken"}, {ID: "forbidden"}}
	if err := (probe.Load{Journey: journey(), Way: probe.Way{Entry: server.URL}}).Confirm(t.Context(), record.AckedOf(acks), nil); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, a := range acks {
		found = append(found, a.Presence)
		if asked[a.ID] != 2 {
			t.Errorf("%s was looked up %d times", a.ID, asked[a.ID])
		}
	}
	want := []string{probe.Present, probe.Absent, probe.Unconfirmed, probe.Unconfirmed, probe.Unconfirmed}
	if !slices.Equal(found, want) {
		t.Errorf("%v, expected %v", found, want)
	}
}

// An ID is looked up as it is, whatever characters it has: in the path, in the query, and
// in a body.
func TestIDsOfLookups(t *testing.T) {
	t.Parallel()
	ids := []string{"plain-1_2.3~", "a/b", "../../admin", "a b", "100%", "a?b=c&d", "a#b", "ü", "a+b", `q"uote`, "9007199254740993"}
	var mu sync.Mutex
	var paths, queries, bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		escaped, _ := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/orders/"))
		mu.Lock()
		defer mu.Unlock()
		paths, queries, bodies = append(paths, escaped), append(queries, r.URL.Query().Get("id")), append(bodies, string(body))
	}))
	defer server.Close()
	j := probe.Journey{Name: "j", Confirm: &probe.Step{Post: "/orders/{{.id}}?id={{.id}}", Body: "{{.id}}"}}
	var acks []record.Ack
	for _, id := range ids {
		acks = append(acks, record.Ack{ID: id})
	}
	if err := (probe.Load{Journey: j, Way: probe.Way{Entry: server.URL}}).Confirm(t.Context(), record.AckedOf(acks), nil); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat(ids, ids) // each is looked up twice
	slices.Sort(want)
	for where, got := range map[string][]string{"path": paths, "query": queries, "body": bodies} {
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("in the %s: %q, expected %q", where, got, want)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for text, per := range map[string]float64{"50/s": 50, "600/m": 10, "3600/h": 1} {
		var r probe.Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r.PerSecond() != per || r.String() != text {
			t.Errorf("%s: %v %v", text, r, err)
		}
	}
	for _, text := range []string{"", "50", "0/s", "-1/s", "50/d", "s", "5.5/s"} {
		var r probe.Rate
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is a rate: %v", text, r)
		}
	}
}
