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
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

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

func newText() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	return "gd_" + base64.RawURLEncoding.EncodeToString(random[:])
}

// NewToken creates a token and returns its text, which is not stored.
func (s *Store) NewToken(ctx context.Context, t Token) (text string, err error) {
	if t.Kind == Named {
		if err := checkName(t.Name); err != nil {
			return "", err
		}
	}
	text = newText()
	err = s.behind(ctx, s.sql.exclusive, func(tx *sql.Tx) error {
		var n int
		err := tx.QueryRowContext(ctx, s.sql.rebind("SELECT COUNT(*) FROM gameday_tokens WHERE kind = ? AND name = ?"), Named, t.Name).Scan(&n)
		if err == nil && n > 0 && t.Kind == Named {
			err = fmt.Errorf("token %s exists: choose another name, or revoke it first", t.Name)
		}
		if err != nil {
			return err
		}
		return s.insert(ctx, tx, text, t)
	})
	return text, err
}

func (s *Store) insert(ctx context.Context, on runner, text string, t Token) error {
	_, err := s.exec(ctx, on, "INSERT INTO gameday_tokens (hash, name, kind, role, created, expires) VALUES (?, ?, ?, ?, ?, ?)",
		hash(text), t.Name, t.Kind, string(t.Role), micros(t.Created), micros(t.Expires))
	return err
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

// LogIn starts a session of a browser with a named token, or with a login link, which is
// spent. The session lasts as long as given, but not longer than a named token, and ends if
// that is revoked. LogIn returns the session's text, and the session. It returns [ErrNone]
// if there is no such token, or if it has expired.
func (s *Store) LogIn(ctx context.Context, text string, now time.Time, lasts time.Duration) (session string, t Token, err error) {
	if t, err = s.Token(ctx, text, now, Named, Once); err != nil {
		return "", Token{}, err
	}
	statement := "UPDATE gameday_tokens SET name = name WHERE hash = ?" // locks it, so that Revoke waits
	if t.Kind == Once {
		statement = "DELETE FROM gameday_tokens WHERE hash = ?"
	}
	expires := now.Add(lasts)
	if t.Kind == Named && !t.Expires.IsZero() && t.Expires.Before(expires) {
		expires = t.Expires
	}
	session, t = newText(), Token{Name: t.Name, Kind: Session, Role: t.Role, Created: now, Expires: expires}
	err = s.within(ctx, func(tx *sql.Tx) error {
		n, err := s.exec(ctx, tx, statement, hash(text))
		if err == nil && n == 0 {
			err = fmt.Errorf("token: %w", ErrNone)
		}
		if err != nil {
			return err
		}
		return s.insert(ctx, tx, session, t)
	})
	if err != nil {
		return "", Token{}, err
	}
	return session, t, nil
}

// LogOut ends a session, if there is one.
func (s *Store) LogOut(ctx context.Context, session string) error {
	_, err := s.exec(ctx, s.db, "DELETE FROM gameday_tokens WHERE hash = ? AND kind = ?", hash(session), Session)
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
	return s.within(ctx, func(tx *sql.Tx) error {
		// The token goes first: a login that is under way ends before, and its session is seen then.
		n, err := s.exec(ctx, tx, "DELETE FROM gameday_tokens WHERE name = ? AND kind <> ?", name, Session)
		if err != nil {
			return err
		}
		sessions, err := s.exec(ctx, tx, "DELETE FROM gameday_tokens WHERE name = ?", name)
		if err == nil && n+sessions == 0 {
			err = fmt.Errorf("token %s: %w", plaintext.OneLine(name, maxName), ErrNone)
		}
		return err
	})
}

// Sweep deletes expired tokens.
func (s *Store) Sweep(ctx context.Context, now time.Time) error {
	_, err := s.exec(ctx, s.db, "DELETE FROM gameday_tokens WHERE expires <> 0 AND expires < ?", micros(now))
	return err
}

// Names in the audit log that are not those of tokens.
const (
	Anonymous      = "anonymous"       // a client without a token
	LocalUser      = "local user"      // the same, on the daemon's machine
	UnknownToken   = "unknown token"   // a client whose token is not valid
	UnknownClients = "unknown clients" // several of these
	SeveralClients = "several clients" // with or without a token
	LinkName       = "login link"      // a browser that logged in with a link
)

// maxTokenName is the maximum length of a token's name, in characters.
const maxTokenName = 64

// checkName checks the name of a new token. It stands in the audit log and on the page,
// where it must not be taken for another one.
func checkName(name string) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxTokenName {
		return fmt.Errorf("found a token name of %d characters, expected 1 to %d", n, maxTokenName)
	}
	plain := strings.ToLower(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " "))
	if plain == "" || plaintext.OneLine(name, 4*maxTokenName) != name {
		return fmt.Errorf("found the token name %q, expected printable characters with a letter or a digit, and single spaces between words", name)
	}
	// "gameday" stands for the daemon, "schedule NAME" for a schedule.
	taken := []string{Anonymous, LocalUser, UnknownToken, UnknownClients, SeveralClients, LinkName, "gameday", "schedule", "somebody on this machine"}
	if slices.Contains(taken, plain) || strings.HasPrefix(plain, "schedule ") {
		return fmt.Errorf("token name %q: gameday uses this name in the audit log itself: choose another one", name)
	}
	return nil
}
