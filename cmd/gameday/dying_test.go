package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
)

// quick is a game day of a few seconds.
func quick(watch string) []string {
	return []string{
		"run", "checkout-db-loss", "--set", "timing.baseline=1s", "--set", "timing.watch=" + watch,
		"--set", "objective.rto=1s", "--set", "objective.hold=1s",
	}
}

// undecided is a game day that is not decided soon: one that is ended by a person is
// aborted, unless it has proven something by then.
func undecided() []string {
	return append(quick("80s"), "--set", "objective.rto=60s")
}

// start starts a run, and tells the phases as they begin.
func (l *labTest) start(args ...string) (cmd *exec.Cmd, phases <-chan string) {
	l.t.Helper()
	cmd = l.command(args...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	words := make(chan string, 100)
	go func() {
		defer close(words)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if fields := strings.Fields(lines.Text()); len(fields) > 1 {
				words <- strings.TrimRight(fields[1], ",")
			}
		}
	}()
	return cmd, words
}

func (l *labTest) await(phases <-chan string, phase string) {
	l.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case p, ok := <-phases:
			if p == phase {
				return
			}
			if !ok {
				l.t.Fatalf("the run ended before its phase %s", phase)
			}
		case <-timeout:
			l.t.Fatalf("phase %s did not begin", phase)
		}
	}
}

func (l *labTest) twoAtOnce() {
	cmd, phases := l.start(undecided()...)
	l.await(phases, "watch")
	out := l.gameday("run", "checkout-lb-loss")
	if out.code != 2 || !strings.Contains(out.stderr, fmt.Sprintf("process %d", cmd.Process.Pid)) || !strings.Contains(out.stderr, "checkout-db-loss") {
		l.t.Errorf("the holder is not named: %v", out)
	}
	if out := l.gameday("lab", "down", "checkout"); out.code != 2 {
		l.t.Errorf("the lab was taken down under a run: %v", out)
	}
	if out := l.gameday("undo"); out.code != 0 || !strings.Contains(out.stdout, "1 run is still in progress") {
		l.t.Errorf("undo meddles with a living run: %v", out)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	if cmd.ProcessState.ExitCode() != 4 {
		l.t.Errorf("SIGTERM: exit code %d", cmd.ProcessState.ExitCode())
	}
	l.asBefore()
}

func (l *labTest) interrupt() {
	for _, phase := range []string{"baseline", "watch"} {
		cmd, phases := l.start(undecided()...)
		l.await(phases, phase)
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Process.Signal(os.Interrupt) // a second one still waits for the undo
		_ = cmd.Wait()
		if cmd.ProcessState.ExitCode() != 4 {
			l.t.Errorf("interrupted in %s: exit code %d", phase, cmd.ProcessState.ExitCode())
		}
		l.asBefore()
	}
}

// asBefore waits until all containers run, and looks for anything in the way.
func (l *labTest) asBefore() {
	l.t.Helper()
	// Of an order that was not answered, the effect is waited for.
	deadline := time.Now().Add(fault.EngineSettle + 15*time.Second)
	for {
		down := 0
		for _, c := range l.project() {
			if c.State != container.StateRunning {
				down++
			}
		}
		journals := l.journals()
		if down == 0 && journals == 0 && len(l.project()) == 5 {
			break
		}
		if time.Now().After(deadline) {
			l.t.Fatalf("after 45s %d containers are down, and there are %d journals", down, journals)
		}
		<-time.After(20 * time.Millisecond)
	}
	for {
		helpers, err := l.docker.ContainerList(l.t.Context(), container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", "gameday.fence=gameday-checkout")),
		})
		if err != nil {
			l.t.Fatal(err)
		}
		if len(helpers) == 0 {
			break
		}
		if time.Now().After(deadline) {
			for _, h := range helpers {
				l.t.Errorf("a helper is left after 45s: %s, %v, %s", h.Names, h.Labels, h.Status)
			}
			l.t.FailNow()
		}
		<-time.After(20 * time.Millisecond)
	}
	if out := l.gameday("undo"); out.code != 0 || !strings.Contains(out.stdout, "nothing to undo") {
		l.t.Error(out)
	}
}

func (l *labTest) journals() int {
	found, _ := filepath.Glob(filepath.Join(l.state, "journals", "*")) // the pattern is a good one
	return len(found)
}

// killNine kills the runner again and again in each phase, after a random delay.
func (l *labTest) killNine() {
	for _, phase := range []string{"baseline", "inject", "watch", "undo", "repair"} {
		l.run(phase, func() {
			for range enginetest.Rounds(1, 10) {
				l.serves()
				cmd, phases := l.start(quick("1s")...)
				l.await(phases, phase)
				<-time.After(time.Duration(rand.Int64N(int64(300 * time.Millisecond))))
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				l.asBefore()
			}
		})
	}
	// No lock stands in the way of the next one.
	l.serves()
	if out := l.gameday(append(quick("2s"), "--json")...); out.code != 1 {
		l.t.Error(out)
	}
}

// killNineHelpers kills the runner while a helper cuts, delays and fills.
func (l *labTest) killNineHelpers() {
	for i, name := range []string{"checkout-db-partition", "checkout-db-slow", "checkout-db-disk-full", "checkout-dns-loss", "checkout-db-crash"} {
		l.run(name, func() {
			// Of one scenario in the one phase, of the next in the other.
			for round := range enginetest.Rounds(1, 4) {
				phase := []string{"inject", "watch"}[(i+round)%2]
				l.serves()
				cmd, phases := l.start("run", name, "--set", "timing.baseline=2s", "--set", "objective.rto=2s", "--set", "timing.watch=3s", "--set", "objective.hold=1s")
				l.await(phases, phase)
				<-time.After(time.Duration(rand.Int64N(int64(500 * time.Millisecond))))
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				l.asBefore()
			}
			l.serves()
		})
	}
}

// restarted restarts the database while it is cut off: it comes back with other
// namespaces, in which nothing was done yet.
func (l *labTest) restarted() {
	l.serves()
	cmd := l.command("run", "checkout-db-partition", "--json", "--set", "timing.baseline=2s", "--set", "timing.watch=8s", "--set", "objective.rto=5s")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		l.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		l.t.Fatal(err)
	}
	again := false
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.Contains(line, " watch, "):
			db := l.project()[slices.IndexFunc(l.project(), func(c container.Summary) bool { return c.Labels["com.docker.compose.service"] == "db" })].ID
			if err := l.docker.ContainerRestart(l.t.Context(), db, container.StopOptions{}); err != nil {
				l.t.Fatal(err)
			}
		case strings.Contains(line, "was injected again"):
			again = true
		}
	}
	_ = cmd.Wait() // its exit code is that of the verdict
	var v verdict
	if err := json.Unmarshal(stdout.Bytes(), &v); err != nil {
		l.t.Fatal(err, stdout.String())
	}
	// Until it is in force again, a user may be served: then the outage was not a total one.
	if !again || v.Verdict != "proven" && v.Verdict != "degraded" || v.State != "down" {
		l.t.Errorf("put in force again: %v, %+v", again, v)
	}
	l.asBefore()
	l.serves()
}

// killedWhileStarting kills the runner while it brings the lab up: the guard
// takes down what was up by then, and what came after.
func (l *labTest) killedWhileStarting(before []string) {
	for range enginetest.Rounds(1, 5) {
		cmd, phases := l.start(quick("1s")...)
		l.await(phases, "starting")
		<-time.After(time.Duration(rand.Int64N(int64(3 * time.Second))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		l.eventually("the guard has undone it", func() bool { return l.journals() == 0 && !slices.ContainsFunc(l.added(before), isOurs) })
		l.sameAs(before)
		if out := l.gameday("undo"); out.code != 0 || !strings.Contains(out.stdout, "nothing to undo") {
			l.t.Error(out)
		}
	}
}

// serves waits until users are served, by either app server and for more than a
// moment.
func (l *labTest) serves() {
	l.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for good := 0; good < 20; {
		if time.Now().After(deadline) {
			l.t.Fatal("the lab does not serve")
		}
		response, err := http.Get(l.url + "/readyz") //nolint:noctx // local
		if err == nil {
			_ = response.Body.Close()
		}
		if err == nil && response.StatusCode == http.StatusOK {
			good++
			continue
		}
		good = 0
		<-time.After(50 * time.Millisecond)
	}
}
