// Package daemon starts game days when they are due, supervises them, and records their
// outcomes, without a person at a terminal.
//
// Several instances may share one store. Each instance checks every schedule; the store
// makes sure that only one of them adds a scheduled run, starts a job, or uses an
// environment. Undo works as for a run on a terminal, by the run, its guard and the
// journal. It does not depend on the store or the queue.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/queue"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// How an instance keeps the lock of a job. Other instances assume that an instance is
// dead if it has not renewed its lock for a lease. The instance itself stops its run
// before that, so that two runs never use one environment.
const (
	Lease     = 20 * time.Second
	heartbeat = 2 * time.Second
	lostAfter = 12 * time.Second
)

// Grace is how late a scheduled run may be noticed. A later one counts as missed, and is
// not run.
const Grace = time.Minute

// Result is the result of a run.
type Result struct {
	Run      string // its ID
	Verdict  string
	ExitCode int
	Document string // its verdict.json
	Why      string // an error besides the verdict
	Left     bool   // a fault could not be undone
	Never    bool   // it did not start: the environment is in use or unreachable
}

// Runner runs jobs.
type Runner interface {
	// Run runs a job, and returns after everything is undone. It stops the run if ctx
	// ends; the cause of ctx says why.
	Run(ctx context.Context, j store.Job, on func(Live)) Result
	// Steady checks that the steady state of a job's journeys holds for a duration. The
	// error says why it does not.
	Steady(ctx context.Context, j store.Job, lasts time.Duration) error
	// Tell sends a notification to the recipients of a job's environment, and to more.
	Tell(ctx context.Context, j store.Job, more []scenario.Notice, event, line string)
}

// Daemon is one instance.
type Daemon struct {
	Store     *store.Store
	Runner    Runner
	Schedules func() ([]scenario.Schedule, error) // with the environment of each
	Instance  string                              // its name, unique for each process
	Changed   func() bool                         // whether Schedules may return something else than when it was last called; nil: always
	Spool     string                              // the folder for outcomes until they are in the store; daemons of other stores may share it
	Log       *slog.Logger
	Now       func() time.Time // wall clock
	Hub       *Hub

	queue   queue.Queue
	telling sync.WaitGroup // notifications being sent

	mu        sync.Mutex
	schedules []scenario.Schedule
	running   map[int64]context.CancelCauseFunc
	runs      map[int64]string  // the IDs of the runs that go on, by job
	trouble   map[string]string // current errors, by component

	// Only the tick uses these.
	reading reading
	foreign map[string]bool // files in the spool folder that are none of this daemon's
	swept   time.Time       // when expired tokens were deleted
}

// Prepare prepares the daemon. Call it before Run and all other methods.
func (d *Daemon) Prepare(ctx context.Context) (err error) {
	d.running, d.runs = map[int64]context.CancelCauseFunc{}, map[int64]string{}
	d.trouble, d.foreign = map[string]string{}, map[string]bool{}
	if err := os.MkdirAll(d.spoolDir(), 0o700); err != nil {
		return fmt.Errorf("create the folder for outcomes: %w", err)
	}
	if err := d.load(); err != nil {
		return err
	}
	if pool := d.Store.Pool(); pool != nil {
		d.queue, err = queue.OnPostgres(ctx, pool, d.work, d.Log)
	} else {
		d.queue, err = queue.OnSQLite(ctx, d.Store.DB(), d.work, d.Log)
	}
	return err
}

// Run starts game days until ctx ends. Then it stops the running ones, waits until they
// are undone, and returns.
func (d *Daemon) Run(ctx context.Context) error {
	// The queue outlives ctx, so that running jobs can undo their faults.
	if err := d.queue.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for ctx.Err() == nil {
		d.tick(ctx)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	d.end(0, "gameday serve is shutting down")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	err := d.queue.Stop(stopping)
	d.awaitMessages()
	return err
}

// notifyTimeout is how long an instance waits for notifications when it shuts down.
const notifyTimeout = 20 * time.Second

// tell sends a notification in the background: a slow recipient must not block jobs.
func (d *Daemon) tell(ctx context.Context, j store.Job, more []scenario.Notice, event, line string) {
	ctx = context.WithoutCancel(ctx)
	d.telling.Go(func() { d.Runner.Tell(ctx, j, more, event, line) })
}

func (d *Daemon) awaitMessages() {
	sent := make(chan struct{})
	go func() { defer close(sent); d.telling.Wait() }()
	select {
	case <-sent:
	case <-time.After(notifyTimeout):
		d.Log.Warn("some notifications were not sent in time", "timeout", notifyTimeout)
	}
}

// All are the schedules as they were read last.
func (d *Daemon) All() []scenario.Schedule {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.schedules
}

func (d *Daemon) scheduleOf(j store.Job) scenario.Schedule {
	return scenario.Named(d.All(), j.Schedule)
}

// note sets or clears the error of a component, and logs changes.
func (d *Daemon) note(what string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	d.mu.Lock()
	was := d.trouble[what]
	d.trouble[what] = text
	d.mu.Unlock()
	switch text {
	case was:
	case "":
		d.Log.Info("recovered", "what", what)
	default:
		d.Log.Error("unavailable", "what", what, "err", text)
	}
}

// Trouble is the current errors, by component.
func (d *Daemon) Trouble() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]string{}
	for what, text := range d.trouble {
		if text != "" {
			all[what] = text
		}
	}
	return all
}

// end stops a job that runs on this instance; id 0 means all of them. It returns the
// number of jobs.
func (d *Daemon) end(id int64, why string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for other, cancel := range d.running {
		if id == 0 || id == other {
			cancel(run.StoppedError(why))
			n++
		}
	}
	return n
}
