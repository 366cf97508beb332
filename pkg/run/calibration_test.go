package run_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// calibrationLasts is how long a load lasts that is calibrated in its midst.
const calibrationLasts = 3500 * time.Millisecond

// calibrate runs a load with its control load and its calibration, with defects; broken
// changes what the load tells.
func calibrate(t *testing.T, faulty probe.Faulty, broken func(on func(probe.Visit)) func(probe.Visit)) run.Calibrated {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	begin := make(chan struct{}, 1)
	begin <- struct{}{}
	l := probe.Load{
		Journey: probe.Journey{Name: "checkout", Steps: []probe.Step{{Get: "/"}}}, Way: probe.Way{Entry: server.URL},
		Rate: probe.Rate{Users: 20, Per: time.Second}, Control: &probe.Control{Rate: probe.ControlRate(), Faulty: faulty}, Calibrate: begin,
	}
	clock := record.NewClock()
	began := clock.Now()
	i := run.NewInstrument(began)
	on := func(v probe.Visit) {
		if v.Truth != nil {
			v.Truth.Move(clock.Steady)
			i.Learn(*v.Truth)
			return
		}
		v.Sample.Sent = clock.Steady(v.Sample.Sent)
		i.Take(v.Sample)
	}
	if broken != nil {
		on = broken(on)
	}
	ctx, cancel := context.WithTimeout(t.Context(), calibrationLasts)
	defer cancel()
	if err := l.Run(ctx, on); err != nil {
		t.Error(err)
	}
	known := i.Known()
	if len(known) == 0 {
		return run.Calibrated{Wrong: "it did not end"}
	}
	return i.Judge(known[0], verdict.Objective{}.WithDefaults(), clock.Now())
}

// changing changes each sample of the calibration and of the control load.
func changing(change func(s *record.Sample)) func(on func(probe.Visit)) func(probe.Visit) {
	return func(on func(probe.Visit)) func(probe.Visit) {
		return func(v probe.Visit) {
			if v.Truth == nil {
				change(&v.Sample)
			}
			on(v)
		}
	}
}

// defects are deliberate defects of the load generator.
func defects() map[string]struct {
	faulty probe.Faulty
	broken func(on func(probe.Visit)) func(probe.Visit)
} {
	type defect = struct {
		faulty probe.Faulty
		broken func(on func(probe.Visit)) func(probe.Visit)
	}
	return map[string]defect{
		"a keep-alive hides a dead address":  {faulty: probe.Faulty{Dials: true}},
		"half of the rate":                   {faulty: probe.Faulty{Slow: 2}},
		"a failure is kept for 100ms longer": {faulty: probe.Faulty{Opens: 100 * time.Millisecond}},
		"the clock is stepped": {broken: func(on func(probe.Visit)) func(probe.Visit) {
			began := time.Now()
			return changing(func(s *record.Sample) {
				if time.Since(began) > time.Second {
					s.Sent = s.Sent.Add(300 * time.Millisecond)
				}
			})(on)
		}},
		"5% of the samples are lost": {broken: func(on func(probe.Visit)) func(probe.Visit) {
			return func(v probe.Visit) {
				if v.Truth != nil || v.Sample.Seq%20 != 7 {
					on(v)
				}
			}
		}},
		"results are exchanged": {broken: func(on func(probe.Visit)) func(probe.Visit) {
			var before *probe.Visit
			return func(v probe.Visit) {
				if v.Truth == nil && before != nil && before.Sample.Journey == v.Sample.Journey {
					a, b := &before.Sample, &v.Sample
					a.Error, b.Error, a.Code, b.Code, a.Latency, b.Latency = b.Error, a.Error, b.Code, a.Code, b.Latency, a.Latency
				}
				if before != nil {
					on(*before)
				}
				if before = &v; v.Truth != nil {
					on(v)
					before = nil
				}
			}
		}},
		"results come twice": {broken: func(on func(probe.Visit)) func(probe.Visit) {
			return func(v probe.Visit) {
				on(v)
				if v.Truth == nil && v.Sample.Seq%50 == 7 {
					on(v)
				}
			}
		}},
		"a failure counts as served now and then": {broken: changing(func(s *record.Sample) {
			if s.Error != "" && s.Seq%10 == 3 {
				s.Error, s.Code = "", 200
			}
		})},
		"a success counts as failed now and then": {broken: changing(func(s *record.Sample) {
			if s.Error == "" && s.Seq%50 == 3 {
				s.Error = "order: status 500"
			}
		})},
		"latencies are too short":                    {broken: changing(func(s *record.Sample) { s.Latency /= 10 })},
		"a user counts as sent when it was answered": {broken: changing(func(s *record.Sample) { s.Sent = s.Sent.Add(s.Latency) })},
		"the control load is lost": {broken: func(on func(probe.Visit)) func(probe.Visit) {
			return func(v probe.Visit) {
				if v.Sample.Journey != probe.ControlJourney+"/checkout" {
					on(v)
				}
			}
		}},
	}
}

// together calls do n times, some of them at once, and returns how often it was true.
func together(n, atOnce int, do func() bool) int {
	var all sync.WaitGroup
	var yes atomic.Int64
	places := make(chan struct{}, atOnce)
	for range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if do() {
				yes.Add(1)
			}
		})
	}
	all.Wait()
	return int(yes.Load())
}

// A load generator with a defect does not measure a known second, or is seen otherwise.
func TestCalibrationFindsDefects(t *testing.T) {
	t.Parallel()
	for name, d := range defects() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := enginetest.Rounds(1, 20)
			found := together(n, 4, func() bool {
				c := calibrate(t, d.faulty, d.broken)
				t.Logf("%+v", c)
				return c.Wrong != ""
			})
			if missed := n - found; missed > n/20 {
				t.Errorf("%d of %d were not found", missed, n)
			}
		})
	}
}

// A load generator without a defect measures a known second as one, and no outage where
// there is none: in this process, and in a worker.
func TestCalibrationOfAHealthyGenerator(t *testing.T) {
	t.Parallel()
	enginetest.Alone(t)
	n := enginetest.Rounds(2, 100)
	good := together(n, 3, func() bool {
		c := calibrate(t, probe.Faulty{}, nil)
		t.Logf("%+v", c)
		return c.Wrong == "" && c.Lo <= 0 && c.Hi >= 0 && c.Hi-c.Lo < verdict.Seconds(time.Second) && c.Null > verdict.Seconds(2*time.Second)
	})
	if refused := n - good; refused > n/100 {
		t.Errorf("%d of %d healthy ones were refused", refused, n)
	}
}
