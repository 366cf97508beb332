// Package plan binds a scenario to real components and times. It looks, and
// never touches: what would be refused in the middle of a run is refused here,
// before anything has happened.
package plan

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
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

// Step is one fault on one component, or on none where the fault is not about
// one.
type Step struct {
	Kind      string
	Fault     fault.Fault
	Component target.Component
	Also      []string      // the names of others that share what the fault works in
	LeftOut   []string      // the names of others that match, and do not run
	Remarks   []string      // what the fault does not meet, and what its own check does not see
	At        time.Duration // since the first fault
	For       time.Duration // until it is taken back; to the end of the watch where 0
}

// Open opens the step's component. It is nil if there is none.
func (s Step) Open(ctx context.Context, env target.Environment) (target.Handle, error) {
	if s.Component.ID == "" {
		return nil, nil
	}
	return env.Open(ctx, s.Component.ID)
}

// Request is what a plan is made from.
type Request struct {
	Scenario    scenario.Scenario
	Environment scenario.Environment
	Journeys    []probe.Journey
	Seed        uint64
}

// Build makes a plan. All that stands in its way is reported at once.
func Build(ctx context.Context, env target.Environment, r Request) (Plan, error) {
	p := Plan{Scenario: r.Scenario, Environment: r.Environment, Journeys: r.Journeys, Seed: r.Seed}
	steps, err := p.Bind(ctx, env)
	p.Steps = steps
	return p, err
}

// Bind finds the components that all faults mean right now.
func (p Plan) Bind(ctx context.Context, env target.Environment) ([]Step, error) {
	steps, err := p.bindAll(ctx, env, func(scenario.Fault) bool { return true })
	return steps, errors.Join(err, p.Limit(steps))
}

// bindAll finds the components of the faults that which names, all of them at once: a
// role may take seconds to answer, and faults that belong together start together.
func (p Plan) bindAll(ctx context.Context, env target.Environment, which func(scenario.Fault) bool) ([]Step, error) {
	found := make([][]Step, len(p.Scenario.Faults))
	refusals := make([]error, len(p.Scenario.Faults))
	var binding sync.WaitGroup
	for i, f := range p.Scenario.Faults {
		if which(f) {
			binding.Go(func() { found[i], refusals[i] = p.bind(ctx, env, i) })
		}
	}
	binding.Wait()
	return slices.Concat(found...), errors.Join(refusals...)
}

// BindAt finds the components that the faults of a moment mean. It is called
// when the moment has come, as another component may hold a role by then. Every
// bound component is inside the fence, unprotected, and, with those that were
// bound before, within the limit.
func (p Plan) BindAt(ctx context.Context, env target.Environment, at time.Duration, before []Step) ([]Step, error) {
	steps, err := p.bindAll(ctx, env, func(f scenario.Fault) bool { return f.At == at })
	return steps, errors.Join(err, p.Limit(slices.Concat(before, steps)))
}

// bind finds the components of one fault.
func (p Plan) bind(ctx context.Context, env target.Environment, i int) ([]Step, error) {
	f := p.Scenario.Faults[i]
	f.Kind, f.Spec, f.Target = fault.Resolve(f.Kind, f.Spec, f.Target)
	spec, ok := fault.Of(f.Spec)
	if !ok {
		return nil, fmt.Errorf("%s: %s is not a fault", f.Where, f.Kind)
	}
	found := []target.Component{{}}
	if !f.Target.IsZero() {
		var err error
		found, err = env.Find(ctx, f.Target)
		switch {
		case errors.Is(err, target.ErrNoRole) || err == nil && len(found) == 0:
			return nil, p.noneMatches(ctx, env, f, err)
		case err != nil:
			return nil, fmt.Errorf("%s: %w", f.Where, err)
		}
	}
	found, leftOut := runningOf(f.Target, found)
	// Each fault chooses for itself, so that one more fault changes no other's
	// choice.
	random := rand.New(rand.NewPCG(p.Seed, uint64(i))) //nolint:gosec // G404, G115: a choice to be repeated, not a secret
	picked := f.Target.Pick(found, random)
	steps, refusals := make([]Step, len(picked)), make([]error, len(picked))
	var asking sync.WaitGroup
	for i, c := range picked {
		asking.Go(func() {
			steps[i] = Step{Kind: f.Kind, Fault: spec, Component: c, At: f.At, For: f.For, LeftOut: leftOut}
			if err := steps[i].acceptable(ctx, env); err != nil {
				refusals[i] = fmt.Errorf("%s: %w", f.Where, err)
			}
		})
	}
	asking.Wait()
	return steps, errors.Join(refusals...)
}

// runningOf leaves out what a selector of several components finds stopped, such as one-shots
// that have finished: nothing can be broken there. If all are stopped, or one is named,
// the fault's own refusal tells.
func runningOf(s target.Selector, found []target.Component) (running []target.Component, leftOut []string) {
	if s.Name != "" {
		return found, nil
	}
	for _, c := range found {
		if c.State == target.Stopped {
			leftOut = append(leftOut, c.Name)
		} else {
			running = append(running, c)
		}
	}
	if len(running) == 0 {
		return found, nil
	}
	return running, leftOut
}

// Limit refuses to touch more components than the environment allows.
func (p Plan) Limit(steps []Step) error {
	touched := map[string]bool{}
	for _, s := range steps {
		if s.Component.ID != "" {
			touched[s.Component.Name] = true
		}
		for _, name := range s.Also {
			touched[name] = true
		}
	}
	if limit := p.Environment.MaxTargets; limit > 0 && len(touched) > limit {
		return fmt.Errorf("%s: %d components would be touched (%s), but environment %s allows at most %d: raise max_targets, or select fewer components",
			p.Scenario.Faults[0].Where, len(touched), Names(steps), p.Environment.Name, limit)
	}
	return nil
}

// noneMatches is the error for a fault that has no component: it names what was looked in, and
// what is there instead.
func (p Plan) noneMatches(ctx context.Context, env target.Environment, f scenario.Fault, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", f.Where, err)
	}
	fence := p.Environment.Name
	if p.Environment.Settings != nil {
		fence = p.Environment.Settings.Fence()
	}
	all, err := env.Find(ctx, target.Selector{})
	if err != nil {
		return fmt.Errorf("%s: no component of %s matches %s, and what is there could not be looked up: %w", f.Where, fence, f.Target, err)
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: no component matches %s: %s has no components: start the environment, or correct the name of the project", f.Where, f.Target, fence)
	}
	word, words := f.Target.Service, func(c target.Component) string { return c.Service }
	switch {
	case f.Target.Name != "":
		word, words = f.Target.Name, func(c target.Component) string { return c.Name }
	case f.Target.Service == "" && f.Target.Zone != "":
		word, words = f.Target.Zone, func(c target.Component) string { return c.Zone }
	case f.Target.Service == "":
		words = func(c target.Component) string { return c.Name }
	}
	var there []string
	for _, c := range all {
		if w := words(c); w != "" && !slices.Contains(there, w) {
			there = append(there, w)
		}
	}
	return fmt.Errorf("%s: no component of %s matches %s: %s", f.Where, fence, f.Target, strictyaml.Suggest(word, there))
}

// acceptable refuses what must not, or cannot, be broken. It notes whom the fault reaches
// beside its component.
func (s *Step) acceptable(ctx context.Context, env target.Environment) error {
	if s.Component.Protected {
		return fmt.Errorf("%s is protected: choose another target", s.Component.Name)
	}
	h, err := s.Open(ctx, env)
	var was fault.State
	if err == nil {
		s.Also, err = reached(ctx, s.Fault, h)
	}
	if err == nil {
		// It may start a helper in the namespace, so it comes after that.
		was, err = s.Fault.Prepare(ctx, h)
	}
	if remarking, ok := s.Fault.(fault.Remarking); ok && err == nil {
		s.Remarks, err = remarking.Remarks(ctx, h, was)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", s.Kind, s.Component.Name, err)
	}
	return nil
}

// reached are the names of those that share the namespace in which a fault works: what is
// done to its component is done to them. The machine's own namespace, and one that is shared
// with what is protected or outside the fence, is never worked in.
func reached(ctx context.Context, f fault.Fault, h target.Handle) ([]string, error) {
	reaching, ok := f.(fault.Reaching)
	if !ok || h == nil {
		return nil, nil
	}
	sharing, err := target.As[target.Sharing](h)
	if err != nil {
		return nil, err
	}
	what := reaching.Reaches()
	found, err := sharing.Shares(ctx, what)
	switch {
	case err != nil:
		return nil, err
	case found.Host:
		return nil, fmt.Errorf("it uses the %s of its host, and the fault would reach all of that machine: use kill, stop or pause, or run it without the host's %s", what, what)
	case found.Owner != "" && what == target.ProcessNamespace:
		return nil, fmt.Errorf("it lives among the processes of %s, and the fault would reach %s instead: choose that as the target", found.Owner, found.Owner)
	case len(found.Outside) > 0:
		return nil, fmt.Errorf("it shares its %s with %s outside the fence, which the fault would reach too", what, strings.Join(found.Outside, ", "))
	}
	var names []string
	for _, c := range found.Inside {
		if c.Protected {
			return nil, fmt.Errorf("it shares its %s with %s, which is protected and is never touched", what, c.Name)
		}
		names = append(names, c.Name)
	}
	return names, nil
}

// Names are the components of steps, for a sentence.
func Names(steps []Step) string {
	var names []string
	for _, s := range steps {
		for _, name := range append([]string{s.Component.Name}, s.Also...) {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return strings.Join(names, ", ")
}
