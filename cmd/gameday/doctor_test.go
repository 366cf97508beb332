package main_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// On a real engine, a doctor finds out what faults can be injected, and leaves nothing.
func TestDoctorOnAnEngine(t *testing.T) {
	t.Parallel()
	client := enginetest.Client(t)
	const label = "gameday.test=doctor"
	fence := "gameday.fence=gameday.doctor=" + label
	enginetest.Guard(t, fence)
	l := &labTest{t: t, docker: client, state: t.TempDir(), dir: t.TempDir()}
	text := "version: 1\nenvironments:\n  staging:\n    docker: {labels: [" + label + "]}\n    entry: http://127.0.0.1:1\n"
	if err := os.WriteFile(filepath.Join(l.dir, "gameday.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := l.gameday("doctor", "--json")
	var d struct {
		Environment string
		Ready       bool
		Findings    []struct{ Check, Subject, Status, Found string }
	}
	if err := json.Unmarshal([]byte(out.stdout), &d); err != nil || out.code != 0 || !d.Ready || d.Environment != "staging" {
		t.Fatalf("%+v %v\n%s", d, err, out)
	}
	good := 0
	for _, f := range d.Findings {
		if f.Check == "engine" && f.Status != "ok" || f.Status == "unknown" {
			t.Errorf("%+v", f)
		}
		if f.Check == "faults" && f.Status == "ok" {
			good++
		}
	}
	if good < 20 {
		t.Errorf("%d kinds can be injected\n%s", good, out.stdout)
	}
	left, err := client.ContainerList(context.WithoutCancel(t.Context()), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", fence))})
	files, readErr := os.ReadDir(l.dir)
	if err != nil || readErr != nil || len(left) > 0 || len(files) != 1 {
		t.Errorf("left behind: %v %v %v %v", left, err, files, readErr)
	}
	states, _ := os.ReadDir(l.state)
	if len(states) > 0 {
		t.Errorf("left in the state folder: %v", states)
	}
}
