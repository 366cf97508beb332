package probe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/record"
)

// The journeys of gameday's own, beside those of users: each name is followed by a slash and
// the journey of the users. No journey of a file has such a name.
const (
	ControlJourney     = "gameday:control"
	CalibrationJourney = "gameday:calibration" // and a hyphen and a number
)

// Control is a load beside the users: the same code, in the same process, with a server of
// gameday's own at its end. If the control load is late or bad, the load generator is.
type Control struct {
	Rate Rate // such as [ControlRate]

	Faulty Faulty `json:"-"`
}

// Faulty are deliberate defects, by which tests show that a calibration finds them.
type Faulty struct {
	Dials bool          // the closed door lets kept-alive connections through
	Slow  int           // the calibration's rate is divided by it
	Opens time.Duration // how much later than it says the door opens
}

// ControlRate is the usual rate of the control load. It costs about one percent of a
// processor.
func ControlRate() Rate { return Rate{20, time.Second} }

// How a calibration goes: users at a constant rate, who are first all served; then the door
// is closed for exactly a second; then it is seen that the outage has ended.
const (
	CalibrationOutage = time.Second
	// CalibrationHold is how long users have to be served for the outage to count as ended.
	CalibrationHold = time.Second

	calibrationRate   = 100 // users per second
	calibrationSettle = 500 * time.Millisecond
	calibrationLag    = 100 * time.Millisecond // for those who are under way at the end
	// quietWithin is how long the calibration waits for the moment to close the door.
	quietWithin = 500 * time.Millisecond
)

// MostCalibrations is how often a known outage is measured in a run, at most: what disturbs
// one measurement need not disturb the next.
const MostCalibrations = 3

// controls is a running control load.
type controls struct {
	Load

	server *controlServer
	on     func(Visit)
}

// withControl sends users with the control load beside them.
func (l Load) withControl(ctx context.Context, on func(Visit)) error {
	server, err := openControlServer()
	if err != nil {
		return fmt.Errorf("journey %s: %w", l.Journey.Name, err)
	}
	defer server.close()
	ctx, end := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer end()
	var turn sync.Mutex
	c := controls{l, server, func(v Visit) {
		turn.Lock()
		defer turn.Unlock()
		on(v)
	}}
	beside.Go(func() { c.control(ctx) })
	beside.Go(func() { c.calibrations(ctx) })
	return l.walk(ctx, c.on)
}

// own is a load of gameday's own.
func (c controls) own(name, path string, rate Rate) Load {
	return Load{
		Journey: Journey{Name: name + "/" + c.Journey.Name, Timeout: DefaultTimeout, Cookies: "off", Steps: []Step{{Name: "ask", Get: path}}},
		Way:     Way{Entry: c.server.url()}, Rate: rate, Seed: c.Seed,
	}
}

func (c controls) control(ctx context.Context) {
	c.send(ctx, c.own(ControlJourney, "/", c.Control.Rate), func(Visit) {})
}

// send sends users of gameday's own. A load that cannot begin has no users, which is noticed.
// What fails by the generator's own fault is what the control load looks for.
func (c controls) send(ctx context.Context, l Load, on func(Visit)) {
	_ = l.walk(ctx, func(v Visit) {
		v.Steps, v.Sample.Void = nil, false
		on(v)
		c.on(v)
	})
}

// calibrations measures a known outage each time that Calibrate receives a value.
func (c controls) calibrations(ctx context.Context) {
	for n := 1; ; n++ {
		select {
		case <-c.Calibrate:
			c.calibrate(ctx, n)
		case <-ctx.Done():
			return
		}
	}
}

// calibrate measures a known outage for the n-th time, and tells what is known of it.
func (c controls) calibrate(ctx context.Context, n int) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	rate := Rate{calibrationRate / max(c.Control.Faulty.Slow, 1), time.Second}
	l := c.own(fmt.Sprintf("%s-%d", CalibrationJourney, n), "/{{.seq}}", rate)
	l.door = &door{faulty: c.Control.Faulty}
	truth := record.Truth{Journey: c.Journey.Name, Samples: l.Journey.Name, Began: time.Now(), Rate: calibrationRate}
	users := make(chan record.Sample, 1)
	var walking sync.WaitGroup
	walking.Go(func() {
		c.send(ctx, l, func(v Visit) {
			select {
			case users <- v.Sample:
			default:
			}
		})
	})
	truth.Closed = l.close(ctx, users)
	truth.Opened = truth.Closed.Add(CalibrationOutage)
	ended := wait(ctx, time.Until(truth.Opened)+CalibrationHold+calibrationLag)
	truth.Ended = time.Now()
	end()
	walking.Wait()
	truth.Served = c.server.seen()
	if ended {
		c.on(Visit{Truth: &truth})
	}
}

// close closes the door between two users: no user is under way then, so that the outage
// begins for users when it begins. It returns when that is.
func (l Load) close(ctx context.Context, users <-chan record.Sample) time.Time {
	wait(ctx, calibrationSettle)
	// Users come at the earliest half a gap after the one before.
	between := l.Rate.Gap() * 2 / 5
	late := time.NewTimer(quietWithin)
	defer late.Stop()
	for {
		select {
		case s := <-users:
			if at := s.Sent.Add(between); l.door.closeAt(at, CalibrationOutage) {
				return at
			}
			continue
		case <-late.C:
		case <-ctx.Done():
		}
		return l.door.closeNow(CalibrationOutage)
	}
}
