package run

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// A check that fails stops the run once it has failed for so long, and a query that
// nobody can answer does too: whoever cannot see whether to stop stops.
func TestStopConditionsAskOutside(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	status.Store(http.StatusOK)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	t.Cleanup(server.Close)
	o := newOutside(scenario.AbortRule{HTTPFails: &gate.HTTP{GET: server.URL}, For: 5 * time.Second})
	holds := func(after time.Duration) bool { _, ok := o.holds(time.Now().Add(after)); return ok }
	if o.ask(t.Context()); holds(time.Hour) {
		t.Error("it holds while the check is well")
	}
	status.Store(http.StatusInternalServerError)
	if o.ask(t.Context()); holds(4*time.Second) || !holds(5*time.Second) {
		t.Error("it does not hold after the time that it must have failed for, or before")
	}
	if why, _ := o.holds(time.Now()); !strings.Contains(why, "answered 500") {
		t.Errorf("it says %q", why)
	}
	status.Store(http.StatusOK)
	if o.ask(t.Context()); holds(time.Hour) {
		t.Error("it holds after the check was well again")
	}

	// No Prometheus answers like this.
	blind := newOutside(scenario.AbortRule{Prometheus: &gate.Prometheus{URL: server.URL, Query: "up"}})
	blind.ask(t.Context())
	if why, ok := blind.holds(time.Now()); ok || !strings.Contains(why, "could not be evaluated") {
		t.Errorf("%v, %q", ok, why)
	}
	if _, ok := blind.holds(time.Now().Add(blindFor)); !ok {
		t.Error("a run goes on although nobody can see whether to stop it")
	}
	if _, ok := newOutside(scenario.AbortRule{Failed: 3}).holds(time.Now()); !ok {
		t.Error("what asks nobody stands in the way of what counts users")
	}
}
