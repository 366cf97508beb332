package main_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// atOnce is how many runs of the table of signals go on at the same time: they mostly wait.
const atOnce = 12

// Whoever is sent whatever signal in whichever phase, nothing stays broken, and the exit
// code is that of what was found (H2, L3, L4). gameday undo is needed only if both were
// killed.
func TestSignals(t *testing.T) {
	t.Parallel()
	signals := []syscall.Signal{
		syscall.SIGHUP, syscall.SIGKILL, syscall.SIGTERM, // and for the long tests:
		syscall.SIGINT, syscall.SIGQUIT, syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGABRT, syscall.SIGUSR1,
	}
	if testing.Short() {
		signals = signals[:1]
	}
	signals = signals[:min(len(signals), enginetest.Rounds(3, len(signals)))]
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, signal := range signals {
		for _, whom := range []string{"run", "guard", "both"} {
			for _, phase := range []string{"baseline", "inject", "watch", "undo"} {
				toy := newToy(t)
				all.Go(func() {
					slots <- struct{}{}
					defer func() { <-slots }()
					for _, problem := range toy.signalled(signal, whom, phase) {
						t.Errorf("%v to %s in %s: %s", signal, whom, phase, problem)
					}
				})
			}
		}
	}
	all.Wait()
}

// signalled sends a signal in a phase, and returns what is wrong afterwards.
func (toy *toy) signalled(signal syscall.Signal, whom, phase string) (problems []string) {
	run := toy.command("run", "db-loss")
	stderr, err := run.StderrPipe()
	if err == nil {
		err = run.Start()
	}
	if err != nil {
		return []string{err.Error()}
	}
	var said strings.Builder
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
		if fields := strings.Fields(lines.Text()); len(fields) < 2 || strings.TrimRight(fields[1], ",") != phase {
			continue
		}
		guard, err := childOf(run.Process.Pid)
		if err != nil {
			problems = append(problems, err.Error())
			break
		}
		// The guard first: it must not learn from the death of the run.
		for _, pid := range map[string][]int{"run": {run.Process.Pid}, "guard": {guard}, "both": {guard, run.Process.Pid}}[whom] {
			_ = syscall.Kill(pid, signal) // in the undo, it may have ended
		}
		break
	}
	for lines.Scan() {
		said.WriteString(lines.Text() + "\n")
	}
	_ = run.Wait()
	code := run.ProcessState.ExitCode()
	if want := codesAfter(signal, whom); !want[code] {
		problems = append(problems, fmt.Sprintf("exit code %d, expected one of %v\n%s", code, want, said.String()))
	}
	if signal == syscall.SIGKILL && whom == "both" {
		if code, out, text := toy.gameday("undo"); code != 0 {
			problems = append(problems, fmt.Sprintf("undo: %d\n%s%s", code, out, text))
		}
	}
	for deadline := time.Now().Add(fault.EngineSettle + 30*time.Second); ; <-time.After(20 * time.Millisecond) {
		left, _ := filepath.Glob(filepath.Join(toy.dir, "state", "journals", "*"))
		_, err := os.Stat(filepath.Join(toy.env.Dir, "lock"))
		if len(left) == 0 && (os.IsNotExist(err) || signal == syscall.SIGKILL) && toy.is(target.Running)() {
			return problems
		}
		if time.Now().After(deadline) {
			return append(problems, fmt.Sprintf("left after 60s: journals %v, lock %v, running %v\n%s", left, err == nil, toy.is(target.Running)(), said.String()))
		}
	}
}

// codesAfter are the exit codes that a run may have that was sent a signal, or whose guard
// was: proven, as its database was down for longer than the RTO, or aborted before that was
// seen. Go ends a program by some signals with its own code; -1 is a killed one.
func codesAfter(signal syscall.Signal, whom string) map[int]bool {
	if whom == "guard" {
		return map[int]bool{1: true}
	}
	asked := []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT}
	ignored := []syscall.Signal{syscall.SIGPIPE, syscall.SIGTSTP, syscall.SIGUSR1}
	switch {
	case slices.Contains(asked, signal):
		return map[int]bool{1: true, 4: true}
	case slices.Contains(ignored, signal):
		return map[int]bool{1: true}
	}
	return map[int]bool{-1: true, 2: true}
}

// childOf is the only child of a process: the guard of a run.
func childOf(pid int) (int, error) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var children []string
	for _, path := range tasks {
		data, _ := os.ReadFile(path)
		children = append(children, strings.Fields(string(data))...)
	}
	if len(children) != 1 {
		return 0, fmt.Errorf("the children of %d are %v", pid, children)
	}
	var child int
	_, err := fmt.Sscan(children[0], &child)
	return child, err
}

// At a logout the system sends SIGTERM and then SIGHUP to every process of the session, the
// guard too: all is put back by either, and the run tells why it ended.
func TestALogout(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	run := toy.start("db-loss", "--set", "timing.watch=60s", "--set", "objective.rto=50s")
	guard := toy.guardOf(run.Process.Pid)
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
		for _, pid := range []int{run.Process.Pid, guard} {
			_ = syscall.Kill(pid, signal)
		}
	}
	_ = run.Wait()
	if code := run.ProcessState.ExitCode(); code != 4 {
		t.Errorf("exit code %d", code)
	}
	toy.clean()
	records, _ := filepath.Glob(filepath.Join(toy.dir, "gameday-runs", "*", "report.md"))
	if len(records) != 1 {
		t.Fatalf("reports: %v", records)
	}
	if text, err := os.ReadFile(records[0]); err != nil || !strings.Contains(string(text), "SIGTERM") && !strings.Contains(string(text), "SIGHUP") { // of two, the system sends either first
		t.Errorf("%s %v", text, err)
	}
}

// A run whose outputs are closed, or full, goes on to its verdict, and its exit code is the
// verdict's (L2).
func TestOutputsThatTakeNothing(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(t *testing.T, run *exec.Cmd){
		"closed after the first lines": func(t *testing.T, run *exec.Cmd) {
			t.Helper()
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			run.Stdout, run.Stderr = writer, writer
			go func() {
				_, _ = bufio.NewReaderSize(reader, 16).ReadString('\n')
				_ = reader.Close()
			}()
			t.Cleanup(func() { _ = writer.Close() })
		},
		"a full disk": func(t *testing.T, run *exec.Cmd) {
			t.Helper()
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			run.Stdout, run.Stderr = full, full
			t.Cleanup(func() { _ = full.Close() })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			toy := newToy(t)
			run := toy.command("run", "db-loss")
			arrange(t, run)
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			_ = run.Wait()
			if code := run.ProcessState.ExitCode(); code != 1 {
				t.Errorf("exit code %d", code)
			}
			reports, _ := filepath.Glob(filepath.Join(toy.dir, "gameday-runs", "*", "report.html"))
			if len(reports) != 1 {
				t.Errorf("reports: %v", reports)
			}
			toy.clean()
		})
	}
}

// What a command of a file's own does after gameday was killed is undone too (H3): the
// command ends with gameday, and its children are waited for.
func TestACommandThatOutlivesItsRun(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	broken, begun := filepath.Join(toy.dir, "broken"), filepath.Join(toy.dir, "begun")
	text := "version: 1\nname: own\nenvironment: staging\nobjective: {rto: 2s, hold: 1s}\nload: [{journey: checkout, rate: 50/s, critical: true}]\n" +
		"timing: {baseline: 1s, watch: 4s, repair: 20s}\nfaults: [{command: {timeout: 4s, undo: [rm, -f, " + broken + "], inject: [sh, -c, " +
		fmt.Sprintf("%q", "(sleep 3; touch "+broken+") & touch "+begun+"; wait") + "]}}]\n"
	if err := os.WriteFile(filepath.Join(toy.dir, "scenarios", "own.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := toy.command("run", "own")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	toy.eventually("the command has begun", func() bool { _, err := os.Stat(begun); return err == nil })
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	toy.eventually("its child has broken something", func() bool { _, err := os.Stat(broken); return err == nil })
	toy.eventually("the guard is done", func() bool {
		left, _ := filepath.Glob(filepath.Join(toy.dir, "state", "journals", "*"))
		_, err := os.Stat(filepath.Join(toy.env.Dir, "lock"))
		return len(left) == 0 && err != nil
	})
	if _, err := os.Stat(broken); err == nil {
		t.Error("what the command broke is still broken")
	}
	toy.clean()
}
