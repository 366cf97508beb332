package probe_test

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func perSecond(users int) probe.Rate { return probe.Rate{Users: users, Per: time.Second} }

// scheduled sends users for a time, with a fault after another one.
func scheduled(t *testing.T, l probe.Load, fault, lasts time.Duration, send func(n uint64)) (due []time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		struck := make(chan struct{})
		l.Struck = struck
		time.AfterFunc(fault, func() { close(struck) })
		due = l.Schedule(ctx.Done(), send)
		<-time.After(max(fault, lasts)) // nothing of the bubble goes on
	})
	return due
}

func between(due []time.Duration, from, to time.Duration) (n int) {
	for _, at := range due {
		if at >= from && at < to {
			n++
		}
	}
	return n
}

func TestArrivals(t *testing.T) {
	t.Parallel()
	const s = time.Second
	nothing := func(uint64) {}
	for name, c := range map[string]struct {
		load probe.Load
		want []int // users of each second from the first one
	}{
		"constant":   {probe.Load{Rate: perSecond(50)}, []int{50, 50, 50, 50, 50, 50, 50, 50, 50, 50}},
		"a step":     {probe.Load{Rate: perSecond(50), Stages: []probe.Stage{{To: perSecond(200)}}}, []int{50, 50, 50, 50, 200, 200, 200, 200, 200, 200}},
		"a ramp":     {probe.Load{Rate: perSecond(50), Stages: []probe.Stage{{To: perSecond(100), Over: 5 * s}}}, []int{50, 50, 50, 50, 55, 65, 75, 85, 95, 100}},
		"down again": {probe.Load{Rate: perSecond(50), Stages: []probe.Stage{{Hold: s}, {To: perSecond(100), Hold: s}, {To: perSecond(20)}}}, []int{50, 50, 50, 50, 50, 100, 20, 20, 20, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			due := scheduled(t, c.load, 4*s, 10*s, nothing)
			if !slices.IsSorted(due) {
				t.Error("users are not sent in order")
			}
			for i, want := range c.want {
				if n := between(due, time.Duration(i)*s, time.Duration(i+1)*s); n < want-1 || n > want+1 {
					t.Errorf("%d users in second %d, expected %d", n, i, want)
				}
			}
		})
	}
}

// Between independent users, gaps are exponential: their mean is that of the rate, and so is
// their deviation; and the same seed gives the same users.
func TestPoissonArrivals(t *testing.T) {
	t.Parallel()
	l := probe.Load{Rate: perSecond(100), Arrivals: probe.Poisson, Seed: 7}
	due := scheduled(t, l, time.Hour, 200*time.Second, func(uint64) {})
	if again := scheduled(t, l, time.Hour, 200*time.Second, func(uint64) {}); !slices.Equal(due, again) {
		t.Error("the same seed gives other users")
	}
	l.Seed = 8
	if other := scheduled(t, l, time.Hour, 200*time.Second, func(uint64) {}); slices.Equal(due, other) {
		t.Error("another seed gives the same users")
	}
	mean, square, short := 0.0, 0.0, 0
	for i := range due[1:] {
		gap := (due[i+1] - due[i]).Seconds()
		mean, square = mean+gap, square+gap*gap
		if gap < 0.001 {
			short++
		}
	}
	n := float64(len(due) - 1)
	mean /= n
	deviation := math.Sqrt(square/n - mean*mean)
	if math.Abs(n-20_000) > 5*math.Sqrt(20_000) || math.Abs(deviation/mean-1) > 0.03 || math.Abs(float64(short)/n-0.0952) > 0.01 {
		t.Errorf("%v users, the gaps between them %v ± %v, %d of less than 1ms", n, mean, deviation, short)
	}
}

// A generator that stands still sends who is due at once, and the schedule stays as it is.
func TestAScheduleDoesNotMove(t *testing.T) {
	t.Parallel()
	var late []time.Duration
	var due []time.Duration
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		var sent []time.Duration
		due = probe.Load{Rate: perSecond(10)}.Schedule(ctx.Done(), func(n uint64) {
			sent = append(sent, time.Since(began))
			if n == 20 {
				<-time.After(3 * time.Second)
			}
		})
		for i := range due {
			late = append(late, sent[i]-due[i])
		}
	})
	if n := len(due); n < 99 || n > 101 {
		t.Errorf("%d users", n)
	}
	for i, l := range late {
		switch {
		case i <= 20 && l != 0, i > 55 && l != 0, l < 0:
			t.Errorf("user %d is %v late", i, l)
		case i == 21 && (l < 2500*time.Millisecond || l > 3*time.Second):
			t.Errorf("the first one after the pause is %v late", l)
		}
	}
}

// The stages of a load begin when the fault is ordered, also where a worker sends it; how
// late users were is in the record.
func TestStagesBeginWithTheFault(t *testing.T) {
	t.Parallel()
	server := shop(t, nil)
	for name, remote := range map[string]bool{"here": false, "from a worker": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			struck := make(chan struct{})
			l := probe.Load{
				Journey: journey(), Way: probe.Way{Entry: server.URL}, Rate: perSecond(20), Seed: 1, Struck: struck,
				Stages: []probe.Stage{{To: perSecond(200)}},
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			var fault atomic.Pointer[time.Time]
			time.AfterFunc(time.Second, func() { fault.Store(new(time.Now())); close(struck) })
			before, after, measured := 0, 0, false
			on := func(v probe.Visit) {
				if at := fault.Load(); at == nil || v.Sample.Sent.Before(*at) {
					before++
				} else {
					after++
				}
				measured = measured || v.Sample.Late > 0
				if v.Sample.Late < 0 || v.Sample.Late > time.Second {
					t.Errorf("user %d is %v late", v.Sample.Seq, v.Sample.Late)
				}
			}
			run := l.Run
			if remote {
				run = probe.Remote{Load: l, Start: worker}.Run
			}
			if err := run(ctx, on); err != nil {
				t.Fatal(err)
			}
			if before < 15 || before > 25 || after < 150 || after > 215 || !measured {
				t.Errorf("%d users before the fault, %d after it; measured: %v", before, after, measured)
			}
		})
	}
}

// Attempts before the last one are counted, and are steps of their own; what is asked again
// by a poll is none.
func TestRetriesAreCounted(t *testing.T) {
	t.Parallel()
	var asked sync.Map // by user
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := asked.LoadOrStore(r.URL.Path, new(atomic.Int64))
		if n.(*atomic.Int64).Add(1)%3 != 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	step := probe.Step{Name: "pay", Post: "/pay/{{.seq}}", Body: "four", Retry: &probe.Retry{Attempts: 3}}
	v := one(t, server.URL, step)
	var steps []string
	for _, s := range v.Steps {
		steps = append(steps, s.Journey+" "+s.Error)
	}
	want := []string{"j/pay (attempt 1) status 503", "j/pay (attempt 2) status 503", "j/pay "}
	if !slices.Equal(steps, want) || v.Sample.Retries != 2 || v.Sample.Error != "" || v.Sample.BytesOut != 12 {
		t.Errorf("%q, %+v", steps, v.Sample)
	}
	poll := probe.Step{Name: "paid", Get: "/paid/{{.seq}}", Expect: probe.Expect{Status: probe.Codes(200, 503)}, Poll: &probe.Poll{Every: time.Millisecond, Within: time.Second, Until: probe.Expect{Status: probe.Codes(200)}}}
	if v := one(t, server.URL, poll); len(v.Steps) != 1 || v.Sample.Retries != 0 || v.Sample.Error != "" {
		t.Errorf("%+v", v)
	}
}

func TestPartsOfARate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rate       probe.Rate
		weight, of int
		want       string
	}{
		{perSecond(50), 3, 10, "15/s"},
		{perSecond(50), 1, 3, "1000/m"},
		{perSecond(1), 1, 7, "514/h"},
		{perSecond(1_000_000), 999, 1000, "999000/s"},
		{probe.Rate{Users: 90, Per: time.Minute}, 1, 4, "1350/h"},
		{probe.Rate{Users: 1, Per: time.Hour}, 1, 1000, "1/h"},
	} {
		if got := c.rate.Part(c.weight, c.of).String(); got != c.want {
			t.Errorf("%d of %d of %s: found %s, expected %s", c.weight, c.of, c.rate, got, c.want)
		}
	}
}
