package session

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/topology"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Walk is what a command about a whole environment needs instead of a scenario.
type Walk struct {
	Name        string // of the command: map or sweep
	Environment string
	Journeys    []string // none: see [scenario.Library.UsualJourney]
	Rate        probe.Rate
}

// Bound is the walk with all that it names, as a scenario without faults.
func (s Session) Bound(w Walk) (Input, error) {
	what := scenario.Scenario{
		Name: w.Name + "-" + path.Base(w.Environment), Environment: w.Environment,
		Objective: scenario.Objective{Good: verdict.DefaultGood, Within: verdict.DefaultWithin},
	}
	if len(w.Journeys) == 0 {
		usual, err := s.Library.UsualJourney(w.Environment)
		if err != nil {
			return Input{}, err
		}
		w.Journeys = []string{usual}
	}
	for _, j := range w.Journeys {
		what.Load = append(what.Load, scenario.JourneyLoad{Journey: j, Rate: w.Rate, Critical: true})
	}
	return s.Bind(what, "")
}

// Map draws the architecture of an environment while users walk its journeys.
func (s Session) Map(ctx context.Context, r Request, lasts time.Duration) (m topology.Map, err error) {
	err = s.with(ctx, r, func(ctx context.Context, day run.Day) error {
		return day.Hold(ctx, func(ctx context.Context, _ run.Stage) error {
			m, err = observe(ctx, day, lasts)
			return err
		})
	})
	return m, err
}

// observe looks at an environment while its users walk.
func observe(ctx context.Context, day run.Day, lasts time.Duration) (topology.Map, error) {
	day.Observe(run.Update{Text: fmt.Sprintf("observing connections for %v", lasts)})
	walking, cancel := context.WithCancel(ctx)
	defer cancel()
	wait := day.Users().Walk(walking, func(int, probe.Visit) {})
	m, err := topology.Observe(walking, day.Site, day.Environment.Name, declared(day), lasts)
	cancel()
	err = errors.Join(err, wait())
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return m, err
}

// declared is what is declared of the users.
func declared(day run.Day) (u topology.Users) {
	for _, l := range day.Scenario.Load {
		u.Inside = u.Inside || day.Environment.Comes(l) == scenario.FromInside
	}
	if inside := day.Environment.Inside; u.Inside && inside != nil {
		u.Ask = inside.DNS
	}
	return u
}

// workerStart is what a load worker may take to start.
const workerStart = 2 * time.Second

// Steady lets users walk a scenario's journeys for a time, and breaks nothing. It is an
// error if they are not served within the objective.
func (s Session) Steady(ctx context.Context, in Input, lasts time.Duration) (err error) {
	site, err := s.Open(ctx, in.Environment)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	if _, err := in.plan(ctx, site); err != nil {
		return err // what cannot be found cannot be steady
	}
	meter := run.NewMeter(in.Scenario.Objective.Verdict())
	users := run.Users{Site: site, Environment: in.Environment, Load: in.Scenario.Load, Journeys: in.Journeys, Protocols: s.Protocols}
	if err := users.Prepare(ctx, func(string) {}); err != nil {
		return err
	}
	walking, stop := context.WithTimeout(ctx, lasts+workerStart)
	defer stop()
	wait := users.Walk(walking, func(n int, v probe.Visit) {
		if in.Scenario.Load[n].Critical {
			meter.Add(v.Sample)
		}
	})
	<-walking.Done()
	steady := meter.Steady(lasts)
	if err := wait(); err != nil {
		return err
	}
	if !steady {
		return fmt.Errorf("users were not served within the objective for %v", lasts)
	}
	return nil
}
