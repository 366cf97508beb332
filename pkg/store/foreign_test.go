package store_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/store"
)

// aLockIsItsInstances: an outcome with the number of a job, but of another instance,
// changes neither the job nor its lock (H6).
func aLockIsItsInstances(t *testing.T, s *store.Store) {
	t.Helper()
	j := begin(t, s)
	o := store.Outcome{Job: j.ID, Instance: "of another machine", State: store.Done, Verdict: "proven", Ended: time.Now()}
	if err := s.Finish(t.Context(), o); !errors.Is(err, store.ErrForeign) {
		t.Errorf("an outcome of another instance: %v", err)
	}
	if _, err := s.Renew(t.Context(), j.ID, "a"); err != nil {
		t.Errorf("the lock is gone: %v", err)
	}
	if _, err := s.Renew(t.Context(), j.ID, "b"); !errors.Is(err, store.ErrState) {
		t.Errorf("another instance renews the lock: %v", err)
	}
	if got := must[store.Job](t)(s.Job(t.Context(), j.ID)); got.State != store.Running || got.Verdict != "" {
		t.Errorf("%+v", got)
	}
}

// aForeignOutcomeIsRefused: the outcome of another store is not written down, even if job
// and instance have the same names there (H6).
func aForeignOutcomeIsRefused(t *testing.T, s *store.Store) {
	t.Helper()
	other := openAt(t, filepath.Join(t.TempDir(), "other.db"))
	if s.ID() == other.ID() {
		t.Fatal("two stores have one ID")
	}
	j := begin(t, s)
	o := store.Outcome{Store: other.ID(), Job: j.ID, Instance: "a", State: store.Done, Verdict: "proven", Ended: time.Now()}
	if err := s.Finish(t.Context(), o); !errors.Is(err, store.ErrForeign) {
		t.Errorf("an outcome of another store: %v", err)
	}
	if _, err := s.Renew(t.Context(), j.ID, "a"); err != nil {
		t.Errorf("the lock is gone: %v", err)
	}
	o.Store = s.ID()
	if err := s.Finish(t.Context(), o); err != nil {
		t.Error(err)
	}
	if got := must[store.Job](t)(s.Job(t.Context(), j.ID)); got.Verdict != "proven" {
		t.Errorf("%+v", got)
	}
}

// whatIsLeftIsHeldAtOnce: if faults are left in an environment, it is on hold from the
// moment that its lock is free.
func whatIsLeftIsHeldAtOnce(t *testing.T, s *store.Store) {
	t.Helper()
	j := begin(t, s)
	hold := &store.Hold{Environment: "staging", Who: "gameday", Why: "db is down", Since: time.Now()}
	if err := s.Finish(t.Context(), store.Outcome{Job: j.ID, Instance: "a", State: store.Done, Ended: time.Now(), Hold: hold}); err != nil {
		t.Fatal(err)
	}
	next := queued("staging")
	next.ID = must[int64](t)(s.Add(t.Context(), next))
	if ok, err := s.Claim(t.Context(), next, "a", lease); ok || err != nil {
		t.Errorf("claimed %v (%v) where faults are left", ok, err)
	}
}
