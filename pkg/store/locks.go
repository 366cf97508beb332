package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Claim marks a queued job as running and takes the lock of its environment. So no job
// starts twice, and no two jobs run in one environment. A lock that was not renewed for
// a lease is free. claimed is false if the environment is in use. Claim returns
// [ErrState] if the job is no longer queued.
func (s *Store) Claim(ctx context.Context, j Job, instance string, lease time.Duration) (claimed bool, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		n, err := s.exec(ctx, tx, `INSERT INTO gameday_locks (environment, job, instance, renewed) VALUES (?, ?, ?, NOW)
			ON CONFLICT (environment) DO UPDATE SET job = excluded.job, instance = excluded.instance, renewed = excluded.renewed
			WHERE gameday_locks.renewed < excluded.renewed - ?`, j.Environment, j.ID, instance, lease.Microseconds())
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
	return claimed, err
}

// Renew renews the lock of a running job. stoppedBy is who requested to stop the job,
// or "". Renew returns [ErrState] if the lock was lost.
func (s *Store) Renew(ctx context.Context, id int64) (stoppedBy string, err error) {
	n, err := s.exec(ctx, s.db, "UPDATE gameday_locks SET renewed = NOW WHERE job = ?", id)
	if err != nil {
		return "", err
	}
	if n == 0 {
		return "", fmt.Errorf("the lock of job %d: %w", id, ErrState)
	}
	err = s.db.QueryRowContext(ctx, s.sql.rebind("SELECT stopped_by FROM gameday_jobs WHERE id = ?"), id).Scan(&stoppedBy)
	return stoppedBy, err
}

// Stop requests to stop a running job; id 0 means all jobs. It returns the number of
// jobs.
func (s *Store) Stop(ctx context.Context, id int64, who string) (n int64, err error) {
	return s.exec(ctx, s.db, "UPDATE gameday_jobs SET stopped_by = ? WHERE state = ? AND stopped_by = '' AND (? = 0 OR id = ?)", who, string(Running), id, id)
}

// Outcome is how a job ended.
type Outcome struct {
	Job      int64     `json:"job"`
	Instance string    `json:"instance"`
	State    State     `json:"state"`
	Why      string    `json:"why"`
	Run      string    `json:"run"`
	Verdict  string    `json:"verdict"`
	ExitCode int       `json:"exit_code"`
	Document string    `json:"document"` // its verdict.json
	Ended    time.Time `json:"ended"`
}

// Finish records how a job ended, and releases its environment. It also corrects a job
// that was marked as interrupted meanwhile.
func (s *Store) Finish(ctx context.Context, o Outcome) error {
	return s.within(ctx, func(tx *sql.Tx) error {
		_, err := s.exec(ctx, tx, "UPDATE gameday_jobs SET state = ?, why = ?, run = ?, verdict = ?, exit_code = ?, document = ?, ended = ? WHERE id = ? AND instance = ? AND state IN ('running', 'interrupted')",
			string(o.State), o.Why, o.Run, o.Verdict, o.ExitCode, o.Document, micros(o.Ended), o.Job, o.Instance)
		if err == nil {
			_, err = s.exec(ctx, tx, "DELETE FROM gameday_locks WHERE job = ?", o.Job)
		}
		return err
	})
}

// Reap marks running jobs as interrupted if their lock was not renewed for a lease. It
// returns these jobs.
func (s *Store) Reap(ctx context.Context, lease time.Duration) ([]Job, error) {
	dead, err := list(ctx, s, readJob, "SELECT "+jobColumns+` FROM gameday_jobs WHERE state = 'running' AND NOT EXISTS
		(SELECT 1 FROM gameday_locks WHERE gameday_locks.job = gameday_jobs.id AND renewed >= NOW - ?)`, lease.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("look for interrupted jobs: %w", err)
	}
	var mine []Job
	for _, j := range dead {
		j.State, j.Why = Interrupted, fmt.Sprintf("instance %s died or lost the store; its guard undoes the faults", j.Instance)
		err := s.within(ctx, func(tx *sql.Tx) error {
			n, err := s.exec(ctx, tx, "UPDATE gameday_jobs SET state = ?, why = ?, ended = NOW WHERE id = ? AND state = 'running'", string(j.State), j.Why, j.ID)
			if err == nil && n > 0 {
				mine = append(mine, j)
				_, err = s.exec(ctx, tx, "DELETE FROM gameday_locks WHERE job = ?", j.ID)
			}
			return err
		})
		if err != nil {
			return mine, fmt.Errorf("mark job %d as interrupted: %w", j.ID, err)
		}
	}
	return mine, nil
}
