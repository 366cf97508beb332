package sweep

import (
	"fmt"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/kind"
	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Experiment is what all steps of a sweep have in common.
type Experiment struct {
	Environment string
	Load        []scenario.JourneyLoad
	RTO         time.Duration
	Within      time.Duration // 0: the default
	Good        unit.Ratio    // 0: the default
	Baseline    time.Duration
	Until       string // as in [scenario.Timing]
}

// Scenario is the scenario of a step. Its defaults are not filled in: see
// [scenario.Checked].
func (s Step) Scenario(e Experiment, kinds kind.Set[any]) (scenario.Scenario, error) {
	k, ok := kinds.Find(s.Kind)
	if !ok {
		return scenario.Scenario{}, fmt.Errorf("unknown kind of fault %q: %s", s.Kind, strictyaml.Suggest(s.Kind, kinds.Names()))
	}
	because := "The map predicts it: " + s.Node.Why + "."
	if !s.Node.Predicted {
		because = "The map predicts that another component takes over; a sweep tries every component."
	}
	plain := strings.NewReplacer("_", "-", ".", "-", " + ", "-", " ", "-")
	what := scenario.Scenario{
		Version: scenario.Version, Name: "sweep-" + strings.ToLower(plain.Replace(s.Node.Component)) + "-" + s.Kind,
		Title:       "A sweep: " + s.Kind + " of " + s.Node.Component,
		Environment: e.Environment,
		Suspect:     scenario.Suspect{Component: s.Node.Component, Because: because},
		Objective:   scenario.Objective{RTO: e.RTO, Within: e.Within, Good: e.Good}, Load: e.Load,
		Timing: scenario.Timing{Baseline: e.Baseline, Until: e.Until},
	}
	if s.Zone != "" {
		what.Faults = append(what.Faults, scenario.Fault{Kind: s.Kind, Spec: &fault.Zone{Name: s.Zone}})
	}
	for _, name := range s.Targets {
		what.Faults = append(what.Faults, scenario.Fault{Kind: s.Kind, Spec: k.New(), Target: target.Selector{Name: name}})
	}
	return what, nil
}
