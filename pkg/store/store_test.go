package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/pgtest"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// promises are what both databases keep.
func promises() map[string]func(*testing.T, *store.Store) {
	return map[string]func(*testing.T, *store.Store){
		"moments": oneDealsWithAMoment, "claims": oneBeginsAJob, "dead": theDeadAreReaped, "the clock is stepped": theClockIsStepped, "late": noVerdictIsLost,
		"approval": approval, "stop": stopping, "holds": holds, "tokens": tokens, "audit": auditIsAppendOnly,
		"locks": aLockIsItsInstances, "foreign": aForeignOutcomeIsRefused, "left": whatIsLeftIsHeldAtOnce, "names": aNameIsOneTokens,
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	for name, promise := range promises() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keeps(t, filepath.Join(t.TempDir(), name+".db"), promise)
		})
	}
}

func TestStoreOnPostgres(t *testing.T) {
	t.Parallel()
	pg := pgtest.New(t)
	for name, promise := range promises() {
		where := pg.Database("store_" + name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keeps(t, where, promise)
		})
	}
}

func keeps(t *testing.T, where string, promise func(*testing.T, *store.Store)) {
	t.Helper()
	s := openAt(t, where)
	promise(t, s)
	// Existing tables are not created again, and are the same store.
	again := openAt(t, where)
	if err := again.Ping(t.Context()); err != nil || s.ID() == "" || again.ID() != s.ID() {
		t.Errorf("%v; the store %q is %q when it is opened again", err, s.ID(), again.ID())
	}
}

func openAt(t *testing.T, where string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), where)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

const lease = 20 * time.Second

func must[T any](t *testing.T) func(v T, err error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func queued(environment string) store.Job {
	now := time.Now()
	return store.Job{Due: now, What: "checkout-app-loss", Environment: environment, Who: "ann", State: store.Queued, Expires: now.Add(time.Minute), Sweep: &scenario.Sweep{Only: []string{"db"}, RTO: time.Second}}
}

// Eight instances process the same schedule at once: one of them adds the job, once.
func oneDealsWithAMoment(t *testing.T, s *store.Store) {
	t.Helper()
	start := time.Now().Truncate(time.Microsecond)
	if seen := must[time.Time](t)(s.Seen(t.Context(), "weekly", start)); !seen.Equal(start) {
		t.Fatalf("a new schedule starts at %v, expected %v", seen, start)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 8 {
		group.Go(func() {
			j := queued("staging")
			j.Schedule, j.Due = "weekly", start.Add(time.Minute)
			_, ok, err := s.Advance(t.Context(), "weekly", start, start.Add(time.Minute), []store.Job{j})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ok {
				won++
			}
		})
	}
	group.Wait()
	all := must[[]store.Job](t)(s.Jobs(t.Context(), store.Filter{Schedule: "weekly"}))
	if won != 1 || len(all) != 1 || all[0].Schedule != "weekly" || all[0].Sweep == nil || all[0].Sweep.RTO != time.Second || strings.Join(all[0].Sweep.Only, " ") != "db" {
		t.Errorf("%d instances dealt with it: %+v", won, all)
	}
	if seen := must[time.Time](t)(s.Seen(t.Context(), "weekly", time.Now())); !seen.Equal(start.Add(time.Minute)) {
		t.Errorf("seen up to %v", seen)
	}
}

// No job starts twice, and no two jobs run in one environment.
func oneBeginsAJob(t *testing.T, s *store.Store) {
	t.Helper()
	var jobs []store.Job
	for range 4 {
		j := queued("staging")
		j.ID = must[int64](t)(s.Add(t.Context(), j))
		jobs = append(jobs, j)
	}
	var group sync.WaitGroup
	var mu sync.Mutex
	var begun []int64
	for _, j := range append(jobs, jobs...) {
		group.Go(func() {
			ok, err := s.Claim(t.Context(), j, "a", lease)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && !errors.Is(err, store.ErrState) {
				t.Error(err)
			}
			if ok {
				begun = append(begun, j.ID)
			}
		})
	}
	group.Wait()
	if len(begun) != 1 {
		t.Fatalf("started at once in one environment: %v", begun)
	}
	if err := s.Finish(t.Context(), store.Outcome{Job: begun[0], Instance: "a", State: store.Done, Verdict: "disproved", Ended: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		ok, err := s.Claim(t.Context(), j, "b", lease)
		if j.ID == begun[0] {
			if ok || !errors.Is(err, store.ErrState) && err != nil {
				t.Errorf("a job that is done started again: %v", err)
			}
			continue
		}
		if !ok || err != nil {
			t.Errorf("the environment is free, and job %d cannot start: %v", j.ID, err)
		}
		break
	}
	other := queued("production")
	other.ID = must[int64](t)(s.Add(t.Context(), other))
	if ok, err := s.Claim(t.Context(), other, "b", lease); !ok || err != nil {
		t.Errorf("another environment is in use: %v", err)
	}
}

func begin(t *testing.T, s *store.Store) store.Job {
	t.Helper()
	j := queued("staging")
	j.ID = must[int64](t)(s.Add(t.Context(), j))
	if ok, err := s.Claim(t.Context(), j, "a", lease); !ok || err != nil {
		t.Fatal(ok, err)
	}
	return j
}

// An instance that renewed nothing for a lease is dead: its job is marked once, never
// starts again, and its environment is free.
func theDeadAreReaped(t *testing.T, s *store.Store) {
	t.Helper()
	j := begin(t, s)
	if dead := must[[]store.Job](t)(s.Reap(t.Context(), lease)); len(dead) != 0 {
		t.Fatalf("reaped jobs of a live instance: %+v", dead)
	}
	if _, err := s.Renew(t.Context(), j.ID, "a"); err != nil {
		t.Fatal(err)
	}
	const short = 10 * time.Millisecond
	must[[]store.Job](t)(s.Reap(t.Context(), lease))
	<-time.After(50 * time.Millisecond)
	if dead := must[[]store.Job](t)(s.Reap(t.Context(), short)); len(dead) != 1 || dead[0].ID != j.ID || dead[0].State != store.Interrupted {
		t.Fatalf("reaped: %+v", dead)
	}
	if dead := must[[]store.Job](t)(s.Reap(t.Context(), short)); len(dead) != 0 {
		t.Errorf("reaped twice: %+v", dead)
	}
	if _, err := s.Renew(t.Context(), j.ID, "a"); !errors.Is(err, store.ErrState) {
		t.Errorf("an instance that counts as dead can renew: %v", err)
	}
	if ok, err := s.Claim(t.Context(), j, "b", lease); ok || !errors.Is(err, store.ErrState) {
		t.Errorf("an interrupted job started again: %v %v", ok, err)
	}
	if got := must[store.Job](t)(s.Job(t.Context(), j.ID)); got.State != store.Interrupted || !strings.Contains(got.Why, "instance a died") {
		t.Errorf("%+v", got)
	}
	begin(t, s)
}

// The clock of the store may be stepped, and that of each instance. No lock is lost by that,
// and none is kept by it.
func theClockIsStepped(t *testing.T, s *store.Store) {
	t.Helper()
	const short = 10 * time.Millisecond
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		j := begin(t, s)
		other := queued("staging")
		other.ID = must[int64](t)(s.Add(t.Context(), other))
		step := func() {
			if _, err := s.DB().ExecContext(t.Context(), fmt.Sprintf("UPDATE gameday_locks SET renewed = renewed - %d", by.Microseconds())); err != nil {
				t.Fatal(err)
			}
		}
		step()
		if ok, err := s.Claim(t.Context(), other, "b", lease); ok || err != nil {
			t.Errorf("stepped by %v, the environment of a running job is free (%v)", by, err)
		}
		if dead := must[[]store.Job](t)(s.Reap(t.Context(), lease)); len(dead) != 0 {
			t.Errorf("stepped by %v, a living job is interrupted", by)
		}
		if _, err := s.Renew(t.Context(), j.ID, "a"); err != nil {
			t.Error(err)
		}
		step()
		must[[]store.Job](t)(s.Reap(t.Context(), lease))
		<-time.After(2 * short)
		if dead := must[[]store.Job](t)(s.Reap(t.Context(), short)); len(dead) != 1 || dead[0].ID != j.ID {
			t.Errorf("stepped by %v, a dead job is not interrupted", by)
		}
		if ok, err := s.Claim(t.Context(), other, "b", lease); !ok || err != nil {
			t.Errorf("stepped by %v, the environment of a dead job is not free (%v)", by, err)
		}
		if err := s.Finish(t.Context(), store.Outcome{Job: other.ID, Instance: "b", State: store.Done, Ended: time.Now()}); err != nil {
			t.Error(err)
		}
	}
}

// An instance that was wrongly taken for dead still records its verdict, and leaves
// the job of another instance alone.
func noVerdictIsLost(t *testing.T, s *store.Store) {
	t.Helper()
	j := begin(t, s)
	must[[]store.Job](t)(s.Reap(t.Context(), lease))
	<-time.After(20 * time.Millisecond)
	must[[]store.Job](t)(s.Reap(t.Context(), time.Millisecond))
	other := begin(t, s)
	o := store.Outcome{Job: j.ID, Instance: "a", State: store.Done, Verdict: "proven", ExitCode: 1, Document: `{"run":"x"}`, Run: "x", Ended: time.Now()}
	if err := errors.Join(s.Finish(t.Context(), o), s.Finish(t.Context(), o)); err != nil {
		t.Fatal(err)
	}
	if got := must[store.Job](t)(s.Job(t.Context(), j.ID)); got.Verdict != "proven" || got.State != store.Done || got.ExitCode != 1 {
		t.Errorf("%+v", got)
	}
	if document := must[string](t)(s.Document(t.Context(), j.ID)); document != `{"run":"x"}` {
		t.Errorf("the document is %s", document)
	}
	if _, err := s.Renew(t.Context(), other.ID, "a"); err != nil {
		t.Errorf("the environment's new lock is gone: %v", err)
	}
	if counts := must[map[store.State]int](t)(s.Counts(t.Context())); counts[store.Done] != 1 || counts[store.Running] != 1 {
		t.Errorf("%v", counts)
	}
}

func approval(t *testing.T, s *store.Store) {
	t.Helper()
	j := queued("staging")
	j.State = store.Awaiting
	j.ID = must[int64](t)(s.Add(t.Context(), j))
	if ok, err := s.Claim(t.Context(), j, "a", lease); ok || !errors.Is(err, store.ErrState) {
		t.Fatalf("it started without approval: %v", err)
	}
	if err := s.Approve(t.Context(), j.ID, "ann", time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := s.Approve(t.Context(), j.ID, "bob", time.Now()); !errors.Is(err, store.ErrState) {
		t.Errorf("approved twice: %v", err)
	}
	if ok, err := s.Claim(t.Context(), j, "a", lease); !ok || err != nil {
		t.Errorf("approved, and it cannot start: %v", err)
	}
	if err := s.Drop(t.Context(), j.ID, store.Missed, "late"); !errors.Is(err, store.ErrState) {
		t.Errorf("a running job was dropped: %v", err)
	}
}

func stopping(t *testing.T, s *store.Store) {
	t.Helper()
	j := begin(t, s)
	if who := must[string](t)(s.Renew(t.Context(), j.ID, "a")); who != "" {
		t.Fatalf("stopped by %q before a request to stop", who)
	}
	if n := must[int](t)(s.Stop(t.Context(), 0, "ann")); n != 1 {
		t.Errorf("%d jobs to stop, expected 1", n)
	}
	if who := must[string](t)(s.Renew(t.Context(), j.ID, "a")); who != "ann" {
		t.Errorf("stopped by %q", who)
	}
	if n := must[int](t)(s.Stop(t.Context(), j.ID+1, "ann")); n != 0 {
		t.Errorf("%d other jobs to stop", n)
	}
}

func holds(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Now()
	h := store.Hold{Environment: "staging", Why: "incident 7", Who: "ann", Since: now, Until: now.Add(time.Hour)}
	if err := errors.Join(s.Hold(t.Context(), h), s.Hold(t.Context(), h)); err != nil {
		t.Fatal(err)
	}
	if all := must[[]store.Hold](t)(s.Holds(t.Context(), now)); len(all) != 1 || all[0].Why != "incident 7" {
		t.Errorf("%+v", all)
	}
	if all := must[[]store.Hold](t)(s.Holds(t.Context(), now.Add(2*time.Hour))); len(all) != 0 {
		t.Errorf("it lasts too long: %+v", all)
	}
	h.Until = time.Time{}
	if err := s.Hold(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	if all := must[[]store.Hold](t)(s.Holds(t.Context(), now.AddDate(1, 0, 0))); len(all) != 1 {
		t.Errorf("without a moment it ends by itself: %+v", all)
	}
	if err := s.Release(t.Context(), "staging"); err != nil {
		t.Fatal(err)
	}
	if err := s.Release(t.Context(), "staging"); !errors.Is(err, store.ErrNone) {
		t.Errorf("released twice: %v", err)
	}
}

func tokens(t *testing.T, s *store.Store) {
	t.Helper()
	now := time.Now()
	ci := must[string](t)(s.NewToken(t.Context(), store.Token{Name: "ci", Kind: store.Named, Role: store.View, Created: now}))
	if _, err := s.NewToken(t.Context(), store.Token{Name: "ci", Kind: store.Named, Role: store.Operate, Created: now}); err == nil {
		t.Error("two tokens have one name")
	}
	once := must[string](t)(s.NewToken(t.Context(), store.Token{Name: "link", Kind: store.Once, Role: store.Operate, Created: now, Expires: now.Add(time.Hour)}))
	if got := must[store.Token](t)(s.Token(t.Context(), ci, now, store.Named)); got.Role != store.View || got.Name != "ci" {
		t.Errorf("%+v", got)
	}
	for what, err := range map[string]error{
		"another kind":       second(s.Token(t.Context(), ci, now, store.Session)),
		"an expired one":     second(s.Token(t.Context(), once, now.Add(2*time.Hour), store.Once)),
		"an unknown one":     second(s.Token(t.Context(), "gd_x", now, store.Named, store.Once, store.Session)),
		"an empty one":       second(s.Token(t.Context(), "", now, store.Named, store.Once, store.Session)),
		"a quoted one":       second(s.Token(t.Context(), "' OR 1=1 --", now, store.Named)),
		"the beginning only": second(s.Token(t.Context(), ci[:len(ci)-1], now, store.Named)),
	} {
		if !errors.Is(err, store.ErrNone) {
			t.Errorf("%s is accepted as a token: %v", what, err)
		}
	}
	if _, session, err := s.LogIn(t.Context(), once, now, 12*time.Hour); err != nil || session.Role != store.Operate || session.Kind != store.Session || !session.Expires.Equal(now.Add(12*time.Hour)) {
		t.Fatalf("%+v %v", session, err)
	}
	if _, _, err := s.LogIn(t.Context(), once, now, time.Hour); !errors.Is(err, store.ErrNone) {
		t.Errorf("spent twice: %v", err)
	}
	session, _, err := s.LogIn(t.Context(), ci, now, time.Hour)
	if err != nil || second(s.Token(t.Context(), session, now, store.Session)) != nil {
		t.Fatal(err)
	}
	if _, _, err := s.LogIn(t.Context(), session, now, time.Hour); !errors.Is(err, store.ErrNone) {
		t.Errorf("a session starts another one: %v", err)
	}
	if err := s.LogOut(t.Context(), ci); err != nil || second(s.Token(t.Context(), ci, now, store.Named)) != nil {
		t.Errorf("logging out deletes a token: %v", err)
	}
	loginsAgainstRevocation(t, s, ci)
	if err := s.LogOut(t.Context(), session); err != nil || second(s.Token(t.Context(), session, now, store.Session)) == nil {
		t.Errorf("logged out, and still valid: %v", err)
	}
	ci = must[string](t)(s.NewToken(t.Context(), store.Token{Name: "ci", Kind: store.Named, Role: store.View, Created: now}))
	if err := s.Revoke(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Token(t.Context(), ci, now, store.Named); !errors.Is(err, store.ErrNone) {
		t.Errorf("revoked, and still valid: %v", err)
	}
}

// loginsAgainstRevocation logs in while the token is revoked: no session is left (M10).
func loginsAgainstRevocation(t *testing.T, s *store.Store, token string) {
	t.Helper()
	now := time.Now()
	var group sync.WaitGroup
	var mu sync.Mutex
	var sessions []string
	for i := range 8 {
		group.Go(func() {
			if i == 4 {
				if err := s.Revoke(t.Context(), "ci"); err != nil {
					t.Error(err)
				}
				return
			}
			session, _, err := s.LogIn(t.Context(), token, now, time.Hour)
			if err != nil && !errors.Is(err, store.ErrNone) {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sessions = append(sessions, session)
		})
	}
	group.Wait()
	for _, session := range sessions {
		if err := second(s.Token(t.Context(), session, now, store.Session)); !errors.Is(err, store.ErrNone) {
			t.Errorf("a session outlives its token: %v", err)
		}
	}
}

// aNameIsOneTokens: of several people who create a token of one name at once, one does.
func aNameIsOneTokens(t *testing.T, s *store.Store) {
	t.Helper()
	var all sync.WaitGroup
	var made atomic.Int64
	for range 8 {
		all.Go(func() {
			if _, err := s.NewToken(t.Context(), store.Token{Name: "ci", Kind: store.Named, Role: store.View, Created: time.Now()}); err == nil {
				made.Add(1)
			} else if !strings.Contains(err.Error(), "token ci exists") {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("%d tokens have one name", n)
	}
}

func second[T any](_ T, err error) error { return err }

func auditIsAppendOnly(t *testing.T, s *store.Store) {
	t.Helper()
	if err := s.Audit(t.Context(), store.Entry{Who: "ann", From: "::1", What: "POST /stop", Outcome: "done"}); err != nil {
		t.Fatal(err)
	}
	statements := []string{"UPDATE gameday_audit SET who = 'eve'", "DELETE FROM gameday_audit"}
	if s.Shared() {
		statements = append(
			statements, "TRUNCATE gameday_audit",
			"INSERT INTO gameday_audit (id, at, who, origin, what, outcome) OVERRIDING SYSTEM VALUE VALUES (1, 0, 'eve', '', '', '') ON CONFLICT (id) DO UPDATE SET who = 'eve'",
		)
	} else { // (L10)
		const line = "INTO gameday_audit (id, at, who, origin, what, outcome) VALUES (1, 0, 'eve', '', '', '')"
		statements = append(statements, "INSERT OR REPLACE "+line, "REPLACE "+line, "INSERT OR IGNORE "+line, "INSERT "+line+" ON CONFLICT (id) DO UPDATE SET who = 'eve'")
	}
	for _, statement := range statements {
		if _, err := s.DB().ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if err := s.Audit(t.Context(), store.Entry{Who: "bob"}); err != nil {
		t.Errorf("the next line: %v", err)
	}
	if all := must[[]store.Entry](t)(s.AuditLog(t.Context(), 10)); len(all) != 2 || all[0].Who != "bob" {
		t.Errorf("%+v", all)
	} else if all = all[1:]; len(all) != 1 || all[0].Who != "ann" || time.Since(all[0].At) > time.Minute {
		t.Errorf("%+v", all)
	}
}

func TestANewerStoreIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serve.db")
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(newer(t.Context(), s.DB()), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), path); !errors.Is(err, store.ErrNewer) {
		t.Errorf("%v", err)
	}
}

func newer(ctx context.Context, db *sql.DB) error {
	_, err := db.ExecContext(ctx, "UPDATE gameday_store SET version = 99")
	return err
}

// No error contains the password.
func TestAStoreThatIsNotThereIsNamedWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"postgres://gameday:hunter2@127.0.0.1:1/gameday", "postgres://gameday:hunter2@127.0.0.1:port/gameday"} {
		_, err := store.Open(t.Context(), where)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}
