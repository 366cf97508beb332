package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/folder"
	"github.com/gameday-dev/gameday/internal/sqlitefile"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// indexVersion is that of the index's tables. One of another version is rebuilt.
const indexVersion = 1

const tables = `CREATE TABLE runs (
	id TEXT PRIMARY KEY, stamp TEXT NOT NULL, scenario TEXT NOT NULL, environment TEXT NOT NULL, component TEXT NOT NULL,
	verdict TEXT NOT NULL, started INTEGER NOT NULL, problem TEXT NOT NULL, document TEXT NOT NULL);
CREATE INDEX runs_started ON runs (started);`

func open(ctx context.Context, dir string) (*History, error) {
	// Several processes may write at once: each waits for the other.
	db, err := sqlitefile.Open(filepath.Join(dir, IndexFile), "busy_timeout(20000)", "journal_mode(WAL)")
	if err != nil {
		return nil, fmt.Errorf("open the index of runs: %w", err)
	}
	h := &History{dir: dir, db: db, kept: map[string]brief{}}
	if err := h.prepare(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the index of runs: %w", err), db.Close())
	}
	return h, nil
}

// prepare makes the tables if they are missing, or are of another version.
func (h *History) prepare(ctx context.Context) error {
	return h.within(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version == indexVersion {
			return err
		}
		_, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS runs;"+tables+"PRAGMA user_version = "+strconv.Itoa(indexVersion))
		return err
	})
}

func (h *History) within(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := h.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Refresh brings the index up to date with the folders, and costs little if nothing
// has changed. [Open] does it too: it is for a history that stays open.
func (h *History) Refresh(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	stamps, err := h.folders()
	if err != nil || h.stamps != nil && maps.Equal(stamps, h.stamps) {
		return err
	}
	if err := h.within(ctx, func(tx *sql.Tx) error {
		// Looked at again while no other process writes: another process may have taken in a
		// run since.
		if stamps, err = h.folders(); err != nil {
			return err
		}
		return h.follow(ctx, tx, stamps)
	}); err != nil {
		return fmt.Errorf("bring the index of runs up to date: %w", err)
	}
	h.stamps = stamps
	maps.DeleteFunc(h.kept, func(id string, _ brief) bool { return stamps[id] == "" })
	return nil
}

// follow takes out what is gone, and takes in what is new or another one.
func (h *History) follow(ctx context.Context, tx *sql.Tx, stamps map[string]string) error {
	known, err := knownStamps(ctx, tx)
	if err != nil {
		return err
	}
	for id := range known {
		if stamps[id] != "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM runs WHERE id = ?", id); err != nil {
			return err
		}
	}
	for id, stamp := range stamps {
		if known[id] == stamp {
			continue
		}
		if err := h.index(ctx, tx, id, stamp); err != nil {
			return err
		}
	}
	return nil
}

// folders are the stamps of the runs' folders: each tells one state of a folder from
// another.
func (h *History) folders() (map[string]string, error) {
	folders, err := os.ReadDir(h.dir)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	stamps := map[string]string{}
	for _, f := range folders {
		if !f.IsDir() || !isRun(filepath.Join(h.dir, f.Name())) {
			continue
		}
		var parts []string
		for _, name := range []string{"verdict.json", run.MetaFile} {
			if info, err := os.Stat(filepath.Join(h.dir, f.Name(), name)); err == nil {
				parts = append(parts, fmt.Sprintf("%s %d %d", name, info.Size(), info.ModTime().UnixNano()))
			}
		}
		stamps[f.Name()] = "v" + strconv.Itoa(indexVersion) + " " + strings.Join(parts, ", ")
	}
	return stamps, nil
}

// isRun tells a run's folder from those of sweeps and trials: it has a record.
func isRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "events.jsonl"))
	return err == nil
}

func knownStamps(ctx context.Context, tx *sql.Tx) (map[string]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id, stamp FROM runs")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	known := map[string]string{}
	for rows.Next() {
		var id, stamp string
		if err := rows.Scan(&id, &stamp); err != nil {
			return nil, err
		}
		known[id] = stamp
	}
	return known, rows.Err()
}

func (h *History) index(ctx context.Context, tx *sql.Tx, id, stamp string) error {
	r, document, problem := load(filepath.Join(h.dir, id))
	started := r.Started
	if started.IsZero() {
		started = startOf(id)
	}
	_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		id, stamp, r.Scenario, r.Environment, r.Suspect.Component, string(r.Outcome), started.UnixNano(), problem, document)
	return err
}

// interrupted is the problem of a run without a record, and hence without evidence.
const interrupted = "still in progress, or interrupted before the verdict"

// load reads a run's verdict; the problem says why there is none.
func load(dir string) (r report.Report, document, problem string) {
	data, err := folder.ReadFile(dir, "verdict.json")
	switch {
	case errors.Is(err, folder.ErrNotRegular):
		return r, "", "its verdict.json is not a regular file"
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Join(dir, run.MetaFile)); err == nil {
			return r, "", "verdict.json is missing: run gameday report to rebuild it"
		}
		return r, "", interrupted
	case err != nil:
		return r, "", err.Error()
	}
	if err := record.Decode(data, report.Schema, &r); err != nil {
		if newer, ok := errors.AsType[*record.SchemaError](err); ok {
			return report.Report{}, "", "its verdict.json: " + newer.Error()
		}
		return report.Report{}, "", "verdict.json is damaged: run gameday report to rebuild it"
	}
	return r, string(data), ""
}

// startOf is the moment in a run's id.
func startOf(id string) time.Time {
	stamp, _, _ := strings.Cut(id, "-")
	t, _ := time.Parse(run.IDTime, stamp) // zero if a person has named the folder
	return t
}
