package run_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// behind are users whom a generator sends late.
type behind struct {
	*world

	late func(since time.Duration) time.Duration
}

func (w behind) Run(ctx context.Context, on func(probe.Visit)) error {
	began := time.Now()
	return w.world.Run(ctx, func(v probe.Visit) {
		v.Sample.Late = w.late(time.Since(began))
		on(v)
	})
}

// A generator that cannot keep the rate is noticed before anything is broken, with the rate
// that it did keep; one that stumbles is given time.
func TestARateThatIsNotKept(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		late  func(time.Duration) time.Duration
		kills int64
	}{
		"kept":                  {func(time.Duration) time.Duration { return 3 * time.Millisecond }, 1},
		"late at its beginning": {func(at time.Duration) time.Duration { return max(2*s-at, 0) }, 1},
		"one user of a thousand": {func(at time.Duration) time.Duration {
			return map[bool]time.Duration{true: s}[at > 5*s && at <= 5*s+20*time.Millisecond]
		}, 1},
		"later and later": {func(at time.Duration) time.Duration { return at / 10 }, 0},
		"late now and then": {func(at time.Duration) time.Duration {
			return map[bool]time.Duration{true: 300 * time.Millisecond}[at%(4*s) < s/2]
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlace(t)
				day := p.day(t, "staging")
				day.Walks = func(int, uint64) run.Walk { return behind{p.world, c.late} }
				dir, err := day.Run(t.Context())
				if err != nil || p.Kills.Load() != c.kills {
					t.Fatalf("%v, %d kills", err, p.Kills.Load())
				}
				f, v := judged(t, dir)
				if c.kills > 0 {
					if f.Meta.NotKept != "" || v.Reason == verdict.RateNotKept {
						t.Errorf("%q %s", f.Meta.NotKept, v.Reason)
					}
					return
				}
				if v.Outcome != verdict.Inconclusive || v.Reason != verdict.RateNotKept || !strings.Contains(f.Meta.NotKept, "cannot keep the rate of journey checkout: it sent 50.0 users/s instead of 50.0") {
					t.Errorf("%s %s %q", v.Outcome, v.Reason, f.Meta.NotKept)
				}
				if p.said.index("no fault is injected: use a lower rate") < 0 {
					t.Errorf("%q", p.said.lines)
				}
			})
		})
	}
}

// A load that ends before the run is an event, and its silence is in the verdict.
func TestALoadThatEndsEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		day := p.day(t, "staging")
		day.Walks = func(int, uint64) run.Walk { return brief{p.world} }
		dir, err := day.Run(t.Context())
		f, openErr := run.Open(dir)
		if !errors.Is(err, run.ErrNotPutBack) || !strings.Contains(err.Error(), "the load ended before the run") || openErr != nil {
			t.Fatal(err, openErr)
		}
		v, _, err := f.Judge(nil)
		if err != nil || v.Outcome != verdict.Inconclusive || p.said.index("the load of a journey ended before the run") < 0 {
			t.Errorf("%s %s %v %q", v.Outcome, v.Reason, err, p.said.lines)
		}
	})
}

// brief are users who are no more after 15 seconds, as their file has no more rows.
type brief struct{ *world }

func (w brief) Run(ctx context.Context, on func(probe.Visit)) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	return w.world.Run(ctx, on)
}

// A whole run with real users: the rate changes when the fault is ordered, and the record
// has how late users were and who needed a retry.
func TestARateThatChangesWithTheFault(t *testing.T) {
	t.Parallel()
	first := map[string]bool{}
	requests := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- struct{}{}
		defer func() { <-requests }()
		if !first[r.URL.Path] && strings.HasSuffix(r.URL.Path, "7") {
			first[r.URL.Path] = true
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	p := newPlace(t)
	day := p.day(t, "staging")
	day.Walks, day.Environment.Entry = nil, server.URL
	day.Journeys = []probe.Journey{{Name: "checkout", Steps: []probe.Step{{Name: "buy", Get: "/{{.seq}}", Retry: &probe.Retry{Attempts: 2}}}}}
	s := &day.Scenario
	s.Load[0].Rate, s.Load[0].Stages = probe.Rate{Users: 20, Per: time.Second}, []probe.Stage{{To: probe.Rate{Users: 200, Per: time.Second}}}
	s.Objective.RTO, s.Objective.Hold = time.Second, 500*time.Millisecond
	s.Timing.Baseline, s.Timing.Watch, s.Calibrate = time.Second, 2*time.Second, scenario.Off
	dir, err := day.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	late, retried := 0, 0
	v, cases, err := f.Judge(func(s record.Sample) {
		if s.Late > 0 {
			late++
		}
		retried += s.Retries
	})
	if err != nil || v.Outcome != verdict.Disproved || v.State != verdict.Unaffected {
		t.Errorf("%s %s %s %v", v.Outcome, v.State, v.Reason, err)
	}
	c := cases[0]
	before, after := 0, 0
	for _, s := range c.Samples {
		switch at := s.Sent - c.Marks.Fault; {
		case at < 0:
			before++
		case at < 2*time.Second:
			after++
		}
	}
	if before < 15 || before > 40 || after < 340 || after > 420 || late < len(c.Samples)/2 || retried < 20 {
		t.Errorf("%d users before the fault, %d after it, %d were late, %d retries", before, after, late, retried)
	}
	attempts := 0
	for s, err := range record.Samples(dir, record.StepsFile) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Journey == "checkout/buy (attempt 1)" && s.Code == http.StatusServiceUnavailable {
			attempts++
		}
	}
	if attempts < retried {
		t.Errorf("%d failed attempts are in the record, expected %d or more", attempts, retried)
	}
}

// What is to be known about the connections of users is an event, and in run.json.
func TestConnectionsAreStated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		day := p.day(t, "staging")
		day.Environment.Connect = &probe.Connect{Insecure: true, Proxy: "http://bob:hunter2@proxy"}
		dir, err := day.Run(t.Context())
		f, openErr := run.Open(dir)
		if err != nil || openErr != nil {
			t.Fatal(err, openErr)
		}
		want := "certificates are not verified (insecure: true)"
		if len(f.Meta.Connection) != 2 || f.Meta.Connection[0] != want || p.said.index("connection of users: "+want) < 0 || p.said.index("hunter2") >= 0 {
			t.Errorf("%q, %q", f.Meta.Connection, p.said.lines)
		}
	})
}

func TestAMeterCountsRetries(t *testing.T) {
	t.Parallel()
	m := run.NewMeter(verdict.Objective{}.WithDefaults())
	m.Add(record.Sample{Code: 200, Retries: 2})
	m.Add(record.Sample{Code: 200})
	n, users := 0, 0
	for _, s := range m.Last(5) {
		n, users = n+s.Retried, users+s.Users
	}
	if n != 1 || users != 2 {
		t.Errorf("%d of %d users were retried, expected 1 of 2", n, users)
	}
}
