package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/pgtest"
	"github.com/gameday-dev/gameday/pkg/store"
)

// A job that is claimed at the very moment of a stop or a hold either does not run, or is
// told to stop (M2).
func TestNoJobRunsUntold(t *testing.T) {
	t.Parallel()
	races(t, filepath.Join(t.TempDir(), "races.db"))
}

func TestNoJobRunsUntoldOnPostgres(t *testing.T) {
	t.Parallel()
	races(t, pgtest.New(t).Database("store_races"))
}

func races(t *testing.T, where string) {
	t.Helper()
	n := 1000
	if testing.Short() {
		n = 100
	}
	a, b := openAt(t, where), openAt(t, where) // two processes
	ran := 0
	for i := range n {
		j := queued(fmt.Sprintf("e%d", i))
		j.ID = must[int64](t)(a.Add(t.Context(), j))
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := a.Claim(t.Context(), j, "i", lease); err != nil && !errors.Is(err, store.ErrState) {
				t.Error(err)
			}
		})
		both.Go(func() {
			var err error
			switch i % 3 {
			case 0:
				_, err = b.Stop(t.Context(), 0, "ann")
			case 1:
				_, err = b.Stop(t.Context(), j.ID, "ann")
			default:
				err = b.Hold(t.Context(), store.Hold{Environment: j.Environment, Why: "incident 7", Who: "ann", Since: time.Now()})
			}
			if err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		switch got := must[store.Job](t)(a.Job(t.Context(), j.ID)); {
		case got.State == store.Running && got.StoppedBy == "":
			t.Fatalf("race %d: the job runs, and was not told to stop", i)
		case got.State == store.Running:
			ran++
			if err := a.Finish(t.Context(), store.Outcome{Job: j.ID, Instance: "i", State: store.Done, Ended: time.Now()}); err != nil {
				t.Fatal(err)
			}
		case got.State == store.Queued: // under a hold
			if ok, err := a.Claim(t.Context(), j, "i", lease); ok || err != nil {
				t.Fatalf("race %d: claimed %v under a hold (%v)", i, ok, err)
			}
			if err := a.Drop(t.Context(), j.ID, store.Refused, "on hold"); err != nil {
				t.Fatal(err)
			}
		case got.State != store.Refused:
			t.Fatalf("race %d: %+v", i, got)
		}
	}
	t.Logf("of %d jobs %d ran, and all were told to stop", n, ran)
}
