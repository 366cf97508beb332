package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Hold keeps jobs from starting in an environment, for example during an incident.
type Hold struct {
	Environment string    `json:"environment"`
	Why         string    `json:"why"`
	Who         string    `json:"who"`
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until,omitzero"` // zero: until the hold is released
}

// Hold holds an environment. It replaces an earlier hold.
func (s *Store) Hold(ctx context.Context, h Hold) error {
	_, err := s.exec(ctx, s.db, `INSERT INTO gameday_holds (environment, why, who, since, until) VALUES (?, ?, ?, ?, ?)
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

// Kinds of tokens.
const (
	Named   = "token"   // created by a person, for a program
	Session = "session" // a browser's session
	Once    = "once"    // a login link for one browser
)

// Token grants a role to its bearer. The store keeps only a hash of its text.
type Token struct {
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	Role    Role      `json:"role"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // zero: never
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text)) // 256 random bits: a slow hash is not needed
	return hex.EncodeToString(sum[:])
}

// NewToken creates a token and returns its text, which is not stored.
func (s *Store) NewToken(ctx context.Context, t Token) (text string, err error) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	text = "gd_" + base64.RawURLEncoding.EncodeToString(random[:])
	if t.Kind == Named {
		all, err := s.Tokens(ctx)
		if err != nil {
			return "", err
		}
		for _, other := range all {
			if other.Name == t.Name {
				return "", fmt.Errorf("token %s exists: choose another name, or revoke it first", t.Name)
			}
		}
	}
	_, err = s.exec(ctx, s.db, "INSERT INTO gameday_tokens (hash, name, kind, role, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
		hash(text), t.Name, t.Kind, string(t.Role), micros(t.Created), micros(t.Expires))
	return text, err
}

// Token finds a token of one of some kinds by its text. It returns [ErrNone] if there
// is no such token, or if the token has expired.
func (s *Store) Token(ctx context.Context, text string, now time.Time, kinds ...string) (t Token, err error) {
	given := hash(text)
	var kept string
	var created, expires int64
	err = s.db.QueryRowContext(ctx, s.sql.rebind("SELECT hash, name, kind, role, created, expires FROM gameday_tokens WHERE hash = ?"), given).
		Scan(&kept, &t.Name, &t.Kind, &t.Role, &created, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return Token{}, fmt.Errorf("token: %w", ErrNone)
	}
	if err != nil {
		return Token{}, err
	}
	t.Created, t.Expires = moment(created), moment(expires)
	if subtle.ConstantTimeCompare([]byte(kept), []byte(given)) != 1 || !slices.Contains(kinds, t.Kind) || !t.Expires.IsZero() && now.After(t.Expires) {
		return Token{}, fmt.Errorf("token: %w", ErrNone)
	}
	return t, nil
}

// Spend deletes a token, so that it works only once. It returns [ErrNone] if the token
// is already spent.
func (s *Store) Spend(ctx context.Context, text string) error {
	n, err := s.exec(ctx, s.db, "DELETE FROM gameday_tokens WHERE hash = ?", hash(text))
	if err == nil && n == 0 {
		err = fmt.Errorf("token: %w", ErrNone)
	}
	return err
}

// Tokens are the tokens for programs, sorted by name.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return list(ctx, s, func(scan func(...any) error) (Token, error) {
		var t Token
		var created, expires int64
		err := scan(&t.Name, &t.Kind, &t.Role, &created, &expires)
		t.Created, t.Expires = moment(created), moment(expires)
		return t, err
	}, "SELECT name, kind, role, created, expires FROM gameday_tokens WHERE kind = 'token' ORDER BY name")
}

// Revoke deletes a token by its name, and all sessions that started with it. It returns
// [ErrNone] if there is no such token.
func (s *Store) Revoke(ctx context.Context, name string) error {
	n, err := s.exec(ctx, s.db, "DELETE FROM gameday_tokens WHERE name = ?", name)
	if err == nil && n == 0 {
		err = fmt.Errorf("token %s: %w", name, ErrNone)
	}
	return err
}

// Sweep deletes expired tokens.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	_, err := s.exec(ctx, s.db, "DELETE FROM gameday_tokens WHERE expires <> 0 AND expires < ?", micros(now))
	return err
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

// Audit adds a line to the audit log. The log is append-only: the database refuses to
// change or delete a line.
func (s *Store) Audit(ctx context.Context, e Entry) error {
	_, err := s.exec(ctx, s.db, "INSERT INTO gameday_audit (at, who, origin, what, outcome) VALUES (NOW, ?, ?, ?, ?)", e.Who, e.From, e.What, e.Outcome)
	return err
}

// AuditLog is the newest lines of the audit log, newest first.
func (s *Store) AuditLog(ctx context.Context, limit int) ([]Entry, error) {
	return list(ctx, s, func(scan func(...any) error) (Entry, error) {
		var e Entry
		var at int64
		err := scan(&e.ID, &at, &e.Who, &e.From, &e.What, &e.Outcome)
		e.At = moment(at)
		return e, err
	}, "SELECT id, at, who, origin, what, outcome FROM gameday_audit ORDER BY id DESC LIMIT ?", limit)
}
