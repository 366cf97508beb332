package run

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Users are the users of an environment: which journeys they walk, how many of
// them, and where they come from.
type Users struct {
	Site        target.Site
	Environment scenario.Environment
	Load        []scenario.JourneyLoad
	Journeys    []probe.Journey // as in Load
	// Struck is closed when the first fault is ordered: stages begin then. It is nil if
	// there is no fault.
	Struck    <-chan struct{}
	Control   *probe.Control  // the load of gameday's own beside each journey; nil if there is none
	Calibrate []chan struct{} // as in [probe.Load], one for each of Load; nil if there is none
	Protocols probe.Protocols // of steps that are not HTTP
}

// Users are those of the day.
func (d Day) Users() Users {
	return Users{Site: d.Site, Environment: d.Environment, Load: d.Scenario.Load, Journeys: d.Journeys, Protocols: d.Protocols}
}

// Walk is a journey that users walk, from wherever they come.
type Walk interface {
	Traffic
	// Confirm looks acknowledged writes up from where the users are.
	Confirm(ctx context.Context, acks *record.Acked, progress func(done, all int)) error
}

// tryable is a journey that a few users can walk, too, who tell all that they met.
type tryable interface {
	Walk
	Try(ctx context.Context, users int, on func(probe.Tried)) error
}

// Of are the users of the n-th journey.
func (u Users) Of(n int, seed uint64) Walk { return u.of(n, seed) }

// Try lets a few users walk the first journey, and calls on for each one.
func (u Users) Try(ctx context.Context, count int, on func(probe.Tried)) error {
	return u.of(0, 0).Try(ctx, count, on)
}

func (u Users) of(n int, seed uint64) tryable {
	l := u.Load[n]
	load := probe.Load{
		Journey: u.Journeys[n], Way: u.Environment.Way(l), Rate: l.Rate, Seed: seed,
		Stages: l.Stages, Arrivals: l.Arrivals, Struck: u.Struck, Protocols: u.Protocols,
		Control: u.Control, Client: l.Client(), Place: scenario.PlaceOf(u.Load, n),
	}
	if u.Calibrate != nil {
		load.Calibrate = u.Calibrate[n]
	}
	if u.Environment.Comes(l) == scenario.FromOutside {
		return load
	}
	return probe.Remote{Load: load, Start: func(ctx context.Context) (io.ReadWriteCloser, error) {
		workers, err := target.As[target.Workers](u.Site)
		if err != nil {
			return nil, err
		}
		return workers.StartWorker(ctx, u.Environment.Inside.Network)
	}}
}

// Prepare gets the environment ready to start load workers, if users come from inside.
func (u Users) Prepare(ctx context.Context, progress func(text string)) error {
	if !slices.ContainsFunc(u.Load, func(l scenario.JourneyLoad) bool { return u.Environment.Comes(l) == scenario.FromInside }) {
		return nil
	}
	workers, err := target.As[target.Workers](u.Site)
	if err != nil {
		return err
	}
	return workers.PrepareWorkers(ctx, progress)
}

// Walk lets users walk all journeys until ctx ends; on receives what those of the n-th
// met. wait waits until none walks any more.
func (u Users) Walk(ctx context.Context, on func(n int, v probe.Visit)) (wait func() error) {
	ended := make(chan error, len(u.Journeys))
	for n := range u.Journeys {
		load := u.Of(n, uint64(n))
		go func() { ended <- load.Run(ctx, func(v probe.Visit) { on(n, v) }) }()
	}
	return func() (err error) {
		for range u.Journeys {
			err = errors.Join(err, <-ended)
		}
		return err
	}
}

// Confirm looks up what each journey was acknowledged, by the users that walks returns.
func (u Users) Confirm(ctx context.Context, walks func(n int, seed uint64) Walk, acks *record.Acked, progress func(done, all int)) error {
	var errs []error
	for n := range u.Journeys {
		errs = append(errs, walks(n, 0).Confirm(ctx, acks, progress))
	}
	return errors.Join(errs...)
}
