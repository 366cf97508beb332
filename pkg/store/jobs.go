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

// State is what has become of a job.
type State string

// The states of a job.
const (
	Awaiting    State = "awaiting"    // somebody must approve of it
	Queued      State = "queued"      // it waits for its turn
	Running     State = "running"     // it goes on
	Done        State = "done"        // it has a verdict, or an error that says why not
	Missed      State = "missed"      // its moment passed, and it was not begun
	Refused     State = "refused"     // it was not begun as something stood against it
	Interrupted State = "interrupted" // whoever ran it died, or lost the store
)

// Job is one run that was asked for, by a schedule or by a person.
type Job struct {
	ID          int64     `json:"id"`
	Schedule    string    `json:"schedule,omitempty"` // empty where a person asked for it
	Due         time.Time `json:"due"`
	What        string    `json:"what"` // the scenario, or sweep
	Environment string    `json:"environment"`
	// Sweep is what of the environment is swept, if What is a sweep.
	Sweep     *scenario.Sweep `json:"sweep,omitempty"`
	Args      []string        `json:"args,omitempty"` // of a job that was written before Sweep was
	Who       string          `json:"who"`            // who asked for it
	State     State           `json:"state"`
	Why       string          `json:"why,omitempty"`
	Expires   time.Time       `json:"expires"` // after this it is not begun any more
	Instance  string          `json:"instance,omitempty"`
	Began     time.Time       `json:"began,omitzero"`
	Ended     time.Time       `json:"ended,omitzero"`
	Run       string          `json:"run,omitempty"` // its id in the history
	Verdict   string          `json:"verdict,omitempty"`
	ExitCode  int             `json:"exit_code"` // -1 where it has not ended
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

// Add adds a job, and gives its id.
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

// Seen is up to which moment a schedule was dealt with. One that is new begins now.
func (s *Store) Seen(ctx context.Context, schedule string, now time.Time) (time.Time, error) {
	if _, err := s.exec(ctx, s.db, "INSERT INTO gameday_schedules (name, seen) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", schedule, micros(now)); err != nil {
		return time.Time{}, err
	}
	var seen int64
	err := s.db.QueryRowContext(ctx, s.sql.rebind("SELECT seen FROM gameday_schedules WHERE name = ?"), schedule).Scan(&seen)
	return moment(seen), err
}

// Advance deals with a schedule's moments from one to another: the jobs are added, and
// no other instance deals with them. ok is false where another one did.
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

// Filter narrows jobs down. What is empty does not.
type Filter struct {
	ID                    int64
	Schedule, Environment string
	States                []State
	Limit                 int // the newest so many
}

// Jobs are those that a filter lets through, the newest first.
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
		return nil, fmt.Errorf("look jobs up: %w", err)
	}
	return all, nil
}

// Job is the one with an id; [ErrNone] where there is none.
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

// Document is the verdict.json of a job that is done, or "".
func (s *Store) Document(ctx context.Context, id int64) (document string, err error) {
	err = s.db.QueryRowContext(ctx, s.sql.rebind("SELECT document FROM gameday_jobs WHERE id = ?"), id).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) {
		err = fmt.Errorf("job %d: %w", id, ErrNone)
	}
	return document, err
}

// turn brings a job from one of some states to another. [ErrState] where it is in none
// of them.
func (s *Store) turn(ctx context.Context, id int64, from []State, to State, why string) error {
	args := []any{string(to), why, id}
	for _, state := range from {
		args = append(args, string(state))
	}
	n, err := s.exec(ctx, s.db, "UPDATE gameday_jobs SET state = ?, why = ? WHERE id = ? AND state IN (?"+strings.Repeat(", ?", len(from)-1)+")", args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("job %d: %w", id, ErrState)
	}
	return err
}

// Drop ends a job that was not begun. [ErrState] where it has begun or ended meanwhile.
func (s *Store) Drop(ctx context.Context, id int64, state State, why string) error {
	return s.turn(ctx, id, []State{Awaiting, Queued}, state, why)
}

// Approve lets a job begin that waits for it. [ErrState] where it does not.
func (s *Store) Approve(ctx context.Context, id int64, who string, expires time.Time) error {
	if err := s.turn(ctx, id, []State{Awaiting}, Queued, "approved by "+who); err != nil {
		return err
	}
	_, err := s.exec(ctx, s.db, "UPDATE gameday_jobs SET expires = ? WHERE id = ?", micros(expires), id)
	return err
}

// States are all states of jobs.
func States() []State {
	return []State{Awaiting, Queued, Running, Done, Missed, Refused, Interrupted}
}

// Counts is how many jobs are in each state.
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
