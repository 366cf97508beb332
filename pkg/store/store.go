// Package store holds the state of gameday serve: jobs, the progress of schedules,
// holds, tokens, and the audit log. It is a SQLite file, or a PostgreSQL database that
// several instances share.
//
// Undo does not need the store: everything for it is in the journals.
package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Version is the version of the tables. Newer versions are refused.
const Version = 1

// Errors that callers branch on.
var (
	ErrNewer = errors.New("a newer gameday created this store")
	ErrNone  = errors.New("not found")
	ErrState = errors.New("not allowed in its current state")
)

// Store is an open store.
type Store struct {
	db   *sql.DB
	pool *pgxpool.Pool // nil for SQLite
	name string        // for messages: without a password
	id   string        // of its tables
	sql  dialect

	mu       sync.Mutex
	renewals map[int64]renewal // of the locks that were there at the last look, by job
}

// dialect is the difference between the two databases.
type dialect struct {
	serial string // the type of an auto-increment key
	now    string // the time of the database's clock, in microseconds
	rebind func(query string) string
	guard  []string // statements that make the audit log append-only
	// shared and exclusive begin a transaction that claims jobs, or that forbids to: the
	// second waits for the first, and keeps them from beginning.
	shared, exclusive string
}

func sqlite() dialect {
	return dialect{
		serial: "INTEGER PRIMARY KEY AUTOINCREMENT",
		now:    "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		rebind: func(query string) string { return query },
		guard: []string{
			`CREATE TRIGGER IF NOT EXISTS gameday_audit_no_update BEFORE UPDATE ON gameday_audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
			`CREATE TRIGGER IF NOT EXISTS gameday_audit_no_delete BEFORE DELETE ON gameday_audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
			// INSERT OR REPLACE removes the line that is in its way, and no trigger of DELETE fires.
			`CREATE TRIGGER IF NOT EXISTS gameday_audit_no_replace BEFORE INSERT ON gameday_audit WHEN EXISTS (SELECT 1 FROM gameday_audit WHERE id = NEW.id)
				BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
		},
		// Transactions that write follow one another anyway.
	}
}

func postgres() dialect {
	return dialect{
		serial: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
		now:    "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
		rebind: numbered,
		guard: []string{
			`CREATE OR REPLACE FUNCTION gameday_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$`,
			`CREATE OR REPLACE TRIGGER gameday_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gameday_audit FOR EACH STATEMENT EXECUTE FUNCTION gameday_append_only()`,
		},
		shared: "SELECT pg_advisory_xact_lock_shared(8421)", exclusive: "SELECT pg_advisory_xact_lock(8421)",
	}
}

// numbered replaces each ? with $1, $2, and so on. No query contains another ?.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Close closes the store.
func (s *Store) Close() error {
	err := s.db.Close()
	if s.pool != nil {
		s.pool.Close()
	}
	return err
}

// Shared reports whether several instances may share the store.
func (s *Store) Shared() bool { return s.pool != nil }

// Name is the store's address without a password.
func (s *Store) Name() string { return s.name }

// ID is unique to the store, wherever it is opened and under whatever address.
func (s *Store) ID() string { return s.id }

// DB is the database, for the queue, which keeps its tables in it.
func (s *Store) DB() *sql.DB { return s.db }

// Pool is PostgreSQL's connection pool, for the queue; nil for SQLite.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Ping checks that the store can be reached.
func (s *Store) Ping(ctx context.Context) error {
	var version int
	return s.db.QueryRowContext(ctx, "SELECT version FROM gameday_store").Scan(&version)
}

const tables = `
CREATE TABLE gameday_store (version INTEGER NOT NULL);
CREATE TABLE gameday_schedules (name TEXT PRIMARY KEY, seen BIGINT NOT NULL);
CREATE TABLE gameday_jobs (id SERIAL_KEY, schedule TEXT, due BIGINT NOT NULL, what TEXT NOT NULL, environment TEXT NOT NULL, args TEXT NOT NULL,
	who TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL DEFAULT '', expires BIGINT NOT NULL, instance TEXT NOT NULL DEFAULT '',
	began BIGINT NOT NULL DEFAULT 0, ended BIGINT NOT NULL DEFAULT 0, run TEXT NOT NULL DEFAULT '', verdict TEXT NOT NULL DEFAULT '',
	exit_code INTEGER NOT NULL DEFAULT -1, document TEXT NOT NULL DEFAULT '', stopped_by TEXT NOT NULL DEFAULT '', UNIQUE (schedule, due));
CREATE INDEX gameday_jobs_state ON gameday_jobs (state, environment);
CREATE TABLE gameday_locks (environment TEXT PRIMARY KEY, job BIGINT NOT NULL, instance TEXT NOT NULL, renewed BIGINT NOT NULL);
CREATE TABLE gameday_holds (environment TEXT PRIMARY KEY, why TEXT NOT NULL, who TEXT NOT NULL, since BIGINT NOT NULL, until BIGINT NOT NULL);
CREATE TABLE gameday_tokens (hash TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL);
CREATE TABLE gameday_audit (id SERIAL_KEY, at BIGINT NOT NULL, who TEXT NOT NULL, origin TEXT NOT NULL, what TEXT NOT NULL, outcome TEXT NOT NULL)`

// behind does something in a transaction, behind one of the dialect's gates.
func (s *Store) behind(ctx context.Context, gate string, do func(*sql.Tx) error) error {
	return s.within(ctx, func(tx *sql.Tx) error {
		if gate != "" {
			if _, err := tx.ExecContext(ctx, gate); err != nil {
				return err
			}
		}
		return do(tx)
	})
}

func (s *Store) within(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // err is the cause
		return err
	}
	return tx.Commit()
}

// runner is a database or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// exec runs a statement and returns the number of changed rows.
func (s *Store) exec(ctx context.Context, on runner, statement string, args ...any) (int64, error) {
	result, err := on.ExecContext(ctx, s.sql.rebind(strings.ReplaceAll(statement, "NOW", s.sql.now)), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// list reads all rows of a query.
func list[T any](ctx context.Context, s *Store, read func(scan func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	rows, err := s.db.QueryContext(ctx, s.sql.rebind(strings.ReplaceAll(query, "NOW", s.sql.now)), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		row, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// Times are stored as microseconds since 1970; 0 is the zero time.

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
