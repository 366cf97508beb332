package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// State is the state of a job.
type State string

// The states of a job.
const (
	Awaiting    State = "awaiting"    // it needs approval
	Queued      State = "queued"      // it waits for its environment or for a free slot
	Running     State = "running"     // it is running
	Done        State = "done"        // it ended with a verdict, or with an error
	Missed      State = "missed"      // its time passed, and it did not start
	Refused     State = "refused"     // it did not start because of a hold or a condition, or it was stopped before
	Interrupted State = "interrupted" // its instance died or lost the store
)

// Job is a run that a schedule or a person requested.
type Job struct {
	ID          int64     `json:"id"`
	Schedule    string    `json:"schedule,omitempty"` // empty if a person requested it
	Due         time.Time `json:"due"`
	What        string    `json:"what"` // the name of the scenario, or sweep
	Environment string    `json:"environment"`
	// Sweep is what a sweep breaks, if What is a sweep.
	Sweep     *scenario.Sweep `json:"sweep,omitempty"`
	Args      []string        `json:"args,omitempty"` // of a job written before Sweep existed
	Who       string          `json:"who"`            // who requested it
	State     State           `json:"state"`
	Why       string          `json:"why,omitempty"`
	Expires   time.Time       `json:"expires"` // the job does not start after this time
	Instance  string          `json:"instance,omitempty"`
	Began     time.Time       `json:"began,omitzero"`
	Ended     time.Time       `json:"ended,omitzero"`
	Run       string          `json:"run,omitempty"` // the run's ID in the history
	Verdict   string          `json:"verdict,omitempty"`
	ExitCode  int             `json:"exit_code"` // -1 until the job ends
	StoppedBy string          `json:"stopped_by,omitempty"`
}

const jobColumns = "id, COALESCE(schedule, ''), due, what, environment, args, who, state, why, expires, instance, began, ended, run, verdict, exit_code, stopped_by"

func readJob(scan func(...any) error) (Job, error) {
	var j Job
	var due, expires, began, ended int64
	var args string
	err := scan(&j.ID, &j.Schedule, &due, &j.What, &j.Environment, &args, &j.Who, &j.State, &j.Why, &expires, &j.Instance, &began, &ended, &j.Run, &j.Verdict, &j.ExitCode, &j.StoppedBy)
	if err != nil {
		return j, err
	}
	j.Due, j.Expires, j.Began, j.Ended = moment(due), moment(expires), moment(began), moment(ended)
	if strings.HasPrefix(args, "{") {
		return j, json.Unmarshal([]byte(args), &j.Sweep)
	}
	return j, json.Unmarshal([]byte(args), &j.Args)
}

// Add adds a job and returns its ID.
func (s *Store) Add(ctx context.Context, j Job) (id int64, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		id, err = s.add(ctx, tx, j)
		return err
	})
	return id, err
}

func (s *Store) add(ctx context.Context, tx *sql.Tx, j Job) (id int64, err error) {
	args := []byte("[]")
	if j.Sweep != nil {
		if args, err = json.Marshal(j.Sweep); err != nil {
			return 0, err
		}
	}
	var schedule any
	if j.Schedule != "" {
		schedule = j.Schedule
	}
	query := "INSERT INTO gameday_jobs (schedule, due, what, environment, args, who, state, why, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id"
	err = tx.QueryRowContext(ctx, s.sql.rebind(query), schedule, micros(j.Due), j.What, j.Environment, string(args), j.Who, string(j.State), j.Why, micros(j.Expires)).Scan(&id)
	return id, err
}

// Seen is the time up to which a schedule has been processed. A new schedule starts
// at now.
func (s *Store) Seen(ctx context.Context, schedule string, now time.Time) (time.Time, error) {
	if _, err := s.exec(ctx, s.db, "INSERT INTO gameday_schedules (name, seen) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", schedule, micros(now)); err != nil {
		return time.Time{}, err
	}
	var seen int64
	err := s.db.QueryRowContext(ctx, s.sql.rebind("SELECT seen FROM gameday_schedules WHERE name = ?"), schedule).Scan(&seen)
	return moment(seen), err
}

// Advance marks a schedule as processed up to a time and adds the jobs of that span,
// in one transaction. ok is false if another instance has already done so.
func (s *Store) Advance(ctx context.Context, schedule string, from, to time.Time, jobs []Job) (ids []int64, ok bool, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		n, err := s.exec(ctx, tx, "UPDATE gameday_schedules SET seen = ? WHERE name = ? AND seen = ?", micros(to), schedule, micros(from))
		if err != nil || n == 0 {
			return err
		}
		ok = true
		for _, j := range jobs {
			id, err := s.add(ctx, tx, j)
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids, ok, err
}

// Filter selects jobs. Empty fields match all jobs.
type Filter struct {
	ID                    int64
	Schedule, Environment string
	States                []State
	Limit                 int // the maximum number of jobs, newest first
}

// Jobs are the jobs that match a filter, newest first.
func (s *Store) Jobs(ctx context.Context, f Filter) ([]Job, error) {
	query, args := "SELECT "+jobColumns+" FROM gameday_jobs WHERE 1 = 1", []any{}
	if f.ID != 0 {
		query, args = query+" AND id = ?", append(args, f.ID)
	}
	if f.Schedule != "" {
		query, args = query+" AND schedule = ?", append(args, f.Schedule)
	}
	if f.Environment != "" {
		query, args = query+" AND environment = ?", append(args, f.Environment)
	}
	if len(f.States) > 0 {
		query += " AND state IN (?" + strings.Repeat(", ?", len(f.States)-1) + ")"
		for _, state := range f.States {
			args = append(args, string(state))
		}
	}
	query += " ORDER BY id DESC"
	if f.Limit > 0 {
		query, args = query+" LIMIT ?", append(args, f.Limit)
	}
	all, err := list(ctx, s, readJob, query, args...)
	if err != nil {
		return nil, fmt.Errorf("look up jobs: %w", err)
	}
	return all, nil
}

// Job is the job with an ID, or [ErrNone].
func (s *Store) Job(ctx context.Context, id int64) (Job, error) {
	all, err := s.Jobs(ctx, Filter{ID: id})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("job %d: %w", id, ErrNone)
	}
	if err != nil {
		return Job{}, err
	}
	return all[0], nil
}

// Document is the verdict.json of a job that is done, else "".
func (s *Store) Document(ctx context.Context, id int64) (document string, err error) {
	err = s.db.QueryRowContext(ctx, s.sql.rebind("SELECT document FROM gameday_jobs WHERE id = ?"), id).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("job %d: %w", id, ErrNone)
	}
	return document, err
}

// Drop ends a job that has not started. It returns [ErrState] if the job has started or
// ended meanwhile.
func (s *Store) Drop(ctx context.Context, id int64, state State, why string) error {
	return s.turned(ctx, id, "UPDATE gameday_jobs SET state = ?, why = ? WHERE id = ? AND state IN (?, ?)",
		string(state), why, id, string(Awaiting), string(Queued))
}

// Approve approves a job. It returns [ErrState] if the job is not awaiting approval.
func (s *Store) Approve(ctx context.Context, id int64, who string, expires time.Time) error {
	// In one statement: with the time of its approval still, it would count as too late.
	return s.turned(ctx, id, "UPDATE gameday_jobs SET state = ?, why = ?, expires = ? WHERE id = ? AND state = ?",
		string(Queued), "approved by "+who, micros(expires), id, string(Awaiting))
}

// turned changes the state of a job by a statement. It returns [ErrState] if the job is in
// none of the states that the statement is about.
func (s *Store) turned(ctx context.Context, id int64, statement string, args ...any) error {
	n, err := s.exec(ctx, s.db, statement, args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("job %d: %w", id, ErrState)
	}
	return err
}

// States are all states of jobs.
func States() []State {
	return []State{Awaiting, Queued, Running, Done, Missed, Refused, Interrupted}
}

// Counts is the number of jobs in each state.
func (s *Store) Counts(ctx context.Context) (map[State]int, error) {
	type counted struct {
		State
		n int
	}
	all, err := list(ctx, s, func(scan func(...any) error) (c counted, err error) {
		err = scan(&c.State, &c.n)
		return c, err
	}, "SELECT state, COUNT(*) FROM gameday_jobs GROUP BY state")
	counts := map[State]int{}
	for _, c := range all {
		counts[c.State] = c.n
	}
	return counts, err
}
