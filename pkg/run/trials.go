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

// Trials plays a scenario n times, one after the other, each with its own moment
// of injection. Steady state is awaited at the end of each: a run is over when
// users are served again. on is given each run's folder. A trial that was ended by
// a person, or could not be carried out, is the last.
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
