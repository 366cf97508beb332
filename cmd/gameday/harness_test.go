package main_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
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

// writeFile writes a file below a folder.
func writeFile(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
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
	return strings.Contains(fmt.Sprint(labels), "gameday.test") || strings.HasPrefix(of, "gameday-") && of != "gameday-"+l.lab
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

func (l *labTest) eventually(what string, holds func() bool) {
	l.t.Helper()
	l.within(30*time.Second, what, holds)
}

func (l *labTest) within(limit time.Duration, what string, holds func() bool) time.Duration {
	l.t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > limit {
			l.t.Fatalf("%s: not within %v", what, limit)
		}
		<-time.After(50 * time.Millisecond)
	}
	return time.Since(began)
}
