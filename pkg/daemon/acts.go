package daemon

import (
	"cmp"
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Stop stops a running job on any instance, or drops a job that has not started; id 0
// means all jobs. It returns the number of jobs.
func (d *Daemon) Stop(ctx context.Context, id int64, who string) (n int, err error) {
	// Jobs of this instance stop even if the store cannot be reached.
	n = d.end(id, "stopped by "+who)
	elsewhere, err := d.Store.Stop(ctx, id, who)
	if err != nil {
		return n, err
	}
	n = max(n, d.end(id, "stopped by "+who)) // those that were claimed meanwhile
	d.Hub.Publish(Live{Kind: Changed})
	return max(n, elsewhere), nil
}

// Ask adds a job that a person requests, to start at once.
func (d *Daemon) Ask(ctx context.Context, j store.Job) (store.Job, error) {
	now := d.Now()
	j.Schedule, j.Due, j.Expires, j.State = "", now, now.Add(scenario.DefaultStartWithin), store.Queued
	id, err := d.Store.Add(ctx, j)
	if err != nil {
		return store.Job{}, fmt.Errorf("add a job: %w", err)
	}
	if err := d.queue.Add(ctx, id); err != nil {
		d.note("queue", err) // the next tick tries again
	}
	d.Hub.Publish(Live{Kind: Changed, Job: id})
	return d.Store.Job(ctx, id)
}

// Approve approves a job that awaits approval.
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

// Hold holds an environment: no job starts there, and the running one is stopped, on any
// instance.
func (d *Daemon) Hold(ctx context.Context, h store.Hold) error {
	err := d.Store.Hold(ctx, h)
	d.Hub.Publish(Live{Kind: Changed})
	return err
}

// RunOf is the ID of a job's run: the one that goes on on this instance, or the one that has
// ended; "" if there is none.
func (d *Daemon) RunOf(j store.Job) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return cmp.Or(d.runs[j.ID], j.Run)
}
