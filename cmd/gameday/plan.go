package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/pkg/plan"
)

func planCommand() *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "show what a run would touch, and what would be refused, without touching it",
		ArgsUsage: "SCENARIO",
		Flags:     append(scenarioFlags(), &cli.BoolFlag{Name: "json", Usage: "write one JSON document"}),
		Action: func(c *cli.Context) error {
			in, err := resolve(c)
			if err != nil {
				return err
			}
			defer in.engine.Close()
			if in.lab != "" {
				if up, err := labIsUp(c, in); err != nil || !up {
					return err
				}
			}
			p, err := plan.Build(c.Context, in.engine, plan.Request{Scenario: in.scenario, Environment: in.environment, Journeys: in.journeys})
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printPlanJSON(c, p)
			}
			return printPlan(c, p)
		},
	}
}

// labIsUp says what would happen where there is nothing to look at yet.
func labIsUp(c *cli.Context, in input) (bool, error) {
	components, err := in.engine.Find(c.Context, targetAll())
	if err != nil || len(components) > 0 {
		return true, err
	}
	return false, usageError("lab %s is not up, so there is nothing to look at: gameday lab up %s first (run brings it up by itself)", in.lab, in.lab)
}

func printPlan(c *cli.Context, p plan.Plan) error {
	s := p.Scenario
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", s.Name, s.Title)
	fmt.Fprintf(&b, "Environment  %s (%s), at %s\n", p.Environment.Name, p.Environment.Docker.Fence(), p.Environment.Entry)
	for _, l := range s.Load {
		fmt.Fprintf(&b, "Load         %s at %s%s\n", l.Journey, l.Rate, map[bool]string{true: ", critical"}[l.Critical])
	}
	for _, step := range p.Steps {
		fmt.Fprintf(&b, "Break        %s %s (service %s, now %s)\n", step.Kind, step.Component.Name, step.Component.Service, step.Component.State)
	}
	fmt.Fprintf(&b, "Timing       %v baseline, %v watch, up to %v repair\n", s.Timing.Baseline, s.Timing.Watch, s.Timing.Repair)
	fmt.Fprintf(&b, "Objective    RTO %v, %s of users within %v\n\nNothing was touched.\n", s.Objective.RTO, s.Objective.Good, s.Objective.Within)
	_, err := fmt.Fprint(c.App.Writer, b.String())
	return err
}

// plannedStep is a step as JSON shows it.
type plannedStep struct {
	Fault     string `json:"fault"`
	Component string `json:"component"`
	Service   string `json:"service"`
	ID        string `json:"id"`
	State     string `json:"state"`
}

func printPlanJSON(c *cli.Context, p plan.Plan) error {
	steps := make([]plannedStep, len(p.Steps))
	for i, s := range p.Steps {
		steps[i] = plannedStep{s.Kind, s.Component.Name, s.Component.Service, s.Component.ID, string(s.Component.State)}
	}
	e := json.NewEncoder(c.App.Writer)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"schema": "gameday/plan/v1", "scenario": p.Scenario.Name, "environment": p.Environment.Name, "faults": steps})
}
