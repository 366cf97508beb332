package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Claim marks a queued job as running and takes the lock of its environment. So no job
// starts twice, and no two jobs run in one environment. The lock of a job that runs is
// released by [Store.Finish] and [Store.Reap] alone. claimed is false if the environment is in use or on hold: a hold that
// [Store.Hold] has made is never missed. Claim returns [ErrState] if the job is no
// longer queued.
func (s *Store) Claim(ctx context.Context, j Job, instance string, lease time.Duration) (claimed bool, err error) {
	err = s.behind(ctx, s.sql.shared, func(tx *sql.Tx) error {
		n, err := s.exec(ctx, tx, `INSERT INTO gameday_locks (environment, job, instance, renewed)
			SELECT ?, ?, ?, NOW WHERE NOT EXISTS (SELECT 1 FROM gameday_holds WHERE environment = ? AND (until = 0 OR until > NOW))
			ON CONFLICT (environment) DO UPDATE SET job = excluded.job, instance = excluded.instance, renewed = excluded.renewed
			WHERE gameday_locks.renewed < excluded.renewed - ?
			AND NOT EXISTS (SELECT 1 FROM gameday_jobs WHERE gameday_jobs.id = gameday_locks.job AND gameday_jobs.state = 'running')`, j.Environment, j.ID, instance, j.Environment, lease.Microseconds())
		if err != nil || n == 0 {
			return err
		}
		n, err = s.exec(ctx, tx, "UPDATE gameday_jobs SET state = ?, why = '', instance = ?, began = NOW WHERE id = ? AND state = ?", string(Running), instance, j.ID, string(Queued))
		if err == nil && n == 0 {
			err = fmt.Errorf("job %d: %w", j.ID, ErrState)
		}
		claimed = err == nil
		return err
	})
	return claimed && err == nil, err
}

// Renew renews the lock of a job that runs on an instance. stoppedBy is who requested to
// stop the job, or "". Renew returns [ErrState] if the lock was lost.
func (s *Store) Renew(ctx context.Context, id int64, instance string) (stoppedBy string, err error) {
	n, err := s.exec(ctx, s.db, "UPDATE gameday_locks SET renewed = NOW WHERE job = ? AND instance = ?", id, instance)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", fmt.Errorf("the lock of job %d: %w", id, ErrState)
	}
	err = s.db.QueryRowContext(ctx, s.sql.rebind("SELECT stopped_by FROM gameday_jobs WHERE id = ?"), id).Scan(&stoppedBy)
	return stoppedBy, err
}

// Stop requests to stop a running job, and drops one that has not started; id 0 means all
// jobs. No job can be claimed meanwhile, so none is missed. It returns the number of jobs.
func (s *Store) Stop(ctx context.Context, id int64, who string) (n int, err error) {
	err = s.behind(ctx, s.sql.exclusive, func(tx *sql.Tx) error {
		running, err := s.exec(ctx, tx, "UPDATE gameday_jobs SET stopped_by = ? WHERE state = ? AND stopped_by = '' AND (? = 0 OR id = ?)", who, string(Running), id, id)
		if err != nil {
			return err
		}
		waiting, err := s.exec(ctx, tx, "UPDATE gameday_jobs SET state = ?, why = ? WHERE state IN (?, ?) AND (? = 0 OR id = ?)",
			string(Refused), "stopped by "+who+" before it started", string(Awaiting), string(Queued), id, id)
		n = int(running + waiting)
		return err
	})
	return n, err
}

// Hold holds an environment and requests to stop the job that runs there. It replaces an
// earlier hold. No job can be claimed meanwhile, so none starts unseen.
func (s *Store) Hold(ctx context.Context, h Hold) error {
	err := s.behind(ctx, s.sql.exclusive, func(tx *sql.Tx) error {
		if err := s.hold(ctx, tx, h); err != nil {
			return err
		}
		_, err := s.exec(ctx, tx, "UPDATE gameday_jobs SET stopped_by = ? WHERE state = ? AND stopped_by = '' AND environment = ?",
			h.Who+", who put "+h.Environment+" on hold: "+h.Why, string(Running), h.Environment)
		return err
	})
	if err != nil {
		return fmt.Errorf("hold %s: %w", h.Environment, err)
	}
	return nil
}

// Outcome is how a job ended.
type Outcome struct {
	Store    string    `json:"store,omitempty"` // the ID of its store; empty if an earlier gameday wrote it
	Job      int64     `json:"job"`
	Instance string    `json:"instance"`
	State    State     `json:"state"`
	Why      string    `json:"why"`
	Run      string    `json:"run"`
	Verdict  string    `json:"verdict"`
	ExitCode int       `json:"exit_code"`
	Document string    `json:"document"` // its verdict.json
	Ended    time.Time `json:"ended"`
	Hold     *Hold     `json:"hold,omitempty"` // of its environment, if faults are left there
}

// ErrForeign is an outcome of another store, or of a job that another instance has run.
var ErrForeign = errors.New("not an outcome of this store")

// Finish records how a job ended, and releases its environment. It also corrects a job
// that was marked as interrupted meanwhile. An outcome that is recorded already changes
// nothing. Finish returns [ErrForeign] if the job is not the one that the outcome is about.
func (s *Store) Finish(ctx context.Context, o Outcome) error {
	if o.Store != "" && o.Store != s.id {
		return fmt.Errorf("job %d: %w", o.Job, ErrForeign)
	}
	return s.behind(ctx, s.sql.exclusive, func(tx *sql.Tx) error {
		n, err := s.exec(ctx, tx, "UPDATE gameday_jobs SET state = ?, why = ?, run = ?, verdict = ?, exit_code = ?, document = ?, ended = ? WHERE id = ? AND instance = ? AND state IN ('running', 'interrupted')",
			string(o.State), o.Why, o.Run, o.Verdict, o.ExitCode, o.Document, micros(o.Ended), o.Job, o.Instance)
		switch {
		case err != nil:
		case n == 0:
			err = s.recorded(ctx, tx, o)
		case o.Hold != nil:
			err = s.hold(ctx, tx, *o.Hold) // before another job can be claimed there
		}
		if err == nil {
			_, err = s.exec(ctx, tx, "DELETE FROM gameday_locks WHERE job = ? AND instance = ?", o.Job, o.Instance)
		}
		return err
	})
}

// recorded returns [ErrForeign] unless an instance has run the job of an outcome.
func (s *Store) recorded(ctx context.Context, tx *sql.Tx, o Outcome) error {
	var n int
	err := tx.QueryRowContext(ctx, s.sql.rebind("SELECT COUNT(*) FROM gameday_jobs WHERE id = ? AND instance = ?"), o.Job, o.Instance).Scan(&n)
	if err == nil && n == 0 {
		err = fmt.Errorf("job %d: %w", o.Job, ErrForeign)
	}
	return err
}

// renewal is when a lock was last renewed, by the store's clock, and since when this process
// has seen no later renewal, by its monotonic clock.
type renewal struct {
	job      int64
	instance string
	at       int64
	since    time.Time
}

// look reads all locks. Only the renewals that this process has seen count: a step of the
// store's clock makes all locks look old, or new for hours.
func (s *Store) look(ctx context.Context) (map[int64]renewal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := list(ctx, s, func(scan func(...any) error) (r renewal, err error) {
		return r, scan(&r.job, &r.instance, &r.at)
	}, "SELECT job, instance, renewed FROM gameday_locks")
	if err != nil {
		return nil, err
	}
	seen := map[int64]renewal{}
	for _, r := range all {
		r.since = time.Now()
		if before, ok := s.renewals[r.job]; ok && before.at == r.at && before.instance == r.instance {
			r.since = before.since
		}
		seen[r.job] = r
	}
	s.renewals = seen
	return seen, nil
}

// Reap marks running jobs as interrupted if this process has seen no renewal of their lock for
// a lease. Call it again and again. It returns these jobs.
func (s *Store) Reap(ctx context.Context, lease time.Duration) ([]Job, error) {
	running, err := list(ctx, s, readJob, "SELECT "+jobColumns+" FROM gameday_jobs WHERE state = 'running'")
	if err != nil {
		return nil, fmt.Errorf("look for running jobs: %w", err)
	}
	if len(running) == 0 {
		return nil, nil
	}
	locks, err := s.look(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for interrupted jobs: %w", err)
	}
	var mine []Job
	for _, j := range running {
		lock, locked := locks[j.ID]
		if locked && time.Since(lock.since) < lease {
			continue
		}
		j.State, j.Why = Interrupted, fmt.Sprintf("instance %s died or lost the store; its guard undoes the faults", j.Instance)
		reaped, err := s.reap(ctx, j, lock)
		if err != nil {
			return mine, fmt.Errorf("mark job %d as interrupted: %w", j.ID, err)
		}
		if reaped {
			mine = append(mine, j)
		}
	}
	return mine, nil
}

// reap marks a job that has no lock but one that is stale, unless the lock was renewed or the
// job was marked since it was looked up. The lock goes first: who would renew it now waits,
// and finds it gone.
func (s *Store) reap(ctx context.Context, j Job, lock renewal) (reaped bool, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, "DELETE FROM gameday_locks WHERE job = ? AND instance = ? AND renewed = ?", j.ID, lock.instance, lock.at); err != nil {
			return err
		}
		n, err := s.exec(ctx, tx, `UPDATE gameday_jobs SET state = ?, why = ?, ended = NOW WHERE id = ? AND state = 'running'
			AND NOT EXISTS (SELECT 1 FROM gameday_locks WHERE gameday_locks.job = gameday_jobs.id)`, string(j.State), j.Why, j.ID)
		reaped = n > 0
		return err
	})
	return reaped && err == nil, err
}
