package main_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// TestLab holds everything that uses the lab checkout: one after the other, as there is
// one lab of a name on an engine.
func TestLab(t *testing.T) {
	t.Parallel()
	l := newLabTest(t, "checkout", 18410)
	before := l.own()

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
	l.run("users inside are not told to be down for longer", l.inside)
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

// own makes the lab this test's own, and gives what there is on the engine before it.
func (l *labTest) own() (before []string) {
	l.t.Helper()
	// The guard of a test that was killed may be removing it.
	deadline := time.Now().Add(time.Minute)
	for len(l.project()) > 0 && time.Now().Before(deadline) {
		<-time.After(100 * time.Millisecond)
	}
	if found := l.project(); len(found) > 0 {
		l.t.Fatalf("lab %[1]s is up already, and a test touches only what it started itself: gameday lab down %[1]s", l.lab)
	}
	enginetest.GuardProject(l.t, "gameday-"+l.lab)
	l.t.Cleanup(func() { l.gameday("lab", "down", l.lab) })
	return l.everything()
}

type labTest struct {
	t      *testing.T
	lab    string // its name
	url    string // where it is reached
	docker *client.Client
	state  string
	dir    string
}

func newLabTest(t *testing.T, lab string, port int) *labTest {
	t.Helper()
	return &labTest{t: t, lab: lab, url: fmt.Sprintf("http://127.0.0.1:%d", port), docker: enginetest.Client(t), state: t.TempDir(), dir: t.TempDir()}
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
		if !l.ofOthers(c.Labels) {
			all = append(all, entry("container", c.ID, c.Labels))
		}
	}
	for _, n := range networks {
		if !l.ofOthers(n.Labels) {
			all = append(all, entry("network", n.Name, n.Labels))
		}
	}
	for _, v := range volumes.Volumes {
		if !l.ofOthers(v.Labels) {
			all = append(all, entry("volume", v.Name, v.Labels))
		}
	}
	slices.Sort(all)
	return all
}

// ofOthers tells what other tests have started, which run beside this one: labelled
// things, other labs, and helpers beside their components.
func (l *labTest) ofOthers(labels map[string]string) bool {
	of := cmp.Or(labels["com.docker.compose.project"], labels["gameday.fence"])
	return strings.Contains(fmt.Sprint(labels), "gameday.test") || strings.HasPrefix(of, "gameday-checkout") && of != "gameday-"+l.lab
}

func (l *labTest) sameAs(before []string) {
	l.t.Helper()
	// While other tests build images, the engine has containers and volumes of its own,
	// without a label of ours.
	for deadline := time.Now().Add(2 * time.Minute); ; <-time.After(100 * time.Millisecond) {
		added := l.added(before)
		if len(added) == 0 {
			return
		}
		if slices.ContainsFunc(added, isOurs) || time.Now().After(deadline) {
			l.t.Errorf("left behind: %v", added)
			return
		}
	}
}

// added is what is on the engine now and was not before.
func (l *labTest) added(before []string) []string {
	return slices.DeleteFunc(l.everything(), func(what string) bool { return slices.Contains(before, what) })
}

// isOurs tells whether an entry of everything has a label of gameday, or of its labs.
func isOurs(what string) bool { return strings.Contains(what, "gameday") }

// entry is one thing on the engine, with its labels.
func entry(kind, id string, labels map[string]string) string {
	return fmt.Sprintf("%s %s %v", kind, id, labels)
}

// project are the lab's containers.
func (l *labTest) project() []container.Summary {
	l.t.Helper()
	found, err := l.docker.ContainerList(l.t.Context(), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.project=gameday-"+l.lab)),
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
	Recovery               *float64   `json:"recovery_s"`
	Lo                     *float64   `json:"recovery_lo_s"`
	Hi                     *float64   `json:"recovery_hi_s"`
	AtLeast                *float64   `json:"at_least_s"`
	FirstImpact            *float64   `json:"first_impact_s"`
	FaultAt                time.Time  `json:"fault_at"`
	Revert                 *time.Time `json:"revert_at"`
	ServedAgain            *float64   `json:"served_again_s"`
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

// decode reads a document that gameday has written.
func (l *labTest) decode(path string, into any) {
	l.t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *labTest) dbLoss(before []string) {
	// As it is declared, it takes a minute: .ci/run runs that too.
	out := l.gameday("run", "checkout-db-loss", "--json", "--set", "timing.baseline=5s", "--set", "timing.watch=15s", "--set", "objective.rto=12s")
	v := l.parse(out)
	if out.code != 1 || v.Verdict != "proven" || v.State != "down" || v.AtLeast == nil || *v.AtLeast < 12 || v.Recovery != nil {
		l.t.Errorf("%+v\n%s", v, out.stderr)
	}
	if v.Writes == nil || v.Writes.Acknowledged < 200 || v.Writes.Lost != 0 || v.Writes.Unconfirmed != 0 {
		l.t.Errorf("writes: %+v", v.Writes)
	}
	l.sameAs(before)
	l.page(v)
	l.reportAgain(v)
	l.vegetaAgrees(v)
	for _, name := range []string{"verdict.json", "report.md", "report.html", "report.png", "junit.xml", "samples.bin", "steps.bin", "events.jsonl", "scenario.yaml", "run.json", "writes.jsonl"} {
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
	if out := l.gameday("lab", "list"); !strings.Contains(strings.Join(strings.Fields(out.stdout), " "), "checkout up One HAProxy") {
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

// run is one of TestLab's tests.
func (l *labTest) run(name string, test func()) {
	parent := l.t
	defer func() { l.t = parent }()
	parent.Run(name, func(t *testing.T) {
		l.t = t
		test()
	})
}

// sweep breaks everything, and finds what the map predicted. One of the two has
// been accepted.
func (l *labTest) sweep() {
	l.serves()
	if out := l.gameday("spofs", "add", "lb", "--env", "lab/checkout", "--owner", "Ada", "--rto", "4h", "--review", "2099-01-01"); out.code != 0 {
		l.t.Fatal(out)
	}
	out := l.gameday("sweep", "--lab", "checkout", "--json", "--rto", "4s", "--baseline", "2s")
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
