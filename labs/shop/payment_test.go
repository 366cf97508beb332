package shop

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// provider is a payment provider that answers with a status, and counts.
func provider(t *testing.T, status int) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/charges" || r.Header.Get("Idempotency-Key") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		asked.Add(1)
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), asked
}

// Where one way to the provider fails the other is taken, and the first is left alone
// for a while.
func TestChargesTakeTheWayThatWorks(t *testing.T) {
	t.Parallel()
	bad, badly := provider(t, http.StatusBadGateway)
	good, well := provider(t, http.StatusCreated)
	p := newPayments(bad + "," + good)
	for range 3 {
		if err := p.charge(t.Context(), "order"); err != nil {
			t.Fatal(err)
		}
	}
	if badly.Load() != 1 || well.Load() != 3 {
		t.Errorf("the bad way was asked %d times, the good one %d times", badly.Load(), well.Load())
	}
}

func TestChargesWithoutAWay(t *testing.T) {
	t.Parallel()
	bad, badly := provider(t, http.StatusServiceUnavailable)
	p := newPayments(bad + "," + nowhere(t))
	for range 2 {
		if err := p.charge(t.Context(), "order"); err == nil || !strings.Contains(err.Error(), "503") || !strings.Contains(err.Error(), "refused") {
			t.Errorf("found %v, expected what each way has said", err)
		}
	}
	if badly.Load() != 2 { // those that have failed are tried all the same, if there is no other
		t.Errorf("asked %d times", badly.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.charge(ctx, "order"); err == nil {
		t.Error("a charge that nobody waits for was made")
	}
}

func TestNothingIsChargedWithoutAProvider(t *testing.T) {
	t.Parallel()
	if p := newPayments(""); p != nil || p.charge(t.Context(), "order") != nil {
		t.Errorf("%+v", p)
	}
}

// A way that has failed comes last, until it was left alone for long enough.
func TestAWayIsTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPayments("a,b,c")
		ways := func(want ...string) {
			t.Helper()
			if diff := cmp.Diff(want, p.ways()); diff != "" {
				t.Error(diff)
			}
		}
		ways("a", "b", "c")
		p.failed["a"] = time.Now()
		ways("b", "c", "a")
		<-time.After(payAvoid / 2)
		p.failed["c"] = time.Now()
		ways("b", "a", "c")
		<-time.After(payAvoid / 2)
		ways("a", "b", "c")
	})
}

func TestTheProvidersStub(t *testing.T) {
	t.Parallel()
	address := nowhere(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ServeProvider(ctx, address) }()
	p := newPayments(address)
	deadline := time.After(10 * time.Second)
	for err := p.charge(t.Context(), "order"); err != nil; err = p.charge(t.Context(), "order") {
		select {
		case <-deadline:
			t.Fatalf("it takes no charge: %v", err)
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		default:
		}
	}
	if err := p.ask(t.Context(), address, strings.Repeat("x", 1<<17)); err == nil {
		t.Error("it takes a charge of any size")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := ServeProvider(t.Context(), "nowhere"); err == nil || !strings.Contains(err.Error(), "listen") {
		t.Errorf("found %v", err)
	}
}

// An answer under way when the shop is told to end is given.
func TestWhoIsBeingServedIsServed(t *testing.T) {
	t.Parallel()
	address := nowhere(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	asked, answers := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(asked)
			<-answers
		}
		w.WriteHeader(http.StatusTeapot)
	})
	go func() { ended <- serve(ctx, address, handler) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	get := func(path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			return 0
		}
		answer, err := client.Do(r)
		if err != nil {
			return 0
		}
		_ = answer.Body.Close()
		return answer.StatusCode
	}
	for get("/") != http.StatusTeapot {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		default:
		}
	}
	status := make(chan int, 1)
	go func() { status <- get("/slow") }()
	<-asked
	cancel()
	for get("/") != 0 { // until it takes nobody any more
		if t.Context().Err() != nil {
			t.Fatal("it goes on")
		}
	}
	select {
	case err := <-ended:
		t.Error("it ended while somebody was being served")
		ended <- err
	default:
	}
	close(answers)
	if got := <-status; got != http.StatusTeapot {
		t.Errorf("answered %d", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestWhereSessionsAreKept(t *testing.T) {
	t.Parallel()
	s, err := newSessions("")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := s.has(t.Context(), "token"); !ok || err != nil {
		t.Errorf("a signed token is enough: %v %v", ok, err)
	}
	if s, err := newSessions("nowhere://x"); err == nil {
		t.Errorf("found %T", s)
	}
}
