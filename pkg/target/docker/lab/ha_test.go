package lab_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// TestRedundantLab holds the redundant lab to what it is for: the scenarios that
// prove the single points of failure of the lab checkout disprove them here.
func TestRedundantLab(t *testing.T) { //nolint:paralleltest // the lab is one
	docker := enginetest.Client(t)
	dir := t.TempDir()
	binary := filepath.Join(dir, "gameday")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "github.com/gameday-dev/gameday/cmd/gameday")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	gameday := func(args ...string) (int, []byte, string) {
		cmd := exec.Command(binary, args...) //nolint:noctx // it must put back what it did
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GAMEDAY_STATE_DIR="+filepath.Join(dir, "state"))
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run() // the code says how it went
		return cmd.ProcessState.ExitCode(), stdout.Bytes(), stderr.String()
	}
	left := func() []container.Summary {
		list, err := docker.ContainerList(t.Context(), container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.project=gameday-checkout-ha")),
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if len(left()) > 0 {
		t.Fatal("lab checkout-ha is up already, and a test touches only what it started itself: gameday lab down checkout-ha")
	}
	enginetest.GuardProject(t, "gameday-checkout-ha")
	t.Cleanup(func() {
		if code, _, text := gameday("lab", "down", "checkout-ha"); code != 0 {
			t.Error(text)
		}
	})
	release := enginetest.Alone(t)
	if code, _, text := gameday("lab", "up", "checkout-ha"); code != 0 {
		t.Fatal(text)
	}
	release()
	// The database takes its seven seconds, and the others less than one.
	for name, timing := range map[string][]string{
		"checkout-lb-loss":        {"timing.watch=8s", "objective.rto=5s"},
		"checkout-db-loss":        {"timing.watch=18s", "objective.rto=12s"},
		"checkout-cache-loss":     {"timing.watch=12s", "objective.rto=8s"},
		"checkout-dns-one-server": {"timing.watch=8s", "objective.rto=5s"},
	} {
		release := enginetest.Alone(t)
		code, out, text := gameday("run", name, "--env", "lab/checkout-ha", "--json",
			"--set", "timing.baseline=4s", "--set", timing[0], "--set", timing[1], "--set", "load[0].rate=20/s")
		release()
		var v struct {
			Verdict, State string
			Hi             *float64 `json:"recovery_hi_s"`
			Writes         *struct{ Acknowledged, Lost int }
		}
		if err := json.Unmarshal(out, &v); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if code != 0 || v.Verdict != "disproved" {
			t.Errorf("%s: exit code %d, %+v\n%s", name, code, v, text)
			continue
		}
		if v.Writes != nil && (v.Writes.Lost > 0 || v.Writes.Acknowledged < 80) {
			t.Errorf("%s: %+v", name, v.Writes)
		}
		if v.Hi != nil {
			t.Logf("%s: %s, served again within %.2f s", name, v.State, *v.Hi)
		}
	}
	if code, _, text := gameday("lab", "down", "checkout-ha"); code != 0 || len(left()) > 0 {
		t.Errorf("%s\n%v", text, left())
	}
	if code, out, _ := gameday("undo"); code != 0 || !strings.Contains(string(out), "nothing to undo") {
		t.Errorf("undo: %s", out)
	}
}
