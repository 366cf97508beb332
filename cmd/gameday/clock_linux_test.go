package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/target"
)

// failover is a shop whose database is replaced some time after it was lost.
type failover struct {
	mu        sync.Mutex
	lost      time.Time // the database, as the shop noticed
	back, ill time.Time // the first answer after that, and the last failed one
}

// after is how long the shop takes.
const after = 1500 * time.Millisecond

func (f *failover) serve(t *testing.T, toy *toy) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		running := toy.is(target.Running)()
		f.mu.Lock()
		defer f.mu.Unlock()
		switch now := time.Now(); {
		case running:
		case f.lost.IsZero() || now.Sub(f.lost) < after:
			if f.lost.IsZero() {
				f.lost = now
			}
			f.ill = now
			w.WriteHeader(http.StatusServiceUnavailable)
		case f.back.IsZero():
			f.back = now
		}
	}))
	t.Cleanup(server.Close)
	writeFile(t, toy.dir, "gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  staging: {toy: {dir: %q}, entry: %q}\n", toy.env.Dir, server.URL))
}

// with is a command by another binary, whose clock can be stepped.
func with(cmd *exec.Cmd, stepped string, c clock) *exec.Cmd {
	cmd.Path, cmd.Args[0] = stepped, stepped
	cmd.Env = append(cmd.Env, clockVariable+"="+c.path)
	return cmd
}

// stepIn is [during], with a step of the clock.
func stepIn(cmd *exec.Cmd, c clock, phase string, by time.Duration) (code int, stdout, stderr string) {
	return during(cmd, phase, func() { c.step(by) })
}

// A step of the wall clock, whenever it comes, changes no verdict, loses no lock and doubles no
// scheduled run (M3).
func TestAStepOfTheClock(t *testing.T) {
	t.Parallel()
	stepped := steppedBinary(t)
	for name, test := range map[string]func(*testing.T, string){
		"in every phase": steppedPhases, "while a lock is held": steppedLocks, "on an engine": steppedOnAnEngine, "of a daemon": steppedDaemon,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, stepped)
		})
	}
}

// steps are what a clock is stepped by.
func steps() []time.Duration { return []time.Duration{time.Hour, -time.Hour} }

// In whichever phase it is stepped, the verdict and its figures are the same, and all is undone.
func steppedPhases(t *testing.T, stepped string) {
	t.Helper()
	var rows sync.WaitGroup
	slots := make(chan struct{}, 5)
	for _, by := range steps() {
		for _, phase := range []string{"baseline", "inject", "watch", "undo", "repair"} {
			toy, shop, clock := newToy(t), &failover{}, newClock(t)
			shop.serve(t, toy)
			rows.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				cmd := with(toy.command("run", "db-loss", "--json", "--set", "timing.watch=6s", "--set", "objective.rto=4s"), stepped, clock)
				code, out, said := stepIn(cmd, clock, phase, by)
				var v verdict
				if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 || v.Verdict != "disproved" || v.Lo == nil || v.Hi == nil {
					t.Errorf("%v in %s: exit code %d, %+v, %v\n%s", by, phase, code, v, err, said)
				} else if lo, hi := shop.ill.Sub(shop.lost).Seconds(), shop.back.Sub(shop.lost).Seconds()+1; *v.Hi < lo || *v.Lo > hi || *v.Hi-*v.Lo > 1 {
					t.Errorf("%v in %s: recovered after %v to %v, but the shop failed for %v to %v", by, phase, *v.Lo, *v.Hi, lo, hi)
				}
				toy.clean()
			})
		}
	}
	rows.Wait()
}

// No lock is lost: another user, whose clock was stepped too, is refused as long as
// the run lasts.
func steppedLocks(t *testing.T, stepped string) {
	t.Helper()
	for _, by := range steps() {
		toy, clock := newToy(t), newClock(t)
		run := with(toy.command("run", "db-loss", "--set", "timing.watch=8s"), stepped, clock)
		if err := run.Start(); err != nil {
			t.Fatal(err)
		}
		toy.eventually("the database is down", toy.is(target.Stopped))
		clock.step(by)
		for range 3 {
			other := with(toy.command("run", "db-loss"), stepped, clock)
			other.Env = append(other.Env, "GAMEDAY_STATE_DIR="+t.TempDir())
			if text, _ := other.CombinedOutput(); other.ProcessState.ExitCode() != 2 || !strings.Contains(string(text), fmt.Sprintf("(process %d)", run.Process.Pid)) {
				t.Errorf("stepped by %v: exit code %d\n%s", by, other.ProcessState.ExitCode(), text)
			}
		}
		_ = run.Wait()
		if code := run.ProcessState.ExitCode(); code != 1 {
			t.Errorf("stepped by %v: exit code %d", by, code)
		}
		toy.clean()
	}
}

// The same with containers: their engine, helpers and locks do not share gameday's clock.
func steppedOnAnEngine(t *testing.T, stepped string) {
	t.Helper()
	bed := enginetest.New(t)
	var rows sync.WaitGroup
	defer rows.Wait()
	for _, by := range steps() {
		fence := fmt.Sprintf("step=%v", by)
		id := bed.Run(container.Config{Labels: bed.Labels(fence, "tier=db"), Env: enginetest.Shop(":8080")}, container.HostConfig{})
		bed.Eventually("it serves", func() bool { return bed.Serves(id) })
		peer := bed.Run(container.Config{Labels: bed.Labels(fence, "tier=peer"), Env: enginetest.Shop(":8080")}, container.HostConfig{})
		r, clock := newRigged(t), newClock(t)
		r.entry = "http://" + bed.Address(id) + ":8080"
		r.write("journeys/checkout.yaml", "version: 1\nname: checkout\ntimeout: 500ms\nsteps: [{name: look, get: /healthz, expect: {status: 200}}]\n")
		r.write("gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  staging: {docker: {labels: [%s, %s]}, entry: %q}\n", bed.Label, fence, r.entry))
		r.write("scenarios/x.yaml", "version: 1\nname: x\nenvironment: staging\nobjective: {rto: 8s, hold: 1s}\nload: [{journey: checkout, rate: 20/s, critical: true}]\n"+
			"faults: [{isolate: {target: {label: tier=db}}}, {kill: {target: {label: tier=peer}}}]\ntiming: {baseline: 2s, watch: 14s, repair: 20s}\n")
		r.env = []string{"GAMEDAY_HELPER_IMAGE="}
		enginetest.Guard(t, "gameday.fence="+bed.Label+","+fence)
		rows.Go(func() {
			// The watch is longer than the lease of helpers and of the lock.
			code, out, said := stepIn(with(r.command("run", "x", "--json"), stepped, clock), clock, "watch", by)
			var v verdict
			if err := json.Unmarshal([]byte(out), &v); err != nil || code != 1 || v.Verdict != "proven" || v.AtLeast == nil || *v.AtLeast < 8 || *v.AtLeast > 20 || strings.Contains(said, "ended by something other") {
				t.Errorf("%v: exit code %d, %+v, %v\n%s", by, code, v, err, said)
			}
			for _, one := range []string{id, peer} {
				bed.Eventually("it serves again", func() bool { return bed.Inspect(one).State.Running && bed.Serves(one) })
			}
			r.clean()
		})
	}
}

// A schedule whose clock is stepped runs each moment once, and no moment of the past.
func steppedDaemon(t *testing.T, stepped string) {
	t.Helper()
	toy, clock := newToy(t), newClock(t)
	data, err := os.ReadFile(filepath.Join(toy.dir, "gameday.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, toy.dir, "scenarios/quick.yaml", strings.Replace(scenarioFor("quick", "noop: {target: {name: db}}"), "watch: 4s", "watch: 2s", 1))
	writeFile(t, toy.dir, "gameday.yaml", string(data)+"schedules: [{name: minutely, cron: '* * * * *', scenario: quick, environment: staging}]\n")
	// before is the step after which the next minute is so long to come.
	before := func(left time.Duration, by time.Duration) time.Duration {
		return by + time.Minute - left - time.Duration(time.Now().Second())*time.Second
	}
	clock.step(before(8*time.Second, 0))
	address := "127.0.0.1:" + enginetest.FreePort(t)
	serve := with(toy.command("serve", "--listen", address, "--store", filepath.Join(toy.dir, "s.db")), stepped, clock)
	log, err := os.Create(filepath.Join(toy.dir, "serve.log"))
	if err == nil {
		serve.Stderr = log
		err = serve.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &served{l: &labTest{t: t}, cmd: serve, address: "http://" + address}
	t.Cleanup(func() { s.end(); _ = log.Close() })
	done := func(n int) func() bool { return func() bool { return len(s.in("done")) >= n } }
	toy.eventually("the first minute was run", done(1))
	first := s.in("done")[0].Due

	clock.step(before(3*time.Second, -time.Hour))
	pause(t, 8*time.Second) // over a minute's beginning that was run an hour ago, by the stepped clock
	if all := s.jobs(); len(all) != 1 {
		t.Errorf("an hour back: %+v", all)
	}
	clock.step(before(4*time.Second, time.Duration(first.Sub(time.Now().Truncate(time.Minute)).Minutes())*time.Minute))
	toy.eventually("and the next one", done(2))
	clock.step(before(8*time.Second, 2*time.Hour))
	toy.eventually("and one after an hour that was never there", done(3))
	// The hour that was skipped was missed, and is not made up for. (The store's times are not
	// those of the stepped clock: SQLite has its own.)
	due, missed := map[time.Time]bool{}, len(s.in("missed"))
	for _, j := range s.jobs() {
		if due[j.Due] {
			t.Errorf("twice: %+v", j)
		}
		due[j.Due] = true
	}
	if n := len(s.in("done")); n > 5 || missed == 0 {
		t.Errorf("%d runs, %d missed", n, missed)
	}
}

// pause lets time pass in which nothing may happen.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	<-ctx.Done()
}
