package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// TestLab holds everything that uses the lab: one after the other, as there is
// one lab of a name on an engine.
func TestLab(t *testing.T) { //nolint:paralleltest // the lab is one, and times are measured
	l := newLabTest(t)
	before := l.everything()
	if found := l.project(); len(found) > 0 {
		t.Fatal("lab checkout is up already, and a test touches only what it started itself: gameday lab down checkout")
	}
	t.Cleanup(func() { l.gameday("lab", "down", "checkout") })

	// The whole promise, from nothing to nothing.
	l.run("the database is a SPOF", func() { l.dbLoss(before) })
	l.run("a run that is killed takes its lab down", func() { l.killedWhileStarting(before) })
	l.run("a taken port is one sentence", func() { l.takenPort(before) })

	if out := l.gameday("lab", "up", "checkout"); out.code != 0 {
		t.Fatal(out)
	}
	l.run("up again changes nothing", l.upAgain)
	l.run("plan touches nothing", l.planTouchesNothing)
	l.run("an app server is none", l.appLoss)
	l.run("two at once", l.twoAtOnce)
	l.run("Ctrl-C undoes", l.interrupt)
	l.run("kill -9 undoes", l.killNine)
	l.run("kill -9 undoes what helpers do", l.killNineHelpers)
	l.run("a restarted component gets its fault again", l.restarted)
	l.run("a sweep finds exactly the SPOFs", l.sweep)

	if out := l.gameday("lab", "down", "checkout"); out.code != 0 {
		t.Fatal(out)
	}
	if out := l.gameday("lab", "down", "checkout"); out.code != 0 {
		t.Fatalf("down is not idempotent: %v", out)
	}
	l.sameAs(before)
}

type labTest struct {
	t      *testing.T
	docker *client.Client
	state  string
	dir    string
}

func newLabTest(t *testing.T) *labTest {
	t.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Ping(t.Context()); err != nil {
		enginetest.Missing(t, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &labTest{t: t, docker: c, state: t.TempDir(), dir: t.TempDir()}
}

type output struct {
	code           int
	stdout, stderr string
}

func (o output) String() string {
	return fmt.Sprintf("exit code %d\n%s\n%s", o.code, o.stdout, o.stderr)
}

func (l *labTest) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(l.t.Context(), binary, args...)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), "GAMEDAY_STATE_DIR="+l.state)
	return cmd
}

func (l *labTest) gameday(args ...string) output {
	l.t.Helper()
	// Cleanup runs gameday too, when the test's own context has ended.
	cmd := exec.CommandContext(context.WithoutCancel(l.t.Context()), binary, args...)
	cmd.Dir = l.dir
	cmd.Env = append(os.Environ(), "GAMEDAY_STATE_DIR="+l.state)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		l.t.Fatal(err)
	}
	return output{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// everything is all containers, networks and volumes of the engine but those
// of other tests.
func (l *labTest) everything() []string {
	l.t.Helper()
	ctx := context.WithoutCancel(l.t.Context())
	containers, err1 := l.docker.ContainerList(ctx, container.ListOptions{All: true})
	networks, err2 := l.docker.NetworkList(ctx, network.ListOptions{})
	volumes, err3 := l.docker.VolumeList(ctx, volume.ListOptions{})
	if err := errors.Join(err1, err2, err3); err != nil {
		l.t.Fatal(err)
	}
	var all []string
	for _, c := range containers {
		if !ofOthers(c.Labels) {
			all = append(all, "container "+c.ID)
		}
	}
	for _, n := range networks {
		if !ofOthers(n.Labels) {
			all = append(all, "network "+n.Name)
		}
	}
	for _, v := range volumes.Volumes {
		if !ofOthers(v.Labels) {
			all = append(all, "volume "+v.Name)
		}
	}
	slices.Sort(all)
	return all
}

// ofOthers tells what the tests of other packages have started, which run beside
// these: labelled ones, and the lab checkout-ha.
func ofOthers(labels map[string]string) bool {
	text := fmt.Sprint(labels)
	return strings.Contains(text, "gameday.test") || strings.Contains(text, "gameday-checkout-ha")
}

func (l *labTest) sameAs(before []string) {
	l.t.Helper()
	if after := l.everything(); !slices.Equal(before, after) {
		l.t.Errorf("before: %v\nafter: %v", before, after)
	}
}

// project are the lab's containers.
func (l *labTest) project() []container.Summary {
	l.t.Helper()
	found, err := l.docker.ContainerList(l.t.Context(), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.project=gameday-checkout")),
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return found
}

// lives tells the containers' processes apart: id, state and start.
func (l *labTest) lives() string {
	l.t.Helper()
	var lives []string
	for _, c := range l.project() {
		r, err := l.docker.ContainerInspect(l.t.Context(), c.ID)
		if err != nil {
			l.t.Fatal(err)
		}
		lives = append(lives, r.Name+" "+r.ID+" "+r.State.Status+" "+r.State.StartedAt)
	}
	slices.Sort(lives)
	return strings.Join(lives, "\n")
}

// verdict is what a run with --json says.
type verdict struct {
	Verdict, State, Reason string
	Recovery               *float64  `json:"recovery_s"`
	Lo                     *float64  `json:"recovery_lo_s"`
	Hi                     *float64  `json:"recovery_hi_s"`
	AtLeast                *float64  `json:"at_least_s"`
	FirstImpact            *float64  `json:"first_impact_s"`
	FaultAt                time.Time `json:"fault_at"`
	Writes                 *struct{ Acknowledged, Lost, Unconfirmed int }
	Run                    string
	Finished               time.Time
	Faults                 []struct {
		Ordered time.Time
		InForce time.Time `json:"in_force"`
	}
}

func (l *labTest) parse(out output) (v verdict) {
	l.t.Helper()
	if err := json.Unmarshal([]byte(out.stdout), &v); err != nil {
		l.t.Fatalf("%v: %v", err, out)
	}
	return v
}

func (l *labTest) dbLoss(before []string) {
	out := l.gameday("run", "checkout-db-loss", "--json")
	v := l.parse(out)
	if out.code != 1 || v.Verdict != "proven" || v.State != "down" || v.AtLeast == nil || *v.AtLeast < 30 || v.Recovery != nil {
		l.t.Errorf("%+v\n%s", v, out.stderr)
	}
	if v.Writes == nil || v.Writes.Acknowledged < 400 || v.Writes.Lost != 0 || v.Writes.Unconfirmed != 0 {
		l.t.Errorf("writes: %+v", v.Writes)
	}
	l.sameAs(before)
	for _, name := range []string{"verdict.json", "report.md", "samples.bin", "steps.bin", "events.jsonl", "scenario.yaml", "run.json", "writes.jsonl"} {
		if info, err := os.Stat(filepath.Join(l.dir, "gameday-runs", v.Run, name)); err != nil || info.Size() == 0 {
			l.t.Errorf("%s: %v", name, err)
		}
	}
}

func (l *labTest) takenPort(before []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:18410") //nolint:noctx // closed below
	if err != nil {
		l.t.Fatal(err)
	}
	defer listener.Close()
	out := l.gameday("run", "checkout-db-loss")
	if out.code != 2 || !strings.Contains(out.stderr, "port 18410 on 127.0.0.1") || !strings.Contains(out.stderr, "stop what listens there") {
		l.t.Error(out)
	}
	l.sameAs(before)
}

func (l *labTest) upAgain() {
	before := l.lives()
	if out := l.gameday("lab", "up", "checkout"); out.code != 0 || l.lives() != before {
		l.t.Errorf("%v\n%s\n%s", out, before, l.lives())
	}
	if out := l.gameday("lab", "list"); !strings.Contains(out.stdout, "checkout  up") {
		l.t.Error(out)
	}
}

func (l *labTest) planTouchesNothing() {
	before := l.lives()
	out := l.gameday("plan", "checkout-db-loss", "--json")
	var p struct {
		Faults []struct{ Component, Service string }
	}
	if err := json.Unmarshal([]byte(out.stdout), &p); err != nil {
		l.t.Fatal(err, out)
	}
	if len(p.Faults) != 1 || p.Faults[0].Service != "db" {
		l.t.Errorf("%+v", p)
	}
	if l.lives() != before {
		l.t.Error("plan touched something")
	}
	// A component that is down already is refused, before anything is touched.
	id := l.project()[slices.IndexFunc(l.project(), func(c container.Summary) bool { return c.Labels["com.docker.compose.service"] == "lb" })].ID
	if err := l.docker.ContainerPause(l.t.Context(), id); err != nil {
		l.t.Fatal(err)
	}
	out = l.gameday("plan", "checkout-lb-loss")
	if out.code != 2 || !strings.Contains(out.stderr, "is paused, expected it to be running") {
		l.t.Error(out)
	}
	if err := l.docker.ContainerUnpause(l.t.Context(), id); err != nil {
		l.t.Fatal(err)
	}
}

// appLoss holds the recovery time against a witness: a client that shares
// nothing with gameday, at 200 requests a second.
func (l *labTest) appLoss() {
	ctx, stop := context.WithCancel(l.t.Context())
	seen := make(chan []witnessed, 1)
	go func() { seen <- witness(ctx) }()
	out := l.gameday("run", "checkout-app-loss", "--json", "--set", "timing.baseline=4s", "--set", "timing.watch=16s")
	stop()
	v := l.parse(out)
	if out.code != 0 || v.Verdict != "disproved" || v.State != "recovered" || *v.Hi > 10 {
		why, _ := os.ReadFile(filepath.Join(l.dir, "gameday-runs", v.Run, "report.md"))
		l.t.Fatalf("%+v\n%s\n%s", v, out.stderr, why)
	}
	// What each saw: the first badly served user, and the last. The witness's own
	// gap there is as long as it was held up.
	var first, last, gapBefore, gapAfter, previous time.Duration
	hit := 0
	for _, w := range <-seen {
		at := w.sent.Sub(v.FaultAt)
		switch {
		case at < 0 || at > 15*time.Second:
		case w.bad:
			if hit++; hit == 1 {
				first, gapBefore = at, at-previous
			}
			last, gapAfter = at, 0
		case gapAfter == 0 && hit > 0:
			gapAfter = at - last
		}
		previous = at
	}
	// A gap of gameday's users: 20 ms, with half a gap of jitter.
	const gap = 0.030
	ourFirst, ourLast := *v.FirstImpact, *v.FirstImpact+*v.Lo
	l.t.Logf("badly served: gameday's users from %.3f s to %.3f s after the fault, the witness from %.3f s to %.3f s (%d requests); gaps there %v and %v",
		ourFirst, ourLast, first.Seconds(), last.Seconds(), hit, gapBefore, gapAfter)
	if hit < 10 || math.Abs(ourFirst-first.Seconds()) > gap+gapBefore.Seconds() || math.Abs(ourLast-last.Seconds()) > gap+gapAfter.Seconds() {
		l.t.Error("they do not agree to within one gap of each")
	}
	l.report(v)
}

// report holds the promise that a report is ready within a second of the end.
func (l *labTest) report(v verdict) {
	info, err := os.Stat(filepath.Join(l.dir, "gameday-runs", v.Run, "report.md"))
	if err != nil {
		l.t.Fatal(err)
	}
	late := info.ModTime().Sub(v.Finished)
	l.t.Logf("report written %v after the run was finished; fault in force %v after it was ordered",
		late.Round(time.Millisecond), v.Faults[0].InForce.Sub(v.Faults[0].Ordered))
	if late > time.Second {
		l.t.Errorf("the report took %v", late)
	}
}

type witnessed struct {
	sent time.Time
	bad  bool
}

func witness(ctx context.Context) []witnessed {
	var (
		mu   sync.Mutex
		all  []witnessed
		done sync.WaitGroup
	)
	transport := &http.Transport{MaxIdleConnsPerHost: 500}
	defer transport.CloseIdleConnections()
	c := &http.Client{Transport: transport, Timeout: 2 * time.Second}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for ctx.Err() == nil {
		<-ticker.C
		done.Go(func() {
			sent := time.Now()
			response, err := c.Get("http://127.0.0.1:18410/products") //nolint:noctx // bounded by the client's timeout
			bad := err != nil || response.StatusCode != http.StatusOK
			if err == nil {
				_ = response.Body.Close()
			}
			bad = bad || time.Since(sent) > 500*time.Millisecond
			mu.Lock()
			defer mu.Unlock()
			all = append(all, witnessed{sent, bad})
		})
	}
	done.Wait()
	slices.SortFunc(all, func(a, b witnessed) int { return a.sent.Compare(b.sent) })
	return all
}

// quick is a game day of a few seconds.
func quick(watch string) []string {
	return []string{
		"run", "checkout-db-loss", "--set", "timing.baseline=1s", "--set", "timing.watch=" + watch,
		"--set", "objective.rto=1s", "--set", "objective.hold=1s",
	}
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
	cmd, phases := l.start(quick("20s")...)
	l.await(phases, "watch")
	out := l.gameday("run", "checkout-lb-loss")
	if out.code != 2 || !strings.Contains(out.stderr, fmt.Sprintf("process %d", cmd.Process.Pid)) || !strings.Contains(out.stderr, "checkout-db-loss") {
		l.t.Errorf("the holder is not named: %v", out)
	}
	if out := l.gameday("lab", "down", "checkout"); out.code != 2 {
		l.t.Errorf("the lab was taken down under a run: %v", out)
	}
	if out := l.gameday("undo"); out.code != 0 || !strings.Contains(out.stdout, "nothing was left") {
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
		cmd, phases := l.start(quick("20s")...)
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
	deadline := time.Now().Add(15 * time.Second)
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
			l.t.Fatalf("after 15s %d containers are down, and there are %d journals", down, journals)
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
			l.t.Fatalf("helpers are left after 15s: %+v", helpers)
		}
		<-time.After(20 * time.Millisecond)
	}
	if out := l.gameday("undo"); out.code != 0 || !strings.Contains(out.stdout, "nothing was left to undo") {
		l.t.Error(out)
	}
}

// run is one of TestLab's tests.
func (l *labTest) run(name string, test func()) {
	parent := l.t
	defer func() { l.t = parent }()
	parent.Run(name, func(t *testing.T) {
		l.t = t
		test()
	})
}

func (l *labTest) journals() int {
	found, _ := filepath.Glob(filepath.Join(l.state, "journals", "*")) // the pattern is a good one
	return len(found)
}

// killNine kills the runner ten times in each phase, after a random delay.
func (l *labTest) killNine() {
	for _, phase := range []string{"baseline", "inject", "watch", "undo", "repair"} {
		l.run(phase, func() {
			for range 10 {
				l.serves()
				cmd, phases := l.start(quick("1s")...)
				l.await(phases, phase)
				<-time.After(time.Duration(rand.Int64N(int64(300 * time.Millisecond))))
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
				l.asBefore()
			}
			// No lock stands in the way of the next one.
			l.serves()
			if out := l.gameday(append(quick("2s"), "--json")...); out.code != 1 {
				l.t.Error(out)
			}
		})
	}
}

// killNineHelpers kills the runner while a helper cuts, delays and fills.
func (l *labTest) killNineHelpers() {
	for _, name := range []string{"checkout-db-partition", "checkout-db-slow", "checkout-db-disk-full", "checkout-dns-loss", "checkout-db-crash"} {
		l.run(name, func() {
			for _, phase := range []string{"inject", "watch", "watch"} {
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
	cmd := l.command("run", "checkout-db-partition", "--json", "--set", "timing.baseline=2s", "--set", "timing.watch=12s")
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
		case strings.Contains(line, "was put in force again"):
			again = true
		}
	}
	_ = cmd.Wait() // its exit code is that of the verdict
	var v verdict
	if err := json.Unmarshal(stdout.Bytes(), &v); err != nil {
		l.t.Fatal(err, stdout.String())
	}
	if !again || v.Verdict != "proven" || v.State != "down" {
		l.t.Errorf("put in force again: %v, %+v", again, v)
	}
	l.asBefore()
	l.serves()
}

// sweep breaks everything, and finds what the map predicted. One of the two has
// been accepted.
func (l *labTest) sweep() {
	l.serves()
	if out := l.gameday("spofs", "add", "lb", "--env", "lab/checkout", "--owner", "Ada", "--rto", "4h", "--review", "2099-01-01"); out.code != 0 {
		l.t.Fatal(out)
	}
	out := l.gameday("sweep", "--lab", "checkout", "--json", "--rto", "5s", "--baseline", "3s")
	var s struct {
		Components []struct {
			Component, Kind, Verdict, State string
			Predicted, Accepted             bool
		}
	}
	if err := json.Unmarshal([]byte(out.stdout), &s); err != nil {
		l.t.Fatal(err, out)
	}
	found := map[string]string{}
	for _, c := range s.Components {
		found[c.Component] = fmt.Sprintf("%s, predicted %v, accepted %v", c.Verdict, c.Predicted, c.Accepted)
	}
	want := map[string]string{
		"lb":    "proven, predicted true, accepted true",
		"app-1": "disproved, predicted false, accepted false",
		"app-2": "disproved, predicted false, accepted false",
		"db":    "proven, predicted true, accepted false",
	}
	if out.code != 1 || !maps.Equal(found, want) {
		l.t.Errorf("exit code %d, %v\n%s", out.code, found, out.stderr)
	}
	if out := l.gameday("spofs", "check"); out.code != 1 || !strings.Contains(out.stderr, "db in lab/checkout was proven by run") || strings.Contains(out.stderr, "lb in lab/checkout was proven") {
		l.t.Error(out)
	}
	l.asBefore()
}

// killedWhileStarting kills the runner while it brings the lab up: the guard
// takes down what was up by then, and what came after.
func (l *labTest) killedWhileStarting(before []string) {
	for range 3 {
		cmd, phases := l.start(quick("1s")...)
		l.await(phases, "starting")
		<-time.After(time.Duration(rand.Int64N(int64(3 * time.Second))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		deadline := time.Now().Add(30 * time.Second)
		for (!slices.Equal(before, l.everything()) || l.journals() > 0) && time.Now().Before(deadline) {
			<-time.After(100 * time.Millisecond)
		}
		l.sameAs(before)
		if out := l.gameday("undo"); out.code != 0 || !strings.Contains(out.stdout, "nothing was left to undo") {
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
		response, err := http.Get("http://127.0.0.1:18410/readyz") //nolint:noctx // local
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
