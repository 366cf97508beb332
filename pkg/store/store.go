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
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver
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
	sql  dialect
}

// dialect is the difference between the two databases.
type dialect struct {
	serial string // the type of an auto-increment key
	now    string // the time of the database's clock, in microseconds
	rebind func(query string) string
	guard  []string // statements that make the audit log append-only
}

func sqlite() dialect {
	return dialect{
		serial: "INTEGER PRIMARY KEY AUTOINCREMENT",
		now:    "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
		rebind: func(query string) string { return query },
		guard: []string{
			`CREATE TRIGGER IF NOT EXISTS gameday_audit_no_update BEFORE UPDATE ON gameday_audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
			`CREATE TRIGGER IF NOT EXISTS gameday_audit_no_delete BEFORE DELETE ON gameday_audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
		},
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

// Open opens a store and creates its tables. where is the path of a SQLite file, or a
// postgres:// URL. The caller closes the store.
func Open(ctx context.Context, where string) (s *Store, err error) {
	if strings.HasPrefix(where, "postgres://") || strings.HasPrefix(where, "postgresql://") {
		s, err = openPostgres(ctx, where)
	} else {
		s, err = openSQLite(where)
	}
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", s.name, err), s.Close())
	}
	return s, nil
}

func openSQLite(path string) (*Store, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	db.SetMaxOpenConns(1) // as River recommends: more connections fail with "database is locked"
	return &Store{db: db, name: path, sql: sqlite()}, nil
}

func openPostgres(ctx context.Context, where string) (*Store, error) {
	config, err := pgxpool.ParseConfig(where)
	if err != nil {
		return nil, errors.New("open store: expected postgres://user:password@host:port/database") // err would repeat the password
	}
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	name := fmt.Sprintf("postgres://%s:%d/%s", config.ConnConfig.Host, config.ConnConfig.Port, config.ConnConfig.Database)
	return &Store{db: stdlib.OpenDBFromPool(pool), pool: pool, name: name, sql: postgres()}, nil
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

// prepare creates the tables. Several instances may start at the same time: only one of
// them creates the tables.
func (s *Store) prepare(ctx context.Context) error {
	return s.within(ctx, func(tx *sql.Tx) error {
		exists := "SELECT COUNT(*) FROM sqlite_master WHERE name = 'gameday_store'"
		if s.Shared() {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(8420)"); err != nil {
				return err
			}
			exists = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'gameday_store'"
		}
		var n int
		if err := tx.QueryRowContext(ctx, exists).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return checkVersion(ctx, tx)
		}
		all := strings.Split(strings.ReplaceAll(tables, "SERIAL_KEY", s.sql.serial), ";")
		all = append(all, s.sql.guard...)
		all = append(all, "INSERT INTO gameday_store (version) VALUES ("+strconv.Itoa(Version)+")")
		for _, statement := range all {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkVersion(ctx context.Context, tx *sql.Tx) error {
	var version int
	err := tx.QueryRowContext(ctx, "SELECT version FROM gameday_store").Scan(&version)
	if err == nil && version > Version {
		err = fmt.Errorf("%w: found version %d, expected up to %d: use a newer gameday", ErrNewer, version, Version)
	}
	return err
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
