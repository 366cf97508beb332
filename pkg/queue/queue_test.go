package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/pgtest"
	"github.com/gameday-dev/gameday/pkg/queue"
	"github.com/gameday-dev/gameday/pkg/store"
)

// done counts how often each job ran.
type done struct {
	mu    sync.Mutex
	times map[int64]int
}

func (d *done) work(_ context.Context, id int64) (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.times[id]++
	switch {
	case id == 3 && d.times[id] < 3:
		return 10 * time.Millisecond, nil // try again
	case id == 4:
		return 0, errors.New("it is broken")
	}
	return 0, nil
}

func (d *done) all(n int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.times) >= n && d.times[3] >= 3
}

// Two instances share a queue. Each job runs once, however often it is added. A job that
// asks for another try runs again, and a job that fails does not.
func TestQueue(t *testing.T) {
	t.Parallel()
	for database, where := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "q.db") },
		"postgres": func(t *testing.T) string { t.Helper(); return pgtest.New(t).Database("queue") },
	} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			where := where(t)
			d := &done{times: map[int64]int{}}
			var queues []queue.Queue
			for range 2 {
				s, err := store.Open(t.Context(), where)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = s.Close() })
				q, err := open(t.Context(), s, d.work)
				if err != nil {
					t.Fatal(err)
				}
				if err := q.Start(context.WithoutCancel(t.Context())); err != nil {
					t.Fatal(err)
				}
				queues = append(queues, q)
			}
			const jobs = 20
			for id := range int64(jobs) {
				for _, q := range append(queues, queues...) {
					if err := q.Add(t.Context(), id+1); err != nil {
						t.Fatal(err)
					}
				}
			}
			deadline := time.After(30 * time.Second)
			for !d.all(jobs) {
				// As the daemon does: the job waits for another try.
				if err := queues[0].Add(t.Context(), 3); err != nil {
					t.Fatal(err)
				}
				select {
				case <-deadline:
					t.Fatalf("not all jobs ran: %v", d.times)
				case <-time.After(20 * time.Millisecond):
				}
			}
			for _, q := range queues {
				if err := errors.Join(q.Stop(t.Context()), q.Stop(t.Context())); err != nil {
					t.Error(err)
				}
			}
			for id, n := range d.times {
				if want := map[int64]int{3: 3}[id]; n != max(want, 1) && id != 4 {
					t.Errorf("job %d ran %d times", id, n)
				}
			}
		})
	}
}

func open(ctx context.Context, s *store.Store, work queue.Work) (queue.Queue, error) {
	if s.Shared() {
		return queue.OnPostgres(ctx, s.Pool(), work, slog.New(slog.DiscardHandler))
	}
	return queue.OnSQLite(ctx, s.DB(), work, slog.New(slog.DiscardHandler))
}
