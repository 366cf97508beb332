package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Stop ends a running job, wherever it runs, or one that has not begun; all of them
// where id is 0. It gives how many there were.
func (d *Daemon) Stop(ctx context.Context, id int64, who string) (n int, err error) {
	// Those that run here are ended even where the store cannot be reached.
	n = d.end(id, "stopped by "+who)
	elsewhere, err := StopInStore(ctx, d.Store, id, who)
	if err != nil {
		return n, err
	}
	d.Hub.Publish(Live{Kind: Changed})
	return max(n, elsewhere), nil
}

// StopInStore asks whoever runs a job to end it, and drops it where it has not begun.
func StopInStore(ctx context.Context, s *store.Store, id int64, who string) (n int, err error) {
	running, err := s.Stop(ctx, id, who)
	if err != nil {
		return 0, err
	}
	waiting, err := s.Jobs(ctx, store.Filter{ID: id, States: []store.State{store.Awaiting, store.Queued}})
	if err != nil {
		return int(running), err
	}
	n = int(running)
	for _, j := range waiting {
		if err := s.Drop(ctx, j.ID, store.Refused, "stopped by "+who+" before it started"); err == nil {
			n++
		} else if !errors.Is(err, store.ErrState) {
			return n, err
		}
	}
	return n, nil
}

// Ask adds a job that a person asks for, to begin at once.
func (d *Daemon) Ask(ctx context.Context, j store.Job) (store.Job, error) {
	now := d.Now()
	j.Schedule, j.Due, j.Expires, j.State = "", now, now.Add(scenario.DefaultStartWithin), store.Queued
	id, err := d.Store.Add(ctx, j)
	if err != nil {
		return store.Job{}, fmt.Errorf("ask for a run: %w", err)
	}
	if err := d.queue.Add(ctx, id); err != nil {
		d.note("queue", err) // the next tick tries again
	}
	d.Hub.Publish(Live{Kind: Changed, Job: id})
	return d.Store.Job(ctx, id)
}

// Approve lets a job begin that waits for it.
func (d *Daemon) Approve(ctx context.Context, id int64, who string) error {
	j, err := d.Store.Job(ctx, id)
	if err != nil {
		return err
	}
	if err := d.Store.Approve(ctx, id, who, d.Now().Add(d.scheduleOf(j).StartWithin())); err != nil {
		return err
	}
	d.Hub.Publish(Live{Kind: Changed, Job: id})
	return nil
}

// Hold declares an incident in an environment: nothing begins there, and what runs
// there is stopped, wherever it runs.
func (d *Daemon) Hold(ctx context.Context, h store.Hold) error {
	err := HoldInStore(ctx, d.Store, h)
	d.Hub.Publish(Live{Kind: Changed})
	return err
}

// HoldInStore holds an environment, and asks whoever runs something there to end it.
func HoldInStore(ctx context.Context, s *store.Store, h store.Hold) error {
	if err := s.Hold(ctx, h); err != nil {
		return fmt.Errorf("hold %s: %w", h.Environment, err)
	}
	going, err := s.Jobs(ctx, store.Filter{Environment: h.Environment, States: []store.State{store.Running}})
	for _, j := range going {
		_, stopErr := s.Stop(ctx, j.ID, h.Who+", who holds "+h.Environment+": "+h.Why)
		err = errors.Join(err, stopErr)
	}
	return err
}
