package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Outcomes wait in files until they are in the store. Daemons of several stores may share
// the folder of them, so each store has its own folder there: jobs of different stores
// have the same numbers.

// spoolDir is the folder for outcomes of this daemon's store.
func (d *Daemon) spoolDir() string { return filepath.Join(d.Spool, d.Store.ID()) }

func (d *Daemon) spoolFile(id int64) string {
	return filepath.Join(d.spoolDir(), fmt.Sprintf("job-%d.json", id))
}

// finish records the outcome of a job: first in a file, then in the store. So no verdict
// is lost if the store is unreachable.
func (d *Daemon) finish(ctx context.Context, o store.Outcome) {
	o.Store = d.Store.ID()
	data, err := json.Marshal(o)
	if err == nil {
		err = atomicfile.WriteBytes(d.spoolFile(o.Job), 0o600, data)
	}
	d.note(fmt.Sprintf("outcome of job %d", o.Job), err)
	ctx, cancel := context.WithTimeout(ctx, tickTimeout)
	defer cancel()
	err = d.Store.Finish(ctx, o)
	d.note("store", err)
	if err == nil {
		_ = os.Remove(d.spoolFile(o.Job)) // a file that stays is written to the store again, which is harmless
	}
}

// replay writes the outcomes that wait in files to the store.
func (d *Daemon) replay(ctx context.Context) error {
	// Earlier versions wrote them to the folder that all stores share.
	for _, dir := range []string{d.spoolDir(), d.Spool} {
		files, err := os.ReadDir(dir)
		if err != nil {
			return fmt.Errorf("look for outcomes: %w", err)
		}
		for _, f := range files {
			path := filepath.Join(dir, f.Name())
			if f.IsDir() || d.foreign[path] || !strings.HasPrefix(f.Name(), "job-") || filepath.Ext(f.Name()) != ".json" {
				continue
			}
			if err := d.record(ctx, path); err != nil {
				return err
			}
		}
	}
	return nil
}

// record writes an outcome of a file to the store. It leaves one of another store alone.
func (d *Daemon) record(ctx context.Context, path string) error {
	data, err := os.ReadFile(path) //nolint:gosec // G304: our own folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another instance has recorded it
	}
	if err != nil {
		return fmt.Errorf("read an outcome: %w", err)
	}
	var o store.Outcome
	if err := json.Unmarshal(data, &o); err != nil {
		d.broken(path, err)
		return nil
	}
	if o.Instance == d.Instance && d.isRunning(o.Job) {
		return nil // finish is recording it
	}
	switch err := d.Store.Finish(ctx, o); {
	case errors.Is(err, store.ErrForeign):
		d.foreign[path] = true
		d.Log.Info("skipped an outcome that belongs to another store", "file", path)
		return nil
	case err != nil:
		return fmt.Errorf("record the outcome of job %d: %w", o.Job, err)
	}
	_ = os.Remove(path) // likewise
	d.Hub.Publish(Live{Kind: Changed, Job: o.Job})
	return nil
}

// broken puts a file aside that cannot be read; the run's folder has the verdict. In the
// folder that stores share, it may be another's.
func (d *Daemon) broken(path string, err error) {
	d.Log.Error("read an outcome", "file", path, "err", err)
	if filepath.Dir(path) == d.Spool || os.Rename(path, path+".broken") != nil {
		d.foreign[path] = true
	}
}
