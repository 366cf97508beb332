package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/gameday-dev/gameday/internal/sqlitefile"
)

// Open opens a store and creates its tables. where is the path of a SQLite file, or a
// postgres:// URL. The caller closes the store.
func Open(ctx context.Context, where string) (s *Store, err error) {
	scheme, path, err := split(where)
	switch {
	case err != nil:
		return nil, err
	case scheme != "":
		s, err = openPostgres(ctx, scheme+":"+path)
	default:
		s, err = openSQLite(path)
	}
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", s.name, err), s.Close())
	}
	return s, nil
}

const expectedURL = "expected postgres://user:password@host:port/database"

// split tells a URL of PostgreSQL from the path of a file. Anything else that looks like
// an address is refused, and only its scheme is repeated: it may contain a password.
func split(where string) (scheme, rest string, err error) {
	found := regexp.MustCompile(`(?s)^([A-Za-z][A-Za-z0-9+.-]+):(.*)$`).FindStringSubmatch(where)
	if found == nil {
		if regexp.MustCompile(`^[A-Za-z_]+ *=`).MatchString(where) && !exists(where) { // host=… password=…
			return "", "", errors.New("open store: found settings of a connection, " + expectedURL + ", or ./NAME for a file")
		}
		return "", where, nil
	}
	scheme, rest = strings.ToLower(found[1]), found[2]
	switch postgres := scheme == "postgres" || scheme == "postgresql"; {
	case postgres && strings.HasPrefix(rest, "//"):
		return scheme, rest, nil
	case postgres:
		return "", "", errors.New("open store: " + expectedURL)
	case exists(where):
		return "", where, nil // a file with a colon in its name
	}
	return "", "", fmt.Errorf("open store: found %s:…, %s or the path of a SQLite file: ./NAME if its name has a colon", found[1], expectedURL)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func openSQLite(path string) (*Store, error) {
	db, err := sqlitefile.Open(path, "busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return &Store{db: db, name: path, sql: sqlite()}, nil
}

func openPostgres(ctx context.Context, where string) (*Store, error) {
	config, err := pgxpool.ParseConfig(where)
	if err != nil {
		return nil, errors.New("open store: " + expectedURL) // err would repeat the password
	}
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	name := fmt.Sprintf("postgres://%s:%d/%s", config.ConnConfig.Host, config.ConnConfig.Port, config.ConnConfig.Database)
	return &Store{db: stdlib.OpenDBFromPool(pool), pool: pool, name: name, sql: postgres()}, nil
}

// prepare creates the tables. Several instances may start at the same time: only one of
// them creates the tables.
func (s *Store) prepare(ctx context.Context) error {
	return s.within(ctx, func(tx *sql.Tx) error {
		if s.Shared() {
			if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock(8420)"); err != nil {
				return err
			}
		}
		created, err := s.has(ctx, tx, "gameday_store")
		if err == nil && created {
			err = checkVersion(ctx, tx)
		}
		if err != nil {
			return err
		}
		for _, statement := range s.statements(created) {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return s.identify(ctx, tx)
	})
}

// statements create the tables, or what a store of an earlier gameday lacks.
func (s *Store) statements(created bool) []string {
	switch {
	case !created:
		all := strings.Split(strings.ReplaceAll(tables, "SERIAL_KEY", s.sql.serial), ";")
		all = append(all, s.sql.guard...)
		return append(all, "INSERT INTO gameday_store (version) VALUES ("+strconv.Itoa(Version)+")")
	case s.Shared():
		return nil
	}
	return s.sql.guard
}

// identify reads the ID of the store. Stores of earlier versions get one, in a table that
// these versions ignore.
func (s *Store) identify(ctx context.Context, tx *sql.Tx) error {
	created, err := s.has(ctx, tx, "gameday_identity")
	if err != nil {
		return err
	}
	if !created {
		if _, err := tx.ExecContext(ctx, "CREATE TABLE gameday_identity (id TEXT NOT NULL)"); err != nil {
			return err
		}
		if _, err := s.exec(ctx, tx, "INSERT INTO gameday_identity (id) VALUES (?)", strings.ToLower(rand.Text())); err != nil {
			return err
		}
	}
	return tx.QueryRowContext(ctx, "SELECT id FROM gameday_identity").Scan(&s.id)
}

// has reports whether there is a table.
func (s *Store) has(ctx context.Context, tx *sql.Tx, table string) (bool, error) {
	query := "SELECT COUNT(*) FROM sqlite_master WHERE name = ?"
	if s.Shared() {
		query = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?"
	}
	var n int
	err := tx.QueryRowContext(ctx, s.sql.rebind(query), table).Scan(&n)
	return n > 0, err
}

func checkVersion(ctx context.Context, tx *sql.Tx) error {
	var version int
	err := tx.QueryRowContext(ctx, "SELECT version FROM gameday_store").Scan(&version)
	if err == nil && version > Version {
		err = fmt.Errorf("%w: found version %d, expected up to %d: use a newer gameday", ErrNewer, version, Version)
	}
	return err
}
