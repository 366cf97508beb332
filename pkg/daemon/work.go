package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
	"github.com/gameday-dev/gameday/pkg/store"
)

// retryAfter is when a job tries again if its environment is in use.
const retryAfter = time.Second

// work runs a job. The queue calls it.
func (d *Daemon) work(ctx context.Context, id int64) (again time.Duration, err error) {
	j, err := d.Store.Job(ctx, id)
	if err != nil {
		return retryAfter, nil //nolint:nilerr // the store is unreachable: the tick reports it
	}
	if j.State != store.Queued {
		return 0, nil // it has started or was dropped meanwhile
	}
	s := d.scheduleOf(j)
	switch state, why, err := d.obstacle(ctx, s, j); {
	case err != nil:
		return retryAfter, nil //nolint:nilerr // likewise
	case state != "":
		return 0, d.drop(ctx, j, state, why)
	}
	claimed, err := d.Store.Claim(ctx, j, d.Instance, Lease)
	switch {
	case errors.Is(err, store.ErrState):
		return 0, nil
	case err != nil, !claimed:
		return retryAfter, nil //nolint:nilerr // likewise
	}
	d.carryOut(ctx, s, j)
	return 0, nil
}

// tooLate is why a queued job expires.
const tooLate = "it could not start in time: another run was in progress"

// obstacle is what keeps a job from starting, as far as the store and the schedule know;
// state is "" if nothing does.
func (d *Daemon) obstacle(ctx context.Context, s scenario.Schedule, j store.Job) (state store.State, why string, err error) {
	now := d.Now()
	if now.After(j.Expires) {
		return store.Missed, tooLate, nil
	}
	holds, err := d.Store.Holds(ctx, now)
	if err != nil {
		return "", "", err
	}
	for _, h := range holds {
		if h.Environment == j.Environment {
			return store.Refused, fmt.Sprintf("%s is held by %s: %s", h.Environment, h.Who, h.Why), nil
		}
	}
	// The window may have closed while the job waited for approval or for another run.
	if j.Schedule != "" && s.Name != "" {
		err := d.safely("schedule "+s.Name, func() (err error) { why, err = schedule.Refused(s, now); return err })
		if err != nil || why != "" {
			return store.Missed, cmp.Or(why, "its schedule is invalid"), nil //nolint:nilerr // the tick reports it
		}
	}
	return "", "", nil
}

// carryOut runs a claimed job and records its outcome.
func (d *Daemon) carryOut(ctx context.Context, s scenario.Schedule, j store.Job) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.mu.Lock()
	d.running[j.ID] = cancel
	d.mu.Unlock()
	d.Hub.Publish(Live{Kind: Changed, Job: j.ID})
	beating := make(chan struct{})
	beats, stop := context.WithCancel(context.WithoutCancel(ctx)) // until everything is undone
	go func() { defer close(beating); d.keep(beats, j.ID) }()

	o := store.Outcome{Job: j.ID, Instance: d.Instance, State: store.Done, ExitCode: -1}
	if why := d.conditions(ctx, s, j); why != "" {
		o.State, o.Why = store.Refused, why
	} else {
		d.Log.Info("job started", "job", j.ID, "what", j.What, "environment", j.Environment, "schedule", j.Schedule)
		r := d.run(ctx, j)
		o.Run, o.Verdict, o.ExitCode, o.Document, o.Why = r.Run, r.Verdict, r.ExitCode, r.Document, r.Why
		if stopped, ok := errors.AsType[run.StoppedError](context.Cause(ctx)); ok {
			o.Why = string(stopped)
		}
		if r.Never {
			o.State = store.Refused
		}
		d.Log.Info("job ended", "job", j.ID, "verdict", r.Verdict, "exit_code", r.ExitCode, "why", o.Why)
		d.afterwards(ctx, s, j, r, &o)
	}
	if o.State == store.Refused {
		refused := j
		refused.State, refused.Why = o.State, o.Why
		d.tellOf(ctx, s, refused)
	}
	stop()
	<-beating
	o.Ended = d.Now()
	d.finish(context.WithoutCancel(ctx), o)
	d.mu.Lock()
	delete(d.running, j.ID)
	delete(d.runs, j.ID)
	d.mu.Unlock()
	d.Hub.Publish(Live{Kind: Changed, Job: j.ID})
}

// run runs a job. A panic is undone like any other end of a run. It ends the job, but not
// the daemon.
func (d *Daemon) run(ctx context.Context, j store.Job) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			d.Log.Error("a run panicked (a bug in gameday; please report it)", "job", j.ID, "panic", p, "stack", string(debug.Stack()))
			r = Result{ExitCode: -1, Why: fmt.Sprintf("the run panicked (a bug in gameday; please report it): %v", p)}
		}
	}()
	return d.Runner.Run(ctx, j, func(l Live) {
		l.Job = j.ID
		if l.Kind == Began {
			d.mu.Lock()
			d.runs[j.ID] = l.Text
			d.mu.Unlock()
		}
		d.Hub.Publish(l)
	})
}

// afterwards holds an environment whose faults could not be undone, together with the
// outcome, and sends the verdict.
func (d *Daemon) afterwards(ctx context.Context, s scenario.Schedule, j store.Job, r Result, o *store.Outcome) {
	ctx = context.WithoutCancel(ctx)
	if r.Left {
		o.Hold = &store.Hold{Environment: j.Environment, Who: "gameday", Since: d.Now(), Why: fmt.Sprintf("job %d could not undo its faults: %s. Run gameday undo, then release the environment", j.ID, r.Why)}
	}
	if len(s.Notify) > 0 && r.Verdict != "" {
		event := "verdict"
		if r.Verdict == "aborted" {
			event = "abort"
		}
		d.tell(ctx, store.Job{}, s.Notify, event, fmt.Sprintf("%s in %s: %s (run %s)", j.What, j.Environment, r.Verdict, r.Run))
	}
}

// conditions says which condition of a schedule is not met, or "".
func (d *Daemon) conditions(ctx context.Context, s scenario.Schedule, j store.Job) string {
	for _, c := range s.OnlyIf {
		var g gate.Gate
		switch {
		case c.HTTP != nil:
			g = *c.HTTP
		case c.Prometheus != nil:
			g = *c.Prometheus
		default:
			if err := d.Runner.Steady(ctx, j, c.Steady); err != nil {
				return "not in steady state: " + err.Error()
			}
			continue
		}
		ok, why, err := g.Holds(ctx)
		if err != nil {
			return "a condition could not be evaluated: " + err.Error()
		}
		if !ok {
			return "a condition is not met: " + why
		}
	}
	return ""
}

// keep renews the lock of a job. It stops the run on request, or before other instances
// assume that this one is dead.
func (d *Daemon) keep(ctx context.Context, id int64) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	// At once for the first time: a stop may have come before this instance could hear it.
	for last := time.Now(); ; {
		asking, cancel := context.WithTimeout(ctx, heartbeat)
		stoppedBy, err := d.Store.Renew(asking, id, d.Instance)
		cancel()
		switch {
		case errors.Is(err, store.ErrState):
			d.end(id, "this instance lost its lock: another instance assumed that it was dead")
		case err == nil:
			last = time.Now()
			if stoppedBy != "" {
				d.end(id, "stopped by "+stoppedBy)
			}
		case ctx.Err() == nil && d.Store.Shared() && time.Since(last) > lostAfter:
			d.end(id, fmt.Sprintf("the store was unreachable for %v, so other instances may assume that this one is dead: %v", lostAfter, err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// mine is the jobs that run on this instance.
func (d *Daemon) mine() []int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.running))
}

func (d *Daemon) isRunning(id int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running[id] != nil
}
