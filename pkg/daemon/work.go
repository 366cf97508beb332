package daemon

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/schedule"
	"github.com/gameday-dev/gameday/pkg/store"
)

// busyFor is after what time a job looks again whether its environment is free.
const busyFor = time.Second

// work does a job: it is what the queue calls, once for each job and instance.
func (d *Daemon) work(ctx context.Context, id int64) (again time.Duration, err error) {
	j, err := d.Store.Job(ctx, id)
	if err != nil {
		return busyFor, nil //nolint:nilerr // the store is away: the tick says so
	}
	if j.State != store.Queued {
		return 0, nil // it was begun, or dropped, by somebody
	}
	s := d.scheduleOf(j)
	switch state, why, err := d.against(ctx, s, j); {
	case err != nil:
		return busyFor, nil //nolint:nilerr // likewise
	case state != "":
		return 0, d.drop(ctx, j, state, why)
	}
	claimed, err := d.Store.Claim(ctx, j, d.Instance, Lease)
	switch {
	case errors.Is(err, store.ErrState):
		return 0, nil
	case err != nil, !claimed:
		return busyFor, nil //nolint:nilerr // likewise
	}
	d.carryOut(ctx, s, j)
	return 0, nil
}

// tooLate is why a job is not begun whose turn has not come in time.
const tooLate = "it could not begin in time: another run was in the way"

// against is what stands against a job's beginning, without asking anybody outside.
func (d *Daemon) against(ctx context.Context, s scenario.Schedule, j store.Job) (state store.State, why string, err error) {
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
	// An approval, or another run, may have taken until after its window.
	if j.Schedule != "" && s.Name != "" {
		if why, err := schedule.Refused(s, now); err != nil || why != "" {
			return store.Missed, cmp.Or(why, "its schedule is broken"), nil //nolint:nilerr // the tick says so
		}
	}
	return "", "", nil
}

// carryOut runs a job that was claimed, and writes down how it has ended.
func (d *Daemon) carryOut(ctx context.Context, s scenario.Schedule, j store.Job) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	d.mu.Lock()
	d.running[j.ID] = cancel
	d.mu.Unlock()
	d.Hub.Publish(Live{Kind: Changed, Job: j.ID})
	beating := make(chan struct{})
	beats, stop := context.WithCancel(context.WithoutCancel(ctx)) // until all is undone, too
	go func() { defer close(beating); d.keep(beats, j.ID) }()

	o := store.Outcome{Job: j.ID, Instance: d.Instance, State: store.Done, ExitCode: -1}
	if why := d.conditions(ctx, s, j); why != "" {
		o.State, o.Why = store.Refused, why
	} else {
		d.Log.Info("begins", "job", j.ID, "what", j.What, "environment", j.Environment, "schedule", j.Schedule)
		r := d.run(ctx, j)
		o.Run, o.Verdict, o.ExitCode, o.Document, o.Why = r.Run, r.Verdict, r.ExitCode, r.Document, r.Why
		if stopped, ok := errors.AsType[run.StoppedError](context.Cause(ctx)); ok {
			o.Why = string(stopped)
		}
		if r.Never {
			o.State = store.Refused
		}
		d.Log.Info("has ended", "job", j.ID, "verdict", r.Verdict, "exit_code", r.ExitCode, "why", o.Why)
		d.afterwards(ctx, s, j, r)
	}
	if o.State == store.Refused {
		told := j
		told.State, told.Why = o.State, o.Why
		d.tellOf(ctx, s, told)
	}
	stop()
	<-beating
	o.Ended = d.Now()
	d.finish(context.WithoutCancel(ctx), o)
	d.mu.Lock()
	delete(d.running, j.ID)
	d.mu.Unlock()
	d.Hub.Publish(Live{Kind: Changed, Job: j.ID})
}

// run runs a job. A panic is followed by the undoing, as any end of a run is; it ends
// the job, and not the daemon.
func (d *Daemon) run(ctx context.Context, j store.Job) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			d.Log.Error("a bug of gameday has ended a run", "job", j.ID, "panic", p, "stack", string(debug.Stack()))
			r = Result{ExitCode: -1, Why: fmt.Sprintf("a bug of gameday has ended it: %v", p)}
		}
	}()
	return d.Runner.Run(ctx, j, func(l Live) { l.Job = j.ID; d.Hub.Publish(l) })
}

// afterwards holds an environment that could not be put back, and tells of the verdict.
func (d *Daemon) afterwards(ctx context.Context, s scenario.Schedule, j store.Job, r Result) {
	ctx = context.WithoutCancel(ctx)
	if r.Left {
		h := store.Hold{Environment: j.Environment, Who: "gameday", Since: d.Now(), Why: fmt.Sprintf("job %d could not put it back: %s. Run gameday undo, and release it", j.ID, r.Why)}
		d.note("hold of "+j.Environment, d.Store.Hold(ctx, h))
	}
	if len(s.Notify) > 0 && r.Verdict != "" {
		event := "verdict"
		if r.Verdict == "aborted" {
			event = "abort"
		}
		d.tell(ctx, store.Job{}, s.Notify, event, fmt.Sprintf("%s in %s: %s (run %s)", j.What, j.Environment, r.Verdict, r.Run))
	}
}

// conditions says which condition of a schedule does not hold, or "".
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
				return "it is not steady: " + err.Error()
			}
			continue
		}
		ok, why, err := g.Holds(ctx)
		if err != nil {
			return "nobody can tell whether a condition holds: " + err.Error()
		}
		if !ok {
			return "a condition does not hold: " + why
		}
	}
	return ""
}

// keep keeps the lock of a job, and ends its run when somebody asks for that, or when
// another instance might take this one for dead.
func (d *Daemon) keep(ctx context.Context, id int64) {
	ticker := time.NewTicker(heartbeat)
	defer ticker.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		asking, cancel := context.WithTimeout(ctx, heartbeat)
		stoppedBy, err := d.Store.Renew(asking, id)
		cancel()
		switch {
		case errors.Is(err, store.ErrState):
			d.end(id, "another instance has taken this one for dead")
		case err == nil:
			last = time.Now()
			if stoppedBy != "" {
				d.end(id, "stopped by "+stoppedBy)
			}
		case ctx.Err() == nil && d.Store.Shared() && time.Since(last) > lostAfter:
			d.end(id, fmt.Sprintf("the store could not be reached for %v, and another instance might take this one for dead: %v", lostAfter, err))
		}
	}
}

// finish writes down how a job has ended: first into a file, and then into the store,
// so that a store that is away loses no verdict.
func (d *Daemon) finish(ctx context.Context, o store.Outcome) {
	data, err := json.Marshal(o)
	if err == nil {
		err = atomicfile.WriteBytes(d.spoolFile(o.Job), 0o600, data)
	}
	d.note(fmt.Sprintf("outcome of job %d", o.Job), err)
	ctx, cancel := context.WithTimeout(ctx, tickWithin)
	defer cancel()
	err = d.Store.Finish(ctx, o)
	d.note("store", err)
	if err == nil {
		_ = os.Remove(d.spoolFile(o.Job)) // what is left is written again, to the same effect
	}
}

// replay writes outcomes down that the store could not take.
func (d *Daemon) replay(ctx context.Context) error {
	files, err := filepath.Glob(filepath.Join(d.Spool, "job-*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		data, err := os.ReadFile(file) //nolint:gosec // G304: our own folder
		if err != nil {
			return fmt.Errorf("read an outcome: %w", err)
		}
		var o store.Outcome
		if err := json.Unmarshal(data, &o); err != nil {
			_ = os.Rename(file, file+".broken") // a torn one; its run's folder has the verdict
			d.Log.Error("an outcome cannot be read", "file", file, "err", err)
			continue
		}
		if d.isRunning(o.Job) {
			continue // it is being written down
		}
		if err := d.Store.Finish(ctx, o); err != nil {
			return fmt.Errorf("write the outcome of job %d down: %w", o.Job, err)
		}
		_ = os.Remove(file) // likewise
		d.Hub.Publish(Live{Kind: Changed, Job: o.Job})
	}
	return nil
}

// mine are the jobs that run here.
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
