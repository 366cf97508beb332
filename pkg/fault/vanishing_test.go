package fault_test

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/fault"
)

// A container that the engine removes when it stops could not be put back: kinds that stop
// it refuse it, others do not.
func TestAContainerThatVanishes(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	h := b.Open(b.StartWith(container.HostConfig{AutoRemove: true}))
	for name, f := range map[string]fault.Fault{"kill": &fault.Kill{}, "stop": &fault.Stop{}, "crash": &fault.Crash{}, "restart": &fault.Restart{}} {
		if _, err := f.Prepare(t.Context(), h); err == nil || !strings.Contains(err.Error(), "is removed when it stops (--rm)") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (&fault.Pause{}).Prepare(t.Context(), h); err != nil {
		t.Errorf("pause: %v", err)
	}
}
