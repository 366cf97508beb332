// Package daemon begins game days when their moment comes, watches over them, and
// writes down what became of them, with nobody at a terminal.
//
// Several instances may share one store: each looks at every schedule, and the store
// lets one of them deal with a moment, begin a job, and use an environment. What a run
// breaks is undone by the run, its guard and the journal, as for a person's run; the
// store and the queue have no part in it.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/queue"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// How an instance keeps what it has begun. Another one takes it for dead when it has
// not said anything for a lease; before that it ends its run itself, so that two never
// break the same environment.
const (
	Lease     = 20 * time.Second
	heartbeat = 2 * time.Second
	lostAfter = 12 * time.Second
)

// Grace is how late an instance may come to a moment. What is later was missed, and is
// not made up for.
const Grace = time.Minute

// Result is how a run has ended.
type Result struct {
	Run      string // its id
	Verdict  string
	ExitCode int
	Document string // its verdict.json
	Why      string // what went wrong beside the verdict
	Left     bool   // the environment could not be put back
	Never    bool   // it never began: the environment is in use by somebody else, or not there
}

// Runner carries out what jobs ask for.
type Runner interface {
	// Run carries a job out, and returns when all is undone. When ctx ends it ends the
	// run; the cause says why.
	Run(ctx context.Context, j store.Job, on func(Live)) Result
	// Steady tells whether users of a job's journeys are served well for so long; an
	// error says why not.
	Steady(ctx context.Context, j store.Job, lasts time.Duration) error
	// Tell tells those whom a job's environment names, and some more, of an event.
	Tell(ctx context.Context, j store.Job, more []scenario.Notice, event, line string)
}

// Daemon is one instance.
type Daemon struct {
	Store     *store.Store
	Runner    Runner
	Schedules func() ([]scenario.Schedule, error) // with the environment of each
	Instance  string                              // its name, another one each time
	Spool     string                              // folder of outcomes that the store could not take
	Log       *slog.Logger
	Now       func() time.Time // by the clock on the wall
	Hub       *Hub

	queue   queue.Queue
	telling sync.WaitGroup // messages under way

	mu        sync.Mutex
	schedules []scenario.Schedule
	running   map[int64]context.CancelCauseFunc
	trouble   map[string]string // what is wrong, by what
}

// Prepare makes it ready to be asked: it comes before Run, and before whatever else is
// called.
func (d *Daemon) Prepare(ctx context.Context) (err error) {
	d.running, d.trouble = map[int64]context.CancelCauseFunc{}, map[string]string{}
	if err := os.MkdirAll(d.Spool, 0o700); err != nil {
		return fmt.Errorf("make the folder of outcomes: %w", err)
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

// Run begins game days until ctx ends; then it ends those under way, waits until they
// are undone, and returns.
func (d *Daemon) Run(ctx context.Context) error {
	// It outlives ctx: what goes on is undone first.
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
	d.end(0, "gameday serve was told to end")
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	err := d.queue.Stop(stopping)
	d.awaitMessages()
	return err
}

// tellWithin is how long an instance that ends waits for messages under way.
const tellWithin = 20 * time.Second

// tell tells of a job. Who is slow to be told keeps nobody waiting.
func (d *Daemon) tell(ctx context.Context, j store.Job, more []scenario.Notice, event, line string) {
	ctx = context.WithoutCancel(ctx)
	d.telling.Go(func() { d.Runner.Tell(ctx, j, more, event, line) })
}

func (d *Daemon) awaitMessages() {
	told := make(chan struct{})
	go func() { defer close(told); d.telling.Wait() }()
	select {
	case <-told:
	case <-time.After(tellWithin):
		d.Log.Warn("somebody could not be told in time")
	}
}

// load reads the schedules. Where that fails, those from before go on to count, and it
// is said.
func (d *Daemon) load() error {
	all, err := d.Schedules()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.schedules = all
	return nil
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

// note keeps what is wrong, and logs when that changes.
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
		d.Log.Info("is well again", "what", what)
	default:
		d.Log.Error("does not work", "what", what, "err", text)
	}
}

// Trouble is what is wrong at the moment, by what; empty where nothing is.
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

// end ends the run of a job, if it is one of this instance; all of them where id is 0.
// It gives how many there were.
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

func (d *Daemon) spoolFile(id int64) string {
	return filepath.Join(d.Spool, fmt.Sprintf("job-%d.json", id))
}
