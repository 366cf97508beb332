// Package queue hands jobs to instances, each job to one of them, and each once. It is
// river behind three methods; docs/queue.md says what was found of it.
//
// A job is no more than its number here: what it is, and what has become of it, is in
// the store, which decides whether it may begin at all.
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

// Slots is how many jobs an instance works on at once. Those of one environment never
// overlap, whatever it is.
const Slots = 16

// Queue hands out jobs.
type Queue interface {
	// Add adds a job; one that was added already is not added again.
	Add(ctx context.Context, id int64) error
	// Start begins to hand jobs to this instance, once and until Stop.
	Start(ctx context.Context) error
	// Stop hands out no more jobs, ends the contexts of those under way, and waits
	// for them.
	Stop(ctx context.Context) error
}

// Work does a job. Where it cannot yet, it says after what time to try again.
type Work func(ctx context.Context, id int64) (again time.Duration, err error)

// OnSQLite is a queue in a SQLite database, whose pool has one connection.
func OnSQLite(ctx context.Context, db *sql.DB, work Work, log *slog.Logger) (Queue, error) {
	return open(ctx, riversqlite.New(db), work, log)
}

// OnPostgres is a queue in a PostgreSQL database.
func OnPostgres(ctx context.Context, pool *pgxpool.Pool, work Work, log *slog.Logger) (Queue, error) {
	return open(ctx, riverpgxv5.New(pool), work, log)
}

// job is what river knows of a job.
type job struct {
	ID int64 `json:"id" river:"unique"`
}

// Kind names the kind of a job for river.
func (job) Kind() string { return "gameday" }

// worker does jobs for river.
type worker struct {
	river.WorkerDefaults[job]
	work Work
}

// Timeout is none: a game day ends by itself, and is stopped by people.
func (worker) Timeout(*river.Job[job]) time.Duration { return -1 }

// Work does a job, or says when to try again.
func (w worker) Work(ctx context.Context, j *river.Job[job]) error {
	again, err := w.work(ctx, j.Args.ID)
	if err != nil {
		// It is not tried again: what was begun is undone by the journal.
		return river.JobCancel(err)
	}
	if again > 0 {
		return river.JobSnooze(again)
	}
	return nil
}

// rescueAfter is after what time river takes a job for one whose worker is dead. Since
// it has one attempt only, it is then thrown away, and not done again.
const rescueAfter = 24 * time.Hour

type riverQueue[TTx any] struct {
	client  *river.Client[TTx]
	stopped atomic.Bool
}

// loud lets warnings and errors through: whatever else river says is about itself.
type loud struct{ slog.Handler }

// Enabled implements [slog.Handler].
func (l loud) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && l.Handler.Enabled(ctx, level)
}

// WithAttrs implements [slog.Handler].
func (l loud) WithAttrs(attrs []slog.Attr) slog.Handler { return loud{l.Handler.WithAttrs(attrs)} }

// WithGroup implements [slog.Handler].
func (l loud) WithGroup(name string) slog.Handler { return loud{l.Handler.WithGroup(name)} }

func open[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], work Work, log *slog.Logger) (Queue, error) {
	log = slog.New(loud{log.Handler()})
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: log})
	if err != nil {
		return nil, fmt.Errorf("prepare the queue: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, fmt.Errorf("make the queue's tables: %w", err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker{work: work})
	client, err := river.NewClient(driver, &river.Config{
		Logger: log, Workers: workers, MaxAttempts: 1, JobTimeout: -1, RescueStuckJobsAfter: rescueAfter,
		FetchPollInterval: 500 * time.Millisecond,
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
