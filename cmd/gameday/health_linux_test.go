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
	var rows sync.WaitGroup
	defer rows.Wait()
	for status, check := range map[string]container.HealthConfig{
		"unhealthy": {Test: []string{"CMD", "/no-such-program"}, Interval: 500 * time.Millisecond, Retries: 1},
		"starting":  {Test: []string{"CMD", "/gameday-lab", "help"}, Interval: time.Hour},
	} {
		label := "check=" + status
		id := bed.Run(container.Config{Labels: bed.Labels(label), Healthcheck: &check, Env: enginetest.Shop(":8080")}, container.HostConfig{})
		bed.Eventually("it is "+status, func() bool { return bed.Inspect(id).State.Health.Status == status })
		r := newRigged(t) // for its folder and its users
		r.write("gameday.yaml", fmt.Sprintf("version: 1\nenvironments:\n  staging: {docker: {labels: [%s, %s]}, entry: %q}\n", bed.Label, label, r.entry))
		r.scenario("kill: {target: {label: "+label+"}}", "")
		r.env = []string{"GAMEDAY_HELPER_IMAGE="}
		enginetest.Guard(t, "gameday.fence="+bed.Label+","+label)
		rows.Go(func() {
			if out := r.gameday("run", "x"); out.code != 0 || strings.Contains(out.stdout, "LEFT") || !bed.Inspect(id).State.Running {
				t.Errorf("%s: %v", status, out)
			}
		})
	}
}
