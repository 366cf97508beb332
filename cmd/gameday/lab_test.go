package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
)

// TestLab holds everything that uses the lab checkout: one after the other, as there is
// one lab of a name on an engine.
func TestLab(t *testing.T) { //nolint:tparallel // its subtests share the lab
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
	// A script is a parallel test: the group waits for it.
	t.Run("from nothing to a verdict", func(t *testing.T) { runScripts(t, "testdata/lab") })

	if out := l.gameday("lab", "down", "checkout"); out.code != 0 {
		t.Fatal(out)
	}
	if out := l.gameday("lab", "down", "checkout"); out.code != 0 {
		t.Fatalf("down is not idempotent: %v", out)
	}
	l.sameAs(before)
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
	if out.code != 2 || !strings.Contains(out.stderr, "port 18410 on 127.0.0.1") || !strings.Contains(out.stderr, "stop the process that uses it") {
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
	if out := l.gameday("spofs", "add", "lb", "--env", "lab/checkout", "--owner", "Ada", "--rto", "4h", "--plan", "A second one.", "--review", "2099-01-01"); out.code != 0 {
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
