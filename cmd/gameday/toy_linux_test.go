package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/toyenv"
	"github.com/gameday-dev/gameday/pkg/target"
)

// toy is a user's folder with an environment of the toy driver, and its users' server.
type toy struct {
	t   *testing.T
	env *toyenv.Env
	dir string // of the user
}

// newToy makes the folder. The environment serves while its database runs.
func newToy(t *testing.T) *toy {
	t.Helper()
	env, err := toyenv.New(t.TempDir(), target.Component{Name: "db", Service: "db"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		all, err := env.All()
		if err != nil || len(all) != 1 || all[0].State != target.Running {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gameday.yaml":             fmt.Sprintf("version: 1\nenvironments:\n  staging: {toy: {dir: %q}, entry: %q}\n", env.Dir, server.URL),
		"journeys/checkout.yaml":   "version: 1\nname: checkout\nsteps: [{name: buy, get: /, expect: {status: 200}}]\n",
		"scenarios/db-loss.yaml":   scenarioFor("db-loss", "kill: {target: {name: db}}"),
		"scenarios/db-stop.yaml":   scenarioFor("db-stop", "stop: {target: {name: db}}"),
		"scenarios/db-cut.yaml":    scenarioFor("db-cut", "isolate: {target: {name: db}}"),
		"scenarios/db-frozen.yaml": scenarioFor("db-frozen", "pause: {target: {name: db}}"),
	} {
		writeFile(t, dir, name, text)
	}
	return &toy{t, env, dir}
}

func scenarioFor(name, fault string) string {
	return "version: 1\nname: " + name + "\nenvironment: staging\nobjective: {rto: 2s, hold: 1s}\n" +
		"load: [{journey: checkout, rate: 50/s, critical: true}]\nfaults: [{" + fault + "}]\ntiming: {baseline: 1s, watch: 4s, repair: 20s}\n"
}

// command is gameday with the toy driver, as a user runs it.
func (toy *toy) command(args ...string) *exec.Cmd {
	toy.t.Helper()
	self, err := os.Executable()
	if err != nil {
		toy.t.Fatal(err)
	}
	cmd := exec.Command(self, args...) //nolint:noctx // it must put back what it did
	cmd.Dir, cmd.Env = toy.dir, append(os.Environ(), "GAMEDAY_TOY=1", "GAMEDAY_STATE_DIR="+filepath.Join(toy.dir, "state"))
	return cmd
}

// gameday runs a command to its end.
func (toy *toy) gameday(args ...string) (code int, stdout, stderr string) {
	toy.t.Helper()
	cmd := toy.command(args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	_ = cmd.Run() // the code says how it went
	return cmd.ProcessState.ExitCode(), out.String(), problems.String()
}

// eventually waits until something is so.
func (toy *toy) eventually(what string, is func() bool) {
	toy.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !is(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			toy.t.Fatalf("not so within 60s: %s", what)
		}
	}
}

func (toy *toy) is(state target.State) func() bool {
	return func() bool {
		all, err := toy.env.All()
		return err == nil && len(all) == 1 && all[0].State == state
	}
}

// clean fails if a journal or a lock is left.
func (toy *toy) clean() {
	toy.t.Helper()
	left, _ := filepath.Glob(filepath.Join(toy.dir, "state", "journals", "*"))
	if _, err := os.Stat(filepath.Join(toy.env.Dir, "lock")); err == nil || len(left) > 0 || !toy.is(target.Running)() {
		toy.t.Errorf("left: journals %v, lock %v", left, err == nil)
	}
}

// start starts a run and waits until the database is down.
func (toy *toy) start(args ...string) *exec.Cmd {
	toy.t.Helper()
	cmd := toy.command(append([]string{"run"}, args...)...)
	if err := cmd.Start(); err != nil {
		toy.t.Fatal(err)
	}
	toy.eventually("the database is down", toy.is(target.Stopped))
	return cmd
}

// guardOf is the process of the guard of a run.
func (toy *toy) guardOf(pid int) int {
	toy.t.Helper()
	guard, err := childOf(pid)
	if err != nil {
		toy.t.Fatal(err)
	}
	return guard
}

// A driver that gameday does not know at all runs game days by being in the registry:
// the same commands, lock, journal, guard, verdict and reports.
func TestAnotherDriver(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	if code, out, text := toy.gameday("validate", "gameday.yaml", "scenarios/db-loss.yaml"); code != 0 {
		t.Errorf("validate: %d\n%s%s", code, out, text)
	}
	if code, out, text := toy.gameday("plan", "db-loss"); code != 0 || !strings.Contains(out, "staging (folder "+toy.env.Dir+")") {
		t.Errorf("plan: %d\n%s%s", code, out, text)
	}
	code, out, text := toy.gameday("run", "db-loss", "--json")
	var v struct{ Verdict, State, Environment string }
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 1 || v.Verdict != "proven" || v.State != "down" || v.Environment != "staging" {
		t.Errorf("run: %d %+v %v\n%s", code, v, err, text)
	}
	reports, _ := filepath.Glob(filepath.Join(toy.dir, "gameday-runs", "*", "report.html"))
	if len(reports) != 1 {
		t.Errorf("reports: %v", reports)
	}
	if code, out, _ = toy.gameday("history"); code != 0 || !strings.Contains(out, "staging") {
		t.Errorf("history: %d\n%s", code, out)
	}
	toy.clean()
	// It says what it cannot do, and breaks nothing.
	for scenario, want := range map[string]string{
		"db-stop": "stopping is not supported by", "db-cut": "telling who shares its namespaces is not supported by",
	} {
		if code, _, text = toy.gameday("run", scenario); code != 2 || !strings.Contains(text, want) {
			t.Errorf("%s: %d\n%s", scenario, code, text)
		}
	}
	toy.clean()
}

// kill -9 of a run: its guard puts the environment back, and a run that is started
// meanwhile waits for it.
func TestAnotherDriverWhenARunIsKilled(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	run := toy.start("db-loss")
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	if code, out, text := toy.gameday("run", "db-frozen"); code != 1 {
		t.Errorf("the next run: %d\n%s%s", code, out, text)
	}
	toy.clean()
}

// kill -9 of a run and of its guard: nothing is put back by itself, gameday undo does
// it, and so does the next run.
func TestAnotherDriverWhenBothAreKilled(t *testing.T) {
	t.Parallel()
	for name, mend := range map[string][]string{"undo": {"undo"}, "the next run": {"run", "db-frozen"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			toy := newToy(t)
			run := toy.start("db-loss")
			guard := toy.guardOf(run.Process.Pid)
			// The run is stopped first: it would replace its guard.
			for _, k := range []struct {
				pid    int
				signal syscall.Signal
			}{{run.Process.Pid, syscall.SIGSTOP}, {guard, syscall.SIGKILL}, {run.Process.Pid, syscall.SIGKILL}} {
				if err := syscall.Kill(k.pid, k.signal); err != nil {
					t.Fatal(err)
				}
			}
			_ = run.Wait()
			code, out, text := toy.gameday(mend...)
			if want := map[string]int{"undo": 0, "the next run": 1}[name]; code != want {
				t.Errorf("%d\n%s%s", code, out, text)
			}
			if name == "undo" && !strings.Contains(out, "reverted 1 fault") {
				t.Errorf("%s%s", out, text)
			}
			toy.clean()
		})
	}
}

// Another user, with a state folder of their own, is refused and told who is there.
func TestAnotherDriverForTwoUsers(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	run := toy.start("db-loss", "--set", "timing.watch=20s")
	other := toy.command("run", "db-loss")
	other.Env = append(other.Env, "GAMEDAY_STATE_DIR="+t.TempDir())
	text, _ := other.CombinedOutput()
	if code := other.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(text), fmt.Sprintf("(process %d)", run.Process.Pid)) {
		t.Errorf("%d\n%s", code, text)
	}
	if code, out, text := toy.gameday("undo"); code != 0 || !strings.Contains(text, "skipped: environment staging is in use by run") || !strings.Contains(out, "1 run is still in progress") {
		t.Errorf("undo: %d\n%s%s", code, out, text)
	}
	if err := run.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	if code := run.ProcessState.ExitCode(); code != 1 && code != 4 {
		t.Errorf("the interrupted run: %d", code)
	}
	toy.clean()
}

// The game day of TestSecretsReachNoFile needs no engine.
func TestSecretsReachNoFileOfAnotherDriver(t *testing.T) {
	t.Parallel()
	env, err := toyenv.New(t.TempDir(), target.Component{Name: "db", Service: "db"})
	if err != nil {
		t.Fatal(err)
	}
	toy := &toy{t, env, leaky(t, toyenv.Kind, fmt.Sprintf("{dir: %q}", env.Dir))}
	_, planned, _ := toy.gameday("plan", "leaky")
	_, out, text := toy.gameday("run", "leaky")
	_, again, problems := toy.gameday("history")
	holdsNone(t, toy.dir, planned+out+text+again+problems)
}
