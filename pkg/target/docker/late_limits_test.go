package docker_test

import (
	"net/http"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// An order may be carried out late, when another fault's limit was put back already: it may
// only have what it changes, or it lowers the other limit again, and nothing raises it.
func TestAnOrderHasOnlyTheLimitThatItChanges(t *testing.T) {
	t.Parallel()
	pids := func(n int64) *int64 { return &n }
	lowered := target.Limits{NanoCPUs: 100_000_000, Memory: 32 << 20, Swap: 128 << 20, PIDs: 50} // two faults are in force
	for name, c := range map[string]struct {
		change func(*target.Limits)
		want   container.Resources
	}{
		"pids":   {func(l *target.Limits) { l.PIDs = 5 }, container.Resources{PidsLimit: pids(5)}},
		"cpu":    {func(l *target.Limits) { l.NanoCPUs = 50_000_000 }, container.Resources{NanoCPUs: 50_000_000}},
		"memory": {func(l *target.Limits) { l.Memory = 16 << 20 }, container.Resources{Memory: 16 << 20, MemorySwap: 128 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db", limited(lowered, lowered.PIDs)))
			e.Answer("POST /containers/db/update", http.StatusOK, `{"Warnings":null}`)
			to := lowered
			c.change(&to)
			if err := opened[target.Limiter](t, e.open(), "db").SetLimits(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			var got container.UpdateConfig
			decode(t, e.Questions("POST", "/containers/db/update")[0].Body, &got)
			if diff := cmp.Diff(container.UpdateConfig{Resources: c.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
