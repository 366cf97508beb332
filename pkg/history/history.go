// Package history makes stored runs searchable, and compares them.
//
// Runs are folders, and they are the truth. The index beside them, a SQLite
// database, only knows what stands in their verdict.json; it is brought up to date
// whenever it is asked, and rebuilt if it is missing or broken.
package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// IndexFile is the name of the index, in the folder of the runs' folders.
const IndexFile = "history.db"

// Entry is a run as the index knows it.
type Entry struct {
	ID      string
	Dir     string
	Started time.Time
	Problem string        // why it has no verdict: it was cut off, or is of a newer gameday
	Report  report.Report // its verdict.json; empty if there is a problem
}

// Filter narrows runs down. What is empty does not.
type Filter struct {
	Scenario, Environment, Component, Verdict string
	Since                                     time.Time
}

// History is the runs of a folder. It is safe for concurrent use.
type History struct {
	dir string
	db  *sql.DB

	mu      sync.Mutex
	stamps  map[string]string // of the folders, when the index was brought up to date
	kept    map[string]brief  // by id: what [History.Overview] has decoded
	decodes int               // how often it has
}

// ErrNoRun is wrapped by the error of a reference that leads to no run.
var ErrNoRun = errors.New("there is no such run")

// Open opens the history of a folder of runs, and brings its index up to date. The
// caller closes it.
func Open(ctx context.Context, dir string) (*History, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, fmt.Errorf("%w: there are no runs in %s: start one with gameday run SCENARIO, or set --out", ErrNoRun, dir)
	}
	h, err := open(ctx, dir)
	if err == nil {
		if err = h.Refresh(ctx); err == nil {
			return h, nil
		}
		_ = h.Close() // what is wrong has been said
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	// An index that cannot be used is rebuilt: it holds nothing of its own.
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if removeErr := os.Remove(filepath.Join(dir, IndexFile+suffix)); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
			return nil, errors.Join(err, removeErr)
		}
	}
	if h, err = open(ctx, dir); err != nil {
		return nil, err
	}
	if err := h.Refresh(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// Close closes the index.
func (h *History) Close() error { return h.db.Close() }

// Runs are those that a filter lets through, the oldest first.
func (h *History) Runs(ctx context.Context, f Filter) ([]Entry, error) {
	var all []Entry
	err := h.search(ctx, "started, problem, document", f, func(scan scanner) error {
		var e Entry
		var started int64
		var document string
		if err := scan(&e.ID, &started, &e.Problem, &document); err != nil {
			return err
		}
		e.Dir, e.Started = filepath.Join(h.dir, e.ID), time.Unix(0, started).UTC()
		all = append(all, e)
		return all[len(all)-1].decode(document)
	})
	return all, err
}

// decode reads the verdict.json of a run, if it has one.
func (e *Entry) decode(document string) error {
	if document == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(document), &e.Report); err != nil {
		return fmt.Errorf("%s: %w", e.ID, err)
	}
	return nil
}

// scanner takes the columns of a row.
type scanner func(into ...any) error

// search gives on the rows of runs that a filter lets through, the oldest first: the id
// and the columns.
func (h *History) search(ctx context.Context, columns string, f Filter, on func(scanner) error) error {
	query, args := "SELECT id, "+columns+" FROM runs WHERE 1 = 1", []any{}
	for column, value := range map[string]string{"scenario": f.Scenario, "environment": f.Environment, "component": f.Component, "verdict": f.Verdict} {
		if value != "" {
			query, args = query+" AND "+column+" = ?", append(args, value)
		}
	}
	if !f.Since.IsZero() {
		query, args = query+" AND started >= ?", append(args, f.Since.UnixNano())
	}
	rows, err := h.db.QueryContext(ctx, query+" ORDER BY started, id", args...)
	if err != nil {
		return fmt.Errorf("search runs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := on(rows.Scan); err != nil {
			return fmt.Errorf("search runs: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("search runs: %w", err)
	}
	return nil
}

// Evidence is the newest run about each suspect of each environment, of runs in their
// order; keys are an environment and a component. Runs that prove nothing are none.
func Evidence(runs []Entry) map[[2]string]report.Report {
	newest := map[[2]string]report.Report{}
	for _, e := range runs {
		r := e.Report
		if r.Suspect.Component != "" && proves(r) {
			newest[[2]string{r.Environment, r.Suspect.Component}] = r
		}
	}
	return newest
}

// proves reports whether a run proves or disproves that its suspect is a single point of
// failure. That people recover service in time disproves nothing: they are no redundancy.
func proves(r report.Report) bool {
	o := r.Outcome
	return o == verdict.Proven || o == verdict.Degraded || o == verdict.Disproved && r.ByHand == nil
}

// Issues are the issues of trackers about each suspect of each environment, as the newest
// runs have left them, of runs in their order; keys are as those of [Evidence].
func Issues(runs []Entry) map[[2]string][]report.Issue {
	all := map[[2]string][]report.Issue{}
	for _, e := range runs {
		key := [2]string{e.Report.Environment, e.Report.Suspect.Component}
		for _, i := range e.Report.Issues {
			known := slices.IndexFunc(all[key], func(old report.Issue) bool { return old.URL == i.URL })
			if known < 0 {
				all[key] = append(all[key], i)
			} else {
				all[key][known] = i
			}
		}
	}
	return all
}

// Find is the run that a person means: an id, the beginning of one that no other
// has, last, or last~1 for the one before.
func (h *History) Find(ctx context.Context, reference string) (Entry, error) {
	all, err := h.Runs(ctx, Filter{})
	if err != nil {
		return Entry{}, err
	}
	if back, ok := strings.CutPrefix(reference, "last"); ok && (back == "" || back[0] == '~') {
		n, err := strconv.Atoi(strings.TrimPrefix(back, "~"))
		if back == "" {
			n, err = 0, nil
		}
		if err != nil || n < 0 || n >= len(all) {
			return Entry{}, fmt.Errorf("%s: %w: the history has only %d runs", reference, ErrNoRun, len(all))
		}
		return all[len(all)-1-n], nil
	}
	var found []Entry
	for _, e := range all {
		if e.ID == reference {
			return e, nil
		}
		if strings.HasPrefix(e.ID, reference) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Entry{}, fmt.Errorf("%s: %w in %s: gameday history lists them", reference, ErrNoRun, h.dir)
	}
	return Entry{}, fmt.Errorf("%s: %w: %d run IDs start with it, such as %s and %s: add more characters", reference, ErrNoRun, len(found), found[0].ID, found[1].ID)
}

// cutOff is how long ago a run without a verdict must have begun to count as
// one that was cut off, and not as one that goes on.
const cutOff = 24 * time.Hour

// Prune removes all but the newest runs of each scenario in each environment, and runs
// that were cut off before they had a record. It returns those that it removed, or would.
func (h *History) Prune(ctx context.Context, keep int, now time.Time, remove func(dir string) error) ([]Entry, error) {
	all, err := h.Runs(ctx, Filter{})
	if err != nil {
		return nil, err
	}
	seen := map[[2]string]int{}
	var gone []Entry
	for _, e := range slices.Backward(all) {
		key := [2]string{e.Report.Scenario, e.Report.Environment}
		switch {
		case e.Problem == "":
			if seen[key]++; seen[key] <= keep {
				continue
			}
		case e.Problem != interrupted || now.Sub(e.Started) < cutOff:
			continue // there is a record, or a verdict that another gameday can read
		}
		if err := ctx.Err(); err != nil { // between two runs: half of a run is worse than one too many
			return gone, err
		}
		if err := remove(e.Dir); err != nil {
			return gone, fmt.Errorf("remove run %s: %w", e.ID, err)
		}
		gone = append(gone, e)
	}
	return gone, h.Refresh(ctx)
}
