// Package plan binds a scenario to real components and times. It looks, and
// never touches: what would be refused in the middle of a run is refused here,
// before anything has happened.
package plan

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Plan is all that a run will do.
type Plan struct {
	Scenario    scenario.Scenario
	Environment scenario.Environment
	Journeys    []probe.Journey // as in Scenario.Load
	Steps       []Step          // what would be touched if it began now
	Seed        uint64          // of all that is chosen at random
}

// Step is one fault on one component.
type Step struct {
	Kind      string
	Fault     fault.Fault
	Component target.Component
}

// Request is what a plan is made from.
type Request struct {
	Scenario    scenario.Scenario
	Environment scenario.Environment
	Journeys    []probe.Journey
	Seed        uint64
}

// Build makes a plan. All that stands in its way is told at once.
func Build(ctx context.Context, env target.Environment, r Request) (Plan, error) {
	p := Plan{Scenario: r.Scenario, Environment: r.Environment, Journeys: r.Journeys, Seed: r.Seed}
	steps, err := p.Bind(ctx, env)
	p.Steps = steps
	return p, err
}

// Bind finds the components that the faults mean right now. It is called again
// at the moment of injection, when somebody else may hold a role. Every bound
// component is inside the fence, unprotected, and within the limit.
func (p Plan) Bind(ctx context.Context, env target.Environment) ([]Step, error) {
	random := rand.New(rand.NewPCG(p.Seed, 0)) //nolint:gosec // G404: a choice to be repeated, not a secret
	var steps []Step
	var refusals []error
	for _, f := range p.Scenario.Faults {
		spec, ok := fault.Of(f.Spec)
		if !ok {
			return nil, fmt.Errorf("%s: %s is no fault", f.Where, f.Kind)
		}
		found, err := env.Find(ctx, f.Target)
		switch {
		case errors.Is(err, target.ErrNoRole) || err == nil && len(found) == 0:
			refusals = append(refusals, nobody(f, err))
			continue
		case err != nil:
			return nil, fmt.Errorf("%s: %w", f.Where, err)
		}
		for _, c := range f.Target.Pick(found, random) {
			step := Step{f.Kind, spec, c}
			steps = append(steps, step)
			if err := step.acceptable(ctx, env); err != nil {
				refusals = append(refusals, fmt.Errorf("%s: %w", f.Where, err))
			}
		}
	}
	if limit := p.Environment.MaxTargets; limit > 0 && len(steps) > limit {
		refusals = append(refusals, fmt.Errorf("%s: %d components would be touched (%s), and environment %s allows %d (max_targets)",
			p.Scenario.Faults[0].Where, len(steps), Names(steps), p.Environment.Name, limit))
	}
	return steps, errors.Join(refusals...)
}

func nobody(f scenario.Fault, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", f.Where, err)
	}
	return fmt.Errorf("%s: no component matches %s: is the environment up, and is the name right?", f.Where, f.Target)
}

// acceptable refuses what must not, or cannot, be broken.
func (s Step) acceptable(ctx context.Context, env target.Environment) error {
	if s.Component.Protected {
		return fmt.Errorf("%s is protected and is never touched", s.Component.Name)
	}
	h, err := env.Open(ctx, s.Component.ID)
	if err == nil {
		_, err = s.Fault.Prepare(ctx, h)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.Kind, s.Component.Name, err)
	}
	return nil
}

// Names are the components of steps, for a sentence.
func Names(steps []Step) string {
	names := make([]string, len(steps))
	for i, s := range steps {
		names[i] = s.Component.Name
	}
	return strings.Join(names, ", ")
}
