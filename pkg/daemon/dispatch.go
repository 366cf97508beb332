package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
	"github.com/gameday-dev/gameday/pkg/store"
)

// tickTimeout is the timeout of one tick, so that a store that hangs does not block the
// next one.
const tickTimeout = 20 * time.Second

// sweepEvery is how often expired tokens are deleted. They are of no use before that.
const sweepEvery = time.Minute

// tick processes everything that is due.
func (d *Daemon) tick(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	d.note("gameday serve", d.safely("gameday serve", func() error {
		_ = d.load() // look notes the error
		err := errors.Join(d.replay(ctx), d.look(ctx), d.proceed(ctx), d.sweep(ctx))
		if ctx.Err() == nil || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			d.note("store", err)
		}
		return nil
	}))
}

// sweep deletes expired tokens.
func (d *Daemon) sweep(ctx context.Context) error {
	if time.Since(d.swept) < sweepEvery {
		return nil
	}
	err := d.Store.Sweep(ctx, d.Now())
	if err == nil {
		d.swept = time.Now()
	}
	return err
}

// horizon is how far back the daemon looks for missed runs.
const horizon = 31 * 24 * time.Hour

// maxMissed is the number of missed runs of a schedule that are recorded one by one.
const maxMissed = 20

// dispatch adds the jobs of a schedule that are due, and returns when the next one is.
func (d *Daemon) dispatch(ctx context.Context, s scenario.Schedule, now time.Time) (next time.Time, err error) {
	seen, err := d.Store.Seen(ctx, s.Name, now)
	if err != nil {
		return next, err
	}
	// If the clock was set back, seen is ahead of it: nothing is due, and no run is repeated.
	jobs, upTo, next, err := d.due(s, seen, now)
	if err != nil {
		return time.Time{}, invalidError{err}
	}
	if upTo.Equal(seen) {
		return next, nil
	}
	if len(jobs) > 0 {
		busy, err := d.Store.Jobs(ctx, store.Filter{Schedule: s.Name, States: []store.State{store.Awaiting, store.Queued, store.Running}, Limit: 1})
		if err != nil {
			return time.Time{}, err
		}
		for i := range jobs {
			switch last := i == len(jobs)-1; {
			case jobs[i].State == store.Missed:
			case !last:
				jobs[i].State, jobs[i].Why = store.Missed, "no instance was running before the next run was due"
			case len(busy) > 0:
				jobs[i].State, jobs[i].Why = store.Missed, "the previous run had not ended"
			}
		}
	}
	ids, advanced, err := d.Store.Advance(ctx, s.Name, seen, upTo, jobs)
	if err != nil || !advanced { // another instance may have added them
		return time.Time{}, err
	}
	for i, j := range jobs {
		j.ID = ids[i]
		d.tellOf(ctx, s, j)
	}
	if len(jobs) > 0 {
		d.Hub.Publish(Live{Kind: Changed})
	}
	return next, nil
}

// tellOf sends a notification about a job that needs approval or will not start.
func (d *Daemon) tellOf(ctx context.Context, s scenario.Schedule, j store.Job) {
	line := ""
	event := string(j.State)
	switch j.State {
	case store.Awaiting:
		event = "approval"
		line = fmt.Sprintf("job %d, %s in %s, needs approval before %s", j.ID, j.What, j.Environment, j.Expires.UTC().Format("15:04 MST"))
	case store.Missed, store.Refused, store.Interrupted:
		event = "missed"
		line = fmt.Sprintf("%s in %s, due at %s, was %s: %s", j.What, j.Environment, j.Due.UTC().Format("2006-01-02 15:04 MST"), j.State, j.Why)
	case store.Queued, store.Running, store.Done:
		return
	}
	d.Log.Info(event, "job", j.ID, "schedule", j.Schedule, "why", j.Why)
	d.tell(ctx, j, s.Notify, event, line)
}

// due is the jobs that are due between seen and now, the time up to which the schedule is
// processed, and when the next job is due.
func (d *Daemon) due(s scenario.Schedule, seen, now time.Time) (jobs []store.Job, upTo, next time.Time, err error) {
	upTo = seen
	if oldest := now.Add(-horizon); seen.Before(oldest) {
		upTo = oldest
	}
	more := 0
	// The next time is usually still to come, so the first batch is one.
	for batch := 1; ; batch = 100 {
		moments, err := schedule.Upcoming(s, upTo, batch)
		if err != nil {
			return nil, seen, next, err
		}
		if len(moments) == 0 {
			return shortened(jobs, more), upTo, now.Add(lookAgain), nil
		}
		for _, m := range moments {
			begins := m.At.Add(schedule.Jitter(s, m.At))
			if begins.After(now) {
				return shortened(jobs, more), upTo, begins, nil
			}
			upTo = m.At
			if m.Refused == "" {
				jobs = append(jobs, d.job(s, m.At, begins, now))
			}
			if over := len(jobs) - maxMissed; over > 0 { // bounded, even after a year
				jobs, more = jobs[over:], more+over
			}
		}
	}
}

func (d *Daemon) job(s scenario.Schedule, at, begins, now time.Time) store.Job {
	j := store.Job{
		Schedule: s.Name, Due: at, What: s.What(), Environment: s.Environment, Sweep: s.Sweep, Who: "schedule " + s.Name,
		State: store.Queued, Expires: begins.Add(s.StartWithin()),
	}
	if within := s.ApprovalWithin(); within > 0 {
		j.State, j.Expires = store.Awaiting, begins.Add(within)
	}
	if now.Sub(begins) > Grace {
		j.State, j.Why = store.Missed, fmt.Sprintf("no instance was running when the run was due; gameday serve was ready %v later", now.Sub(begins).Round(time.Second))
	}
	return j
}

// shortened adds the number of earlier missed runs to the oldest job.
func shortened(jobs []store.Job, more int) []store.Job {
	if more > 0 && jobs[0].State == store.Missed {
		jobs[0].Why += fmt.Sprintf("; %d earlier runs were missed too", more)
	}
	return jobs
}

// proceed adds waiting jobs to the queue, drops jobs that have waited too long, and marks
// those of dead instances as interrupted. At rest, it asks the store once.
func (d *Daemon) proceed(ctx context.Context) error {
	open, err := d.Store.Jobs(ctx, store.Filter{States: []store.State{store.Awaiting, store.Queued, store.Running}})
	if err != nil {
		return err
	}
	running := false
	for _, j := range open {
		switch {
		case j.State == store.Running:
			running = true
		case d.Now().After(j.Expires):
			why := tooLate
			if j.State == store.Awaiting {
				why = "it was not approved in time"
			}
			err = errors.Join(err, d.drop(ctx, j, store.Missed, why))
		case j.State == store.Queued:
			err = errors.Join(err, d.queue.Add(ctx, j.ID)) // does nothing if the job is in the queue
		}
	}
	if running {
		err = errors.Join(err, d.reap(ctx))
	}
	return err
}

// drop ends a job that has not started, and sends a notification. It does nothing if the
// job has started meanwhile.
func (d *Daemon) drop(ctx context.Context, j store.Job, state store.State, why string) error {
	err := d.Store.Drop(ctx, j.ID, state, why)
	if errors.Is(err, store.ErrState) {
		return nil
	}
	if err == nil {
		j.State, j.Why = state, why
		d.tellOf(ctx, d.scheduleOf(j), j)
		d.Hub.Publish(Live{Kind: Changed, Job: j.ID})
	}
	return err
}

// reap marks the jobs of dead instances as interrupted.
func (d *Daemon) reap(ctx context.Context) error {
	// If the store was unreachable, the locks of this instance are old: renew them first.
	for _, id := range d.mine() {
		if _, err := d.Store.Renew(ctx, id, d.Instance); err != nil && !errors.Is(err, store.ErrState) {
			return err
		}
	}
	dead, err := d.Store.Reap(ctx, Lease)
	for _, j := range dead {
		d.tellOf(ctx, d.scheduleOf(j), j)
		d.Hub.Publish(Live{Kind: Changed, Job: j.ID})
	}
	return err
}
