package main_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// The health checks of the recorded engine, once more on a real one: one that can never
// pass, and one that says nothing before the repair ends (case 89).
func TestHealthOfAContainerThatWasKilled(t *testing.T) {
	t.Parallel()
	bed := enginetest.New(t)
	image := bed.Inspect(bed.Start("no")).Config.Image
	var rows sync.WaitGroup
	defer rows.Wait()
	for status, check := range map[string]container.HealthConfig{
		"unhealthy": {Test: []string{"CMD", "/no-such-program"}, Interval: 500 * time.Millisecond, Retries: 1},
		"starting":  {Test: []string{"CMD", "/gameday-lab", "help"}, Interval: time.Hour},
	} {
		label := "check=" + status
		made, err := bed.Client.ContainerCreate(t.Context(), &container.Config{
			Image: image, Cmd: []string{"shop"}, Labels: bed.Labels(label), Healthcheck: &check,
			Env: []string{"SHOP_LISTEN=:8080", "SHOP_DATABASE=postgres://none@127.0.0.1:1/none"},
		}, &container.HostConfig{}, nil, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { bed.Remove(made.ID) })
		if err := bed.Client.ContainerStart(t.Context(), made.ID, container.StartOptions{}); err != nil {
			t.Fatal(err)
		}
		bed.Eventually("it is "+status, func() bool { return bed.Inspect(made.ID).State.Health.Status == status })
		r := newRigged(t) // for its folder and its users
		r.write("gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  staging: {docker: {labels: [%s, %s]}, entry: %q}\n", bed.Label, label, r.entry))
		r.scenario("kill: {target: {label: "+label+"}}", "")
		r.env = []string{"GAMEDAY_HELPER_IMAGE="}
		enginetest.Guard(t, "gameday.fence="+bed.Label+","+label)
		rows.Go(func() {
			if out := r.gameday("run", "x"); out.code != 0 || strings.Contains(out.stdout, "LEFT") || !bed.Inspect(made.ID).State.Running {
				t.Errorf("%s: %v", status, out)
			}
		})
	}
}
