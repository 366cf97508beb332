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

// Hold is an environment in which nothing may begin, as long as an incident lasts.
type Hold struct {
	Environment string    `json:"environment"`
	Why         string    `json:"why"`
	Who         string    `json:"who"`
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until,omitzero"` // until it is released where it is zero
}

// Hold holds an environment. Another hold of it is replaced.
func (s *Store) Hold(ctx context.Context, h Hold) error {
	_, err := s.exec(ctx, s.db, `INSERT INTO gameday_holds (environment, why, who, since, until) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (environment) DO UPDATE SET why = excluded.why, who = excluded.who, since = excluded.since, until = excluded.until`,
		h.Environment, h.Why, h.Who, micros(h.Since), micros(h.Until))
	return err
}

// Release ends a hold; [ErrNone] where there is none.
func (s *Store) Release(ctx context.Context, environment string) error {
	n, err := s.exec(ctx, s.db, "DELETE FROM gameday_holds WHERE environment = ?", environment)
	if err == nil && n == 0 {
		err = fmt.Errorf("hold of %s: %w", environment, ErrNone)
	}
	return err
}

// Holds are those that last at a moment, by environment.
func (s *Store) Holds(ctx context.Context, now time.Time) ([]Hold, error) {
	return list(ctx, s, func(scan func(...any) error) (Hold, error) {
		var h Hold
		var since, until int64
		err := scan(&h.Environment, &h.Why, &h.Who, &since, &until)
		h.Since, h.Until = moment(since), moment(until)
		return h, err
	}, "SELECT environment, why, who, since, until FROM gameday_holds WHERE until = 0 OR until > ? ORDER BY environment", micros(now))
}

// Role is what somebody may do. Whoever may operate may look on too.
type Role string

// The roles, the lesser first.
const (
	Anyone  Role = "anyone" // what needs no token at all
	View    Role = "view"
	Operate Role = "operate"
)

// Covers tells whether whoever has a role may do what needs another one.
func (r Role) Covers(need Role) bool {
	rank := map[Role]int{Anyone: 1, View: 2, Operate: 3}
	return rank[need] > 0 && rank[r] >= rank[need]
}

// Kinds of tokens.
const (
	Named   = "token"   // that a person made, for a program
	Session = "session" // of a browser
	Once    = "once"    // that logs in one browser
)

// Token is a right that was given. Its text is known only to whoever was given it.
type Token struct {
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	Role    Role      `json:"role"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"` // never where it is zero
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text)) // of 256 random bits: nothing slower is needed
	return hex.EncodeToString(sum[:])
}

// NewToken makes a token, and gives its text, which is kept nowhere.
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
				return "", fmt.Errorf("token %s: there is one of that name already; revoke it first", t.Name)
			}
		}
	}
	_, err = s.exec(ctx, s.db, "INSERT INTO gameday_tokens (hash, name, kind, role, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
		hash(text), t.Name, t.Kind, string(t.Role), micros(t.Created), micros(t.Expires))
	return text, err
}

// Token is the right of a text, of one of some kinds; [ErrNone] where it gives none.
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

// Spend ends a token, so that it can be used once: [ErrNone] where somebody was
// quicker.
func (s *Store) Spend(ctx context.Context, text string) error {
	n, err := s.exec(ctx, s.db, "DELETE FROM gameday_tokens WHERE hash = ?", hash(text))
	if err == nil && n == 0 {
		err = fmt.Errorf("token: %w", ErrNone)
	}
	return err
}

// Tokens are those that people have made for programs, by name.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return list(ctx, s, func(scan func(...any) error) (Token, error) {
		var t Token
		var created, expires int64
		err := scan(&t.Name, &t.Kind, &t.Role, &created, &expires)
		t.Created, t.Expires = moment(created), moment(expires)
		return t, err
	}, "SELECT name, kind, role, created, expires FROM gameday_tokens WHERE kind = 'token' ORDER BY name")
}

// Revoke ends a token by its name, and all sessions that began with it; [ErrNone] where
// there is none.
func (s *Store) Revoke(ctx context.Context, name string) error {
	n, err := s.exec(ctx, s.db, "DELETE FROM gameday_tokens WHERE name = ?", name)
	if err == nil && n == 0 {
		err = fmt.Errorf("token %s: %w", name, ErrNone)
	}
	return err
}

// Sweep forgets tokens whose time is over.
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

// Audit adds a line to the audit log, which is append-only: the database refuses to
// change or remove one.
func (s *Store) Audit(ctx context.Context, e Entry) error {
	_, err := s.exec(ctx, s.db, "INSERT INTO gameday_audit (at, who, origin, what, outcome) VALUES (NOW, ?, ?, ?, ?)", e.Who, e.From, e.What, e.Outcome)
	return err
}

// AuditLog are the newest lines of it, the newest first.
func (s *Store) AuditLog(ctx context.Context, limit int) ([]Entry, error) {
	return list(ctx, s, func(scan func(...any) error) (Entry, error) {
		var e Entry
		var at int64
		err := scan(&e.ID, &at, &e.Who, &e.From, &e.What, &e.Outcome)
		e.At = moment(at)
		return e, err
	}, "SELECT id, at, who, origin, what, outcome FROM gameday_audit ORDER BY id DESC LIMIT ?", limit)
}
