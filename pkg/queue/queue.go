// Package queue distributes jobs to instances. Each job goes to one instance, once. It
// wraps River in three methods; docs/queue.md explains why.
//
// The queue knows only the ID of a job. The job itself and its state are in the store,
// which also decides whether the job may start.
package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Slots is the number of jobs that an instance runs at the same time. Jobs in the same
// environment never overlap.
const Slots = 16

// Queue distributes jobs.
type Queue interface {
	// Add adds a job. If the job is already in the queue, the queue only looks whether its
	// time for another try has come. Add waiting jobs again and again, about once a second.
	Add(ctx context.Context, id int64) error
	// Start starts to process jobs on this instance, until Stop. Call it once.
	Start(ctx context.Context) error
	// Stop takes no more jobs, cancels the contexts of running jobs, and waits for
	// them.
	Stop(ctx context.Context) error
}

// Work runs a job. If again is above 0, the queue tries the job again after that time.
type Work func(ctx context.Context, id int64) (again time.Duration, err error)

// OnSQLite is a queue in a SQLite database. db must have one connection.
func OnSQLite(ctx context.Context, db *sql.DB, work Work, log *slog.Logger) (Queue, error) {
	return open(ctx, silent{riversqlite.New(db)}, work, seldom, log)
}

// silent is River's driver of SQLite without its listener, which asks the database twenty
// times a second whether there is news: most of what gameday serve took at rest. Without
// one, River starts at once what this process adds.
type silent struct{ *riversqlite.Driver }

// SupportsListener implements [riverdriver.Driver].
func (silent) SupportsListener() bool { return false }

// OnPostgres is a queue in a PostgreSQL database.
func OnPostgres(ctx context.Context, pool *pgxpool.Pool, work Work, log *slog.Logger) (Queue, error) {
	return open(ctx, riverpgxv5.New(pool), work, often, log)
}

// How often the queue looks for jobs by itself. On SQLite every look is expensive, and one
// follows each [Queue.Add]. On PostgreSQL other instances add jobs, and jobs for another
// try are announced by none.
const (
	often  = 500 * time.Millisecond
	seldom = 15 * time.Second
)

// job is the arguments of a River job.
type job struct {
	ID int64 `json:"id" river:"unique"`
}

// Kind implements [river.JobArgs].
func (job) Kind() string { return "gameday" }

// worker implements [river.Worker].
type worker struct {
	river.WorkerDefaults[job]
	work Work
}

// Timeout disables River's timeout: a game day has its own timing, and people can stop it.
func (worker) Timeout(*river.Job[job]) time.Duration { return -1 }

// Work implements [river.Worker].
func (w worker) Work(ctx context.Context, j *river.Job[job]) error {
	again, err := w.work(ctx, j.Args.ID)
	if err != nil {
		// Do not retry: the faults are undone by the journal.
		return river.JobCancel(err)
	}
	if again > 0 {
		return river.JobSnooze(again)
	}
	return nil
}

// rescueAfter is how long River waits before it assumes that a job's worker is dead. A
// job has only one attempt, so River then discards the job and does not repeat it.
const rescueAfter = 24 * time.Hour

type riverQueue[TTx any] struct {
	client  *river.Client[TTx]
	stopped atomic.Bool
}

// loud drops log messages below a warning: they are about River's internals.
type loud struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (l loud) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && l.Handler.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (l loud) WithAttrs(attrs []slog.Attr) slog.Handler { return loud{l.Handler.WithAttrs(attrs)} }

// WithGroup implements [slog.Handler].
func (l loud) WithGroup(name string) slog.Handler { return loud{l.Handler.WithGroup(name)} }

func open[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], work Work, poll time.Duration, log *slog.Logger) (Queue, error) {
	log = slog.New(loud{log.Handler()})
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("create the queue's tables: %w", err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker{work: work})
	client, err := river.NewClient(driver, &river.Config{
		Logger: log, Workers: workers, MaxAttempts: 1, JobTimeout: -1, RescueStuckJobsAfter: rescueAfter,
		FetchPollInterval: poll,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: Slots}},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	return &riverQueue[TTx]{client: client}, nil
}

// Add implements [Queue].
func (q *riverQueue[TTx]) Add(ctx context.Context, id int64) error {
	_, err := q.client.Insert(ctx, job{id}, &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true}})
	if err != nil {
		return fmt.Errorf("queue job %d: %w", id, err)
	}
	return nil
}

// Start implements [Queue].
func (q *riverQueue[TTx]) Start(ctx context.Context) error {
	if err := q.client.Start(ctx); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	return nil
}

// Stop implements [Queue].
func (q *riverQueue[TTx]) Stop(ctx context.Context) error {
	if q.stopped.Swap(true) {
		return nil
	}
	if err := q.client.StopAndCancel(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("stop the queue: %w", err)
	}
	return nil
}
