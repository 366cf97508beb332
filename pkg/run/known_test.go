package run_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// sentLayout is how users say when they were sent.
const sentLayout = "20060102150405.000000000"

// knownOutage is an outage of a server in the test.
type knownOutage struct {
	kind     string // total, partial, slow, held; or none
	from, to time.Time
}

// serve answers a user, as the outage lets it.
func (o *knownOutage) serve(w http.ResponseWriter, r *http.Request) {
	seq, err := strconv.ParseUint(r.URL.Path[1:], 10, 64)
	sent, timeErr := time.Parse(sentLayout, r.URL.Query().Get("at"))
	if err = errors.Join(err, timeErr); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	// The outage is one of users: when they came decides, whatever the way took.
	if sent.Before(o.from) || !sent.Before(o.to) {
		return
	}
	switch o.kind {
	case "total":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "partial":
		if rand.New(rand.NewPCG(seq, 1)).Float64() < 0.4 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	case "slow":
		<-time.After(verdict.DefaultWithin + 300*time.Millisecond)
	case "held":
		<-time.After(time.Until(o.to))
	}
}

// length is how long the outage was for users, at least and at most. One who came at the end
// of it, and was held for no longer than the objective allows, was served in time; how long
// the answer took on its way is not known.
func (o *knownOutage) length() (least, most time.Duration) {
	whole := o.to.Sub(o.from)
	if o.kind == "held" {
		return whole - verdict.DefaultWithin, whole
	}
	return whole, whole
}

// measured runs users with a control load against a server with the outage, and judges them
// as a run is judged: without those that are void.
func measured(t *testing.T, kind string, length time.Duration) (v verdict.Verdict, o *knownOutage) {
	t.Helper()
	began := time.Now()
	fault := began.Add(1200 * time.Millisecond)
	from := fault.Add(rand.N(300 * time.Millisecond))
	o = &knownOutage{kind, from, from.Add(length)}
	server := httptest.NewServer(http.HandlerFunc(o.serve))
	defer server.Close()
	objective := verdict.Objective{RTO: 20 * time.Second, Hold: time.Second}.WithDefaults()
	if kind == "none" {
		objective.RTO = time.Second
	}
	revert := o.to.Add(objective.Hold + 700*time.Millisecond)
	l := probe.Load{
		Journey: probe.Journey{Name: "checkout", Timeout: 20 * time.Second, Steps: []probe.Step{{Name: "ask", Get: `/{{.seq}}?at={{now "` + sentLayout + `"}}`}}},
		Way:     probe.Way{Entry: server.URL}, Rate: probe.Rate{Users: 100, Per: time.Second}, Seed: rand.Uint64(),
		Control: &probe.Control{Rate: probe.ControlRate()},
	}
	i := run.NewInstrument(began)
	var users []verdict.Sample
	ctx, cancel := context.WithDeadline(t.Context(), revert.Add(100*time.Millisecond))
	defer cancel()
	if err := l.Run(ctx, func(v probe.Visit) {
		if !i.Take(v.Sample) {
			users = append(users, run.Judged(v.Sample, began))
		}
	}); err != nil {
		t.Error(err)
	}
	c := verdict.Case{
		Objective: objective, Rate: 100, Marks: verdict.Marks{Fault: fault.Sub(began), Reverted: true, Revert: revert.Sub(began)},
		Samples: i.NotVoid("checkout", users, objective.Within),
	}
	return verdict.Judge(c), o
}

// The bounds of known outages contain the truth, whatever their kind and length.
func TestKnownOutagesAreWithinTheBounds(t *testing.T) {
	t.Parallel()
	kinds := []string{"total", "partial", "slow", "held"}
	n := enginetest.Rounds(4, 200)
	var next, undecided atomic.Int64
	right := together(n, 8, func() bool {
		k := int(next.Add(1))
		length := time.Duration(0.3 * math.Pow(8/0.3, rand.Float64()) * float64(time.Second))
		if n < 10 {
			length = min(length, 2*time.Second)
		}
		kind := kinds[k%len(kinds)]
		if kind == "held" {
			length = max(length, 1500*time.Millisecond)
		}
		v, o := measured(t, kind, length)
		least, most := o.length()
		what := fmt.Sprintf("%s for %v: %s %s %s, %v to %v", kind, least, v.Outcome, v.Reason, v.State, v.RecoveryLo, v.RecoveryHi)
		if v.RecoveryLo == nil || v.RecoveryHi == nil {
			undecided.Add(1) // the machine was busy, so that users are void: no bounds are claimed
			t.Log(what)
			return true
		}
		ok := v.RecoveryLo.Duration() <= most && least <= v.RecoveryHi.Duration()
		if !ok {
			t.Log("WRONG: " + what)
		}
		return ok
	})
	t.Logf("the bounds of %d of %d do not exclude the truth; %d of them have none", right, n, undecided.Load())
	if wrong := n - right; wrong > n/100 {
		t.Errorf("the bounds of %d of %d do not contain the truth", wrong, n)
	}
}

// Where there is no outage, none is measured.
func TestNoOutageIsNone(t *testing.T) {
	t.Parallel()
	n := enginetest.Rounds(2, 200)
	quiet := together(n, 8, func() bool {
		v, _ := measured(t, "none", 300*time.Millisecond)
		alarm := v.Severity != nil && *v.Severity > 0 && v.Reason != verdict.LoadStalled || v.Outcome == verdict.Proven || v.Outcome == verdict.Degraded
		if alarm || v.Outcome != verdict.Disproved {
			t.Logf("%s %s %s, %d of %d bad", v.Outcome, v.Reason, v.State, v.Bad, v.Samples)
		}
		return !alarm
	})
	if quiet < n {
		t.Errorf("%d false alarms in %d", n-quiet, n)
	}
}

// A rate of one and a half times what the machine keeps is refused.
func TestARateBeyondTheMachineIsRefused(t *testing.T) {
	t.Parallel()
	enginetest.Long(t, "test:long") // it takes all processors for a minute
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	// overloaded sends users at a rate, and reports how many were served each second, and
	// whether the rate is refused.
	overloaded := func(rate int) (kept float64, refused string) {
		l := probe.Load{
			Journey: probe.Journey{Name: "checkout", Steps: []probe.Step{{Get: "/"}}}, Way: probe.Way{Entry: server.URL},
			Rate: probe.Rate{Users: rate, Per: time.Second}, Control: &probe.Control{Rate: probe.ControlRate()},
		}
		began := time.Now()
		early := run.NewEarly(began, l)
		served := 0
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := l.Run(ctx, func(v probe.Visit) {
			if early.Add(v.Sample); v.Sample.Journey == "checkout" && ctx.Err() == nil && !v.Sample.Failed() {
				served++
			}
		}); err != nil {
			t.Error(err)
		}
		return float64(served) / 3, early.Refused(began)
	}
	kept := 0.0
	for range 3 {
		now, _ := overloaded(20_000)
		kept = max(kept, now)
	}
	t.Logf("this machine keeps %.0f/s", kept)
	const n = 20
	beyond := 0
	for round := 0; beyond < n && round < 2*n; round++ {
		rate := kept * 3 / 2
		got, why := overloaded(int(rate))
		t.Logf("%.0f/s of %.0f/s: %s", got, rate, why)
		if got > rate*9/10 {
			continue // the machine had more room than before, and did keep it
		}
		if beyond++; why == "" {
			t.Errorf("%.0f of %.0f users/s were served, and the rate is not refused", got, rate)
		}
	}
	if beyond == 0 {
		t.Error("no rate was beyond the machine")
	}
}
