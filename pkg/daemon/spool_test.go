package daemon_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/store"
)

// shared makes instances use one folder for outcomes.
func shared(dir string) func(*daemon.Daemon) {
	return func(d *daemon.Daemon) { d.Spool = dir }
}

// outcome writes an outcome to a file.
func outcome(t *testing.T, path string, o store.Outcome) {
	t.Helper()
	data, err := json.Marshal(o)
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Daemons with different stores share a folder for outcomes, as they do by default. Each
// leaves the outcomes of the other alone, whose jobs have the same numbers, and the locks
// of its own jobs are its own (H6).
func TestDaemonsOfTwoStoresShareAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a, b := fresh(t), fresh(t)
	a.tune, b.tune = shared(dir), shared(dir)
	a.start()
	b.start()
	job, err := b.Ask(t.Context(), store.Job{What: "app-loss", Environment: "staging", Who: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	b.await(store.Done)
	a.end() // else it would look at the last of these files
	foreign := store.Outcome{Job: job.ID, Instance: a.Instance, State: store.Done, Verdict: "proven", Ended: time.Now()}
	files := []string{filepath.Join(dir, "job-1.json"), filepath.Join(dir, "job-7.json"), filepath.Join(dir, a.Store.ID(), "job-1.json")}
	for _, path := range files {
		outcome(t, path, foreign) // the first two as an earlier gameday wrote them
	}
	// Nothing of it is b's. A job of a has that number, and another instance ran it.
	ticks := b.looks.Load()
	b.eventually("b has looked", func() bool { return b.looks.Load() >= ticks+3 })
	for _, path := range files {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("an outcome of another store is gone: %v", err)
		}
	}
	if got, err := b.Store.Job(t.Context(), job.ID); err != nil || got.Verdict != "disproved" {
		t.Errorf("%+v %v", got, err)
	}
}

// An outcome that an earlier gameday has left in the shared folder is recorded if it is of
// this store's job; one that cannot be read is left there, as it may be another's.
func TestOutcomesOfAnEarlierGameday(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := fresh(t)
	i.tune = shared(dir)
	s, err := store.Open(t.Context(), i.path)
	if err != nil {
		t.Fatal(err)
	}
	j := store.Job{Due: time.Now(), What: "app-loss", Environment: "staging", Who: "ann", State: store.Queued, Expires: time.Now().Add(time.Hour)}
	if j.ID, err = s.Add(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if ok, err := s.Claim(t.Context(), j, "before/7", daemon.Lease); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mine, broken := filepath.Join(dir, "job-1.json"), filepath.Join(dir, "job-2.json")
	outcome(t, mine, store.Outcome{Job: j.ID, Instance: "before/7", State: store.Done, Verdict: "proven", Ended: time.Now()})
	if err := os.WriteFile(broken, []byte(`{"job": 2, "inst`), 0o600); err != nil {
		t.Fatal(err)
	}
	i.start()
	if got := i.await(store.Done); got.Verdict != "proven" {
		t.Errorf("%+v", got)
	}
	i.eventually("the file is gone", func() bool { _, err := os.Stat(mine); return os.IsNotExist(err) })
	if _, err := os.Stat(broken); err != nil {
		t.Error(err)
	}
}
