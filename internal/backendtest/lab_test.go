package backendtest_test

import (
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/gamedaytest"
)

// The redundant lab's compose project, and its entry.
const (
	project = "gameday-checkout-ha"
	shop    = "http://198.18.20.100"
)

// labUp starts the redundant lab, or a variant of it, and returns gameday in an empty
// folder. The lab is removed after the test.
func labUp(t *testing.T, name string) *system {
	t.Helper()
	up, err := enginetest.Client(t).ContainerList(t.Context(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.project="+project))})
	if err != nil || len(up) > 0 {
		t.Fatalf("%d containers of the lab are there, and a test touches only what it started itself: %v", len(up), err)
	}
	s := &system{gameday: gamedaytest.New(t, t.TempDir())}
	enginetest.GuardProject(t, project)
	t.Cleanup(func() {
		if code, out, text := s.gameday.Run(t, "lab", "down", "checkout-ha"); code != 0 {
			t.Errorf("lab down: exit code %d\n%s\n%s", code, out, text)
		}
	})
	s.do(t, "lab", "up", name)
	return s
}

// do runs a command that must succeed, and returns what it writes.
func (s *system) do(t *testing.T, args ...string) string {
	t.Helper()
	code, out, text := s.gameday.Run(t, args...)
	if code != 0 {
		t.Fatalf("gameday %q: exit code %d\n%s\n%s", args, code, out, text)
	}
	return out
}
