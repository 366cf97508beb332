package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// Hold keeps jobs from starting in an environment, for example during an incident.
type Hold struct {
	Environment string    `json:"environment"`
	Why         string    `json:"why"`
	Who         string    `json:"who"`
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until,omitzero"` // zero: until the hold is released
}

func (s *Store) hold(ctx context.Context, tx *sql.Tx, h Hold) error {
	_, err := s.exec(ctx, tx, `INSERT INTO gameday_holds (environment, why, who, since, until) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (environment) DO UPDATE SET why = excluded.why, who = excluded.who, since = excluded.since, until = excluded.until`,
		h.Environment, h.Why, h.Who, micros(h.Since), micros(h.Until))
	return err
}

// Release ends a hold. It returns [ErrNone] if the environment is not held.
func (s *Store) Release(ctx context.Context, environment string) error {
	n, err := s.exec(ctx, s.db, "DELETE FROM gameday_holds WHERE environment = ?", environment)
	if err == nil && n == 0 {
		err = fmt.Errorf("environment %s is not on hold: %w", environment, ErrNone)
	}
	return err
}

// Holds are the holds in effect at now, sorted by environment.
func (s *Store) Holds(ctx context.Context, now time.Time) ([]Hold, error) {
	return list(ctx, s, func(scan func(...any) error) (Hold, error) {
		var h Hold
		var since, until int64
		err := scan(&h.Environment, &h.Why, &h.Who, &since, &until)
		h.Since, h.Until = moment(since), moment(until)
		return h, err
	}, "SELECT environment, why, who, since, until FROM gameday_holds WHERE until = 0 OR until > ? ORDER BY environment", micros(now))
}

// Role is what a person may do. Each role includes the lower ones.
type Role string

// The roles, the lowest first.
const (
	Anyone  Role = "anyone" // no token required
	View    Role = "view"
	Operate Role = "operate"
)

// Covers reports whether a role includes another one.
func (r Role) Covers(need Role) bool {
	rank := map[Role]int{Anyone: 1, View: 2, Operate: 3}
	return rank[need] > 0 && rank[r] >= rank[need]
}

// Entry is a line of the audit log.
type Entry struct {
	ID      int64     `json:"id"`
	At      time.Time `json:"at"`
	Who     string    `json:"who"`
	From    string    `json:"from"`
	What    string    `json:"what"`
	Outcome string    `json:"outcome"`
}

// The maximum lengths of the texts of an [Entry], in bytes.
const (
	maxName = 200
	maxText = 1000
)

// Short is the entry with its texts as they are kept: each on one line, and bounded, since
// nothing can be removed from the log.
func (e Entry) Short() Entry {
	e.Who, e.From = plaintext.OneLine(e.Who, maxName), plaintext.OneLine(e.From, maxName)
	e.What, e.Outcome = plaintext.OneLine(e.What, maxText), plaintext.OneLine(e.Outcome, maxText)
	return e
}

// Audit adds a line to the audit log. The log is append-only: the database refuses to
// change or delete a line.
func (s *Store) Audit(ctx context.Context, e Entry) error {
	e = e.Short()
	_, err := s.exec(ctx, s.db, "INSERT INTO gameday_audit (at, who, origin, what, outcome) VALUES (NOW, ?, ?, ?, ?)", e.Who, e.From, e.What, e.Outcome)
	return err
}

// AuditLog is the newest lines of the audit log, newest first. Lines of an older gameday
// may be longer than those of today; their ends are left out.
func (s *Store) AuditLog(ctx context.Context, limit int) ([]Entry, error) {
	return list(ctx, s, func(scan func(...any) error) (Entry, error) {
		var e Entry
		var at int64
		err := scan(&e.ID, &at, &e.Who, &e.From, &e.What, &e.Outcome)
		e.At = moment(at)
		return e, err
	}, "SELECT id, at, SUBSTR(who, 1, ?), SUBSTR(origin, 1, ?), SUBSTR(what, 1, ?), SUBSTR(outcome, 1, ?) FROM gameday_audit ORDER BY id DESC LIMIT ?",
		maxName, maxName, maxText, maxText, limit)
}
