package run

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// jitter is how much later than declared a trial's fault may strike: a
// failover's length depends on when in its cycle that is, and trials that all
// strike at the same moment measure one length again and again.
const jitter = 2 * time.Second

// Trials runs a scenario n times, one after the other, each injecting at a different time.
// Each run ends when service has recovered, so that the next one starts in steady state. on
// receives the folder of each run. Trials stops after a trial that a person aborted, or that
// could not be carried out.
func (s Stage) Trials(ctx context.Context, what scenario.Scenario, n int, on func(dir string) (more bool)) error {
	random := rand.New(rand.NewPCG(what.Seed, seed())) //nolint:gosec // G404: jitter, not a secret
	for range n {
		trial := what
		trial.Timing.Baseline += time.Duration(random.Int64N(int64(jitter))).Round(time.Millisecond)
		dir, err := s.Play(ctx, trial)
		if err != nil {
			return err
		}
		if !on(dir) {
			break
		}
	}
	return nil
}
