package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/gate"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/store"
)

// stage is a fake runner that records its runs. The real runner is tested on the lab, in
// cmd/gameday.
type stage struct {
	mu       sync.Mutex
	using    map[string]int // current runs, by environment
	overlap  bool
	ran      []store.Job
	told     []string
	unsteady error
	lasts    time.Duration
	left     bool
	stopped  []string // why
	panics   bool
	never    string // why it does not start
}

func (s *stage) Run(ctx context.Context, j store.Job, on func(daemon.Live)) daemon.Result {
	s.mu.Lock()
	s.using[j.Environment]++
	s.overlap = s.overlap || s.using[j.Environment] > 1
	s.ran = append(s.ran, j)
	lasts, panics, never, left := s.lasts, s.panics, s.never, s.left
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.using[j.Environment]--
	}()
	if never != "" {
		return daemon.Result{ExitCode: 2, Why: never, Never: true}
	}
	if panics {
		panic("a bug of ours")
	}
	on(daemon.Live{Kind: daemon.Line, Text: "it begins"})
	select {
	case <-time.After(lasts):
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stopped = append(s.stopped, context.Cause(ctx).Error())
		return daemon.Result{Verdict: "aborted", ExitCode: 4, Document: `{}`}
	}
	return daemon.Result{Run: fmt.Sprintf("run-%d", j.ID), Verdict: "disproved", Document: `{"verdict":"disproved"}`, Left: left, Why: map[bool]string{true: "db is down"}[left]}
}

func (s *stage) Steady(context.Context, store.Job, time.Duration) error { return s.unsteady }

func (s *stage) Tell(_ context.Context, _ store.Job, _ []scenario.Notice, event, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, event+": "+line)
}

// set changes the behaviour of its runs from now on.
func (s *stage) set(how func(*stage)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s)
}

func (s *stage) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ran)
}

// instance is a daemon under test.
type instance struct {
	*daemon.Daemon
	t     *testing.T
	stage *stage
	ahead *atomic.Int64 // of the real clock
	looks atomic.Int64  // how often it has looked at its schedules
	path  string
	end   func()
	tune  func(*daemon.Daemon) // before it starts; nil for nothing
}

func begin(t *testing.T, schedules ...scenario.Schedule) *instance {
	t.Helper()
	i := fresh(t)
	i.start(schedules...)
	return i
}

// fresh is an instance that has not started.
func fresh(t *testing.T) *instance {
	t.Helper()
	return &instance{t: t, stage: &stage{using: map[string]int{}}, ahead: &atomic.Int64{}, path: filepath.Join(t.TempDir(), "serve.db")}
}

// start starts another instance with the same clock, store and stage.
func (i *instance) start(schedules ...scenario.Schedule) {
	i.t.Helper()
	s, err := store.Open(i.t.Context(), i.path)
	if err != nil {
		i.t.Fatal(err)
	}
	i.Daemon = &daemon.Daemon{
		Store: s, Runner: i.stage, Instance: fmt.Sprint("i", time.Now().UnixNano()), Spool: filepath.Join(filepath.Dir(i.path), "outcomes"),
		Schedules: func() ([]scenario.Schedule, error) { i.looks.Add(1); return schedules, nil },
		Log:       slog.New(slog.NewTextHandler(i.t.Output(), &slog.HandlerOptions{Level: slog.LevelError})),
		Now:       func() time.Time { return time.Now().Add(time.Duration(i.ahead.Load())) }, Hub: &daemon.Hub{},
	}
	if i.tune != nil {
		i.tune(i.Daemon)
	}
	if err := i.Prepare(i.t.Context()); err != nil {
		i.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(i.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	var once sync.Once
	i.end = func() {
		once.Do(func() {
			cancel()
			if err := errors.Join(<-ended, s.Close()); err != nil {
				i.t.Error(err)
			}
		})
	}
	i.t.Cleanup(i.end)
}

func (i *instance) eventually(what string, holds func() bool) {
	i.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			all, err := i.Store.Jobs(i.t.Context(), store.Filter{})
			i.t.Fatalf("%s: not within 20s; jobs %+v, %v", what, all, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// jobs are the jobs in a state.
func (i *instance) jobs(state store.State) []store.Job {
	all, err := i.Store.Jobs(i.t.Context(), store.Filter{States: []store.State{state}})
	if err != nil {
		i.t.Log(err)
	}
	return all
}

func (i *instance) await(state store.State) store.Job {
	i.t.Helper()
	i.eventually("a job is "+string(state), func() bool { return len(i.jobs(state)) > 0 })
	return i.jobs(state)[0]
}

func often() scenario.Schedule {
	return scenario.Schedule{Name: "often", Cron: "@every 1s", Scenario: "app-loss", Environment: "staging"}
}

// hourly is due only when the test moves the clock.
func hourly() scenario.Schedule {
	return scenario.Schedule{Name: "hourly", Cron: "@every 1h", Scenario: "app-loss", Environment: "staging"}
}

// to moves the clock to the next run of hourly.
func (i *instance) to(hours int) { i.ahead.Add(int64(hours) * int64(time.Hour)) }

func TestRunsComeAndDoNotOverlap(t *testing.T) {
	t.Parallel()
	i := begin(t, often(), scenario.Schedule{Name: "too", Cron: "@every 1s", Scenario: "db-loss", Environment: "staging"})
	i.stage.set(func(s *stage) { s.lasts = 300 * time.Millisecond })
	i.eventually("five runs", func() bool { return i.stage.count() >= 5 })
	i.eventually("five verdicts", func() bool { return len(i.jobs(store.Done)) >= 5 })
	i.stage.set(func(s *stage) {
		if s.overlap {
			t.Error("two runs used one environment at once")
		}
		seen := map[int64]bool{}
		for _, j := range s.ran {
			if seen[j.ID] {
				t.Errorf("job %d ran twice", j.ID)
			}
			seen[j.ID] = true
		}
	})
	for _, j := range i.jobs(store.Done) {
		if j.Verdict != "disproved" || j.Run == "" || j.Ended.IsZero() {
			t.Errorf("%+v", j)
		}
	}
}

// Runs that are due while no instance is running are missed, reported, and not run later.
func TestMissedRunsAreNotMadeUpFor(t *testing.T) {
	t.Parallel()
	i := begin(t, hourly())
	i.eventually("the schedule is known", func() bool {
		seen, err := i.Store.Seen(t.Context(), "hourly", time.Now())
		return err == nil && !seen.IsZero()
	})
	i.end()
	i.ahead.Store(int64(3*time.Hour + 30*time.Minute))
	i.start(hourly())
	i.eventually("three were missed", func() bool { return len(i.jobs(store.Missed)) == 3 })
	for _, j := range i.jobs(store.Missed) {
		if !strings.Contains(j.Why, "no instance was running") {
			t.Errorf("%+v", j)
		}
	}
	if n := i.stage.count(); n != 0 {
		t.Errorf("%d missed runs were run", n)
	}
	i.eventually("the notifications are sent", func() bool { i.stage.mu.Lock(); defer i.stage.mu.Unlock(); return len(i.stage.told) == 3 })
}

// Of very many missed runs, the newest ones are recorded, and the number of the others.
func TestAYearOfMissedMomentsIsShort(t *testing.T) {
	t.Parallel()
	every := hourly()
	every.Cron = "@every 1m"
	i := begin(t, every)
	i.eventually("it is known", func() bool { _, err := i.Store.Seen(t.Context(), "hourly", time.Now()); return err == nil })
	i.to(365 * 24)
	i.eventually("twenty were missed", func() bool { return len(i.jobs(store.Missed))+len(i.jobs(store.Done)) == 20 })
	missed := i.jobs(store.Missed)
	if oldest := missed[len(missed)-1]; !strings.Contains(oldest.Why, "; 44") || !strings.Contains(oldest.Why, " earlier runs were missed too") {
		t.Errorf("%+v", oldest)
	}
	if n := i.stage.count(); n > 1 {
		t.Errorf("%d missed runs were run", n)
	}
}

// A clock that jumps ahead causes missed runs; one that is set back repeats none.
func TestTheClockJumps(t *testing.T) {
	t.Parallel()
	every := hourly()
	every.Cron = "@every 10m"
	i := begin(t, every)
	i.eventually("it is known", func() bool { _, err := i.Store.Seen(t.Context(), "hourly", time.Now()); return err == nil })
	i.to(1)
	i.eventually("the hour's moments were missed, or begun", func() bool {
		return len(i.jobs(store.Missed))+len(i.jobs(store.Done)) == 6
	})
	if n := i.stage.count(); n > 1 {
		t.Errorf("%d runs missed runs were run", n)
	}
	before := len(i.jobs(store.Missed)) + len(i.jobs(store.Done))
	i.ahead.Store(0)
	looks := i.looks.Load()
	i.eventually("it has looked once more, and to the end", func() bool { return i.looks.Load() >= looks+2 })
	if after := len(i.jobs(store.Missed)) + len(i.jobs(store.Done)) + len(i.jobs(store.Queued)); after != before {
		t.Errorf("setting the clock back added %d jobs", after-before)
	}
}

func TestApproval(t *testing.T) {
	t.Parallel()
	s := hourly()
	s.Approval = &scenario.Approval{}
	i := begin(t, s)
	i.eventually("it is known", func() bool { _, err := i.Store.Seen(t.Context(), "hourly", time.Now()); return err == nil })
	i.to(1)
	j := i.await(store.Awaiting)
	if i.stage.count() != 0 {
		t.Fatal("it started without approval")
	}
	if err := i.Approve(t.Context(), j.ID, "ann"); err != nil {
		t.Fatal(err)
	}
	if got := i.await(store.Done); got.ID != j.ID {
		t.Errorf("%+v", got)
	}
	i.to(1)
	i.await(store.Awaiting)
	i.ahead.Add(int64(31 * time.Minute))
	if got := i.await(store.Missed); !strings.Contains(got.Why, "it was not approved in time") {
		t.Errorf("%+v", got)
	}
}

func TestWhatStandsAgainstABeginning(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		condition scenario.Condition
		unsteady  error
		hold      bool
		why       string
	}{
		"http":       {condition: scenario.Condition{HTTP: &gate.HTTP{GET: server.URL}}, why: "answered 418"},
		"prometheus": {condition: scenario.Condition{Prometheus: &gate.Prometheus{URL: server.URL, Query: "up"}}, why: "could not be evaluated"},
		"steady":     {condition: scenario.Condition{Steady: time.Second}, unsteady: errors.New("users are not served"), why: "not in steady state: users are not served"},
		"hold":       {hold: true, why: "held by ann: incident 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := often()
			if !c.hold {
				s.OnlyIf = []scenario.Condition{c.condition}
			}
			i := &instance{t: t, stage: &stage{using: map[string]int{}, unsteady: c.unsteady}, ahead: &atomic.Int64{}, path: filepath.Join(t.TempDir(), "serve.db")}
			st, err := store.Open(t.Context(), i.path)
			if err == nil && c.hold {
				err = st.Hold(t.Context(), store.Hold{Environment: "staging", Why: "incident 7", Who: "ann", Since: time.Now()})
			}
			if err := errors.Join(err, st.Close()); err != nil {
				t.Fatal(err)
			}
			i.start(s)
			if j := i.await(store.Refused); !strings.Contains(j.Why, c.why) {
				t.Errorf("%+v", j)
			}
			if i.stage.count() != 0 {
				t.Error("it started anyway")
			}
			// The environment is free again.
			i.eventually("another one is refused", func() bool { return len(i.jobs(store.Refused)) > 1 })
		})
	}
}

func TestStops(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*instance, store.Job) (why string, err error){
		"one": func(i *instance, j store.Job) (string, error) {
			_, err := i.Stop(i.t.Context(), j.ID, "ann")
			return "stopped by ann", err
		},
		"all": func(i *instance, _ store.Job) (string, error) {
			_, err := i.Stop(i.t.Context(), 0, "ann")
			return "stopped by ann", err
		},
		"from another instance": func(i *instance, j store.Job) (string, error) {
			_, err := i.Store.Stop(i.t.Context(), j.ID, "bob")
			return "stopped by bob", err
		},
		"an incident": func(i *instance, _ store.Job) (string, error) {
			return "who put staging on hold: incident 7", i.Hold(i.t.Context(), store.Hold{Environment: "staging", Why: "incident 7", Who: "ann"})
		},
		"shutdown": func(i *instance, _ store.Job) (string, error) {
			i.end()
			return "shutting down", nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := begin(t)
			i.stage.set(func(s *stage) { s.lasts = time.Minute })
			i.eventually("it runs", func() bool {
				_, err := i.Ask(t.Context(), store.Job{What: "app-loss", Environment: "staging", Who: "ann"})
				return err == nil
			})
			j := i.await(store.Running)
			began := time.Now()
			why, err := stop(i, j)
			if err != nil {
				t.Fatal(err)
			}
			i.eventually("it was stopped", func() bool { i.stage.mu.Lock(); defer i.stage.mu.Unlock(); return len(i.stage.stopped) == 1 })
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if !strings.Contains(i.stage.stopped[0], why) {
				t.Errorf("the run was stopped with %q", i.stage.stopped[0])
			}
			if name == "shutdown" {
				return
			}
			if got := i.await(store.Done); got.Verdict != "aborted" || !strings.Contains(got.Why, why) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// An environment whose faults could not be undone is held until a person releases it.
func TestWhatIsNotPutBackIsHeld(t *testing.T) {
	t.Parallel()
	i := begin(t)
	i.stage.set(func(s *stage) { s.left = true })
	ask := func() {
		i.eventually("it is asked for", func() bool {
			_, err := i.Ask(t.Context(), store.Job{What: "app-loss", Environment: "staging", Who: "ann"})
			return err == nil
		})
	}
	ask()
	i.await(store.Done)
	ask()
	if j := i.await(store.Refused); !strings.Contains(j.Why, "could not undo its faults: db is down") {
		t.Errorf("%+v", j)
	}
	if err := i.Store.Release(t.Context(), "staging"); err != nil {
		t.Fatal(err)
	}
	i.stage.set(func(s *stage) { s.left = false })
	ask()
	i.eventually("it runs again", func() bool { return i.stage.count() == 2 })
}

// A panic ends the job, but not the daemon, and its environment is free again.
func TestABugEndsAJob(t *testing.T) {
	t.Parallel()
	i := begin(t, often())
	i.stage.set(func(s *stage) { s.panics = true })
	if j := i.await(store.Done); !strings.Contains(j.Why, "a bug of ours") {
		t.Errorf("%+v", j)
	}
	i.eventually("the next one runs", func() bool { return i.stage.count() > 1 })
}

// The store fails during a run: the page shows it, and the verdict is in the store after
// the store has recovered.
func TestAStoreThatBreaksLosesNoVerdict(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]bool{"it comes back": false, "the daemon restarts": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := begin(t)
			i.stage.set(func(s *stage) { s.lasts = 2 * time.Second })
			i.eventually("it is asked for", func() bool {
				_, err := i.Ask(t.Context(), store.Job{What: "app-loss", Environment: "staging", Who: "ann"})
				return err == nil
			})
			j := i.await(store.Running)
			other, err := store.Open(t.Context(), i.path)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = other.Close() })
			// SQLite fails to write to a table that is gone.
			if _, err := other.DB().ExecContext(t.Context(), "ALTER TABLE gameday_jobs RENAME TO away"); err != nil {
				t.Fatal(err)
			}
			spooled := filepath.Join(i.Spool, i.Store.ID(), fmt.Sprintf("job-%d.json", j.ID))
			i.eventually("the outcome is in a file", func() bool { _, err := os.Stat(spooled); return err == nil })
			i.eventually("the page shows it", func() bool { return strings.Contains(i.Trouble()["store"], "gameday_jobs") })
			if restart {
				i.end()
			}
			if _, err := other.DB().ExecContext(t.Context(), "ALTER TABLE away RENAME TO gameday_jobs"); err != nil {
				t.Fatal(err)
			}
			if restart {
				i.start()
			}
			if got := i.await(store.Done); got.ID != j.ID || got.Verdict != "disproved" {
				t.Errorf("%+v", got)
			}
			i.eventually("the error is cleared", func() bool { return i.Trouble()["store"] == "" })
			i.eventually("the file is gone", func() bool { _, err := os.Stat(spooled); return err != nil })
		})
	}
}

func TestListenersThatFallBehindAreLetGo(t *testing.T) {
	t.Parallel()
	var hub daemon.Hub
	slow, leave, ok := hub.Listen()
	if !ok {
		t.Fatal("no listener is allowed")
	}
	for range 1000 {
		hub.Publish(daemon.Live{Kind: daemon.Line})
	}
	n := 0
	for range slow {
		n++
	}
	if n == 0 || n >= 1000 {
		t.Errorf("it received %d events before it was disconnected", n)
	}
	leave()
	var leaves []func()
	for range daemon.MaxListeners {
		_, leave, ok := hub.Listen()
		if !ok {
			t.Fatal("too few listeners are allowed")
		}
		leaves = append(leaves, leave)
	}
	if _, _, ok := hub.Listen(); ok {
		t.Error("too many listeners are allowed")
	}
	for _, leave := range leaves {
		leave()
		leave()
	}
}

// A job whose run does not start is refused, and not done: its environment is in use or
// unreachable.
func TestWhatNeverBeganIsRefused(t *testing.T) {
	t.Parallel()
	i := begin(t)
	i.stage.set(func(s *stage) { s.never = "lab checkout is in use by process 7" })
	i.eventually("it is asked for", func() bool {
		_, err := i.Ask(t.Context(), store.Job{What: "app-loss", Environment: "staging", Who: "ann"})
		return err == nil
	})
	if j := i.await(store.Refused); j.Why != i.stage.never {
		t.Errorf("%+v", j)
	}
	i.eventually("the notifications are sent", func() bool { i.stage.mu.Lock(); defer i.stage.mu.Unlock(); return len(i.stage.told) == 1 })
}
