package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/target"
)

func (p program) planCommand() *cli.Command {
	return &cli.Command{
		Name:      "plan",
		Usage:     "show what a run would touch or refuse, without touching it",
		ArgsUsage: "SCENARIO",
		Flags:     append(scenarioFlags(), &cli.BoolFlag{Name: "json", Usage: "write one JSON document"}),
		Action: func(c *cli.Context) error {
			s, in, err := p.resolve(c)
			if err != nil {
				return err
			}
			if !in.Lab.IsZero() {
				if err := labIsUp(c, s, in); err != nil {
					return err
				}
			}
			planned, err := s.Plan(c.Context, in)
			if err != nil {
				return err
			}
			observed, err := session.Observe(c.Context, planned)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return printPlanJSON(c, planned, observed)
			}
			return printPlan(c, planned, observed, in.Scenario.Unlooked(in.Journeys))
		},
	}
}

// labIsUp is an error if there is nothing to look at yet.
func labIsUp(c *cli.Context, s session.Session, in session.Input) (err error) {
	site, err := s.Open(c.Context, in.Environment)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	components, err := site.Find(c.Context, target.Selector{})
	if err != nil || len(components) > 0 {
		return err
	}
	return usageError("lab %s is not up, so it has no components to plan for: run gameday lab up %s first (gameday run starts the lab itself)", in.Lab, in.Lab)
}

func printPlan(c *cli.Context, p plan.Plan, observed []session.Observed, unlooked string) error {
	s := p.Scenario
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", s.Name, s.Title)
	fmt.Fprintf(&b, "Environment  %s (%s), at %s\n", p.Environment.Name, p.Environment.Settings.Fence(), p.Environment.Entry)
	for _, l := range s.Load {
		fmt.Fprintf(&b, "Load         %s\n", plannedLoad(l))
	}
	for _, fact := range p.Environment.Connections(s.Load) {
		fmt.Fprintf(&b, "Connection   %s\n", fact)
	}
	for _, step := range p.Steps {
		fmt.Fprintf(&b, "Fault        %s %s (service %s, now %s)\n", step.Kind, step.Component.Name, step.Component.Service, step.Component.State)
		if len(step.LeftOut) > 0 {
			fmt.Fprintf(&b, "             left out, because they do not run: %s\n", strings.Join(step.LeftOut, ", "))
		}
		if len(step.Also) > 0 {
			fmt.Fprintf(&b, "             it also reaches %s, which share its %s\n", strings.Join(step.Also, ", "), sharedBy(step))
		}
		for _, remark := range step.Remarks {
			fmt.Fprintf(&b, "             %s\n", remark)
		}
	}
	if s.Seed == 0 && slices.ContainsFunc(s.Faults, func(f scenario.Fault) bool { return f.Target.Any > 0 || f.Target.Percent > 0 }) {
		b.WriteString("             a run makes its own random choice: set seed: for this one\n")
	}
	for _, o := range observed {
		now := "no value now: " + o.Why
		if o.Value != nil {
			now = "now " + strconv.FormatFloat(*o.Value, 'g', 6, 64)
		}
		fmt.Fprintf(&b, "Observe      %s: %s at %s, %s\n", scenario.Metric{Name: o.Name, Unit: o.Unit}.Title(), o.Query, o.Server, now)
	}
	if unlooked != "" {
		fmt.Fprintf(&b, "Writes       %s\n", unlooked)
	}
	until := ""
	if s.Timing.Until == scenario.UntilDecided {
		until = "up to "
	}
	fmt.Fprintf(&b, "Timing       %v baseline, %s%v watch, up to %v repair\n", s.Timing.Baseline, until, s.Timing.Watch, s.Timing.Repair)
	fmt.Fprintf(&b, "Objective    RTO %v, %s of users within %v\n\nNothing was touched.\n", s.Objective.RTO, s.Objective.Good, s.Objective.Within)
	secrets, err := p.Environment.Secrets()
	if err == nil {
		_, err = fmt.Fprint(c.App.Writer, plaintext.Text(secrets.Text(b.String())))
	}
	return err
}

// plannedLoad is a load in a line.
func plannedLoad(l scenario.JourneyLoad) string {
	text := fmt.Sprintf("%s at %s", l.Name(), l)
	if l.Critical {
		text += ", critical"
	}
	if about := l.Client().About(); about != "" {
		text += ": " + about
	}
	return text
}

// plannedStep is a step as JSON shows it.
type plannedStep struct {
	Fault     string `json:"fault"`
	Component string `json:"component"`
	Service   string `json:"service"`
	ID        string `json:"id"`
	State     string `json:"state"`
	// Also are the components that share what the fault works in.
	Also    []string `json:"also,omitempty"`
	LeftOut []string `json:"left_out,omitempty"` // they match, and do not run
	Remarks []string `json:"remarks,omitempty"`  // what the fault does not meet, and its check does not see
}

// sharedBy is what a fault works in.
func sharedBy(s plan.Step) target.Namespace {
	if reaching, ok := s.Fault.(fault.Reaching); ok {
		return reaching.Reaches()
	}
	return ""
}

func printPlanJSON(c *cli.Context, p plan.Plan, observed []session.Observed) error {
	steps := make([]plannedStep, len(p.Steps))
	for i, s := range p.Steps {
		steps[i] = plannedStep{s.Kind, s.Component.Name, s.Component.Service, s.Component.ID, string(s.Component.State), s.Also, s.LeftOut, s.Remarks}
	}
	document := map[string]any{"schema": "gameday/plan/v1", "scenario": p.Scenario.Name, "environment": p.Environment.Name, "faults": steps, "connection": append([]string{}, p.Environment.Connections(p.Scenario.Load)...)}
	if len(observed) > 0 {
		document["observe"] = observed
	}
	return report.Document(c.App.Writer, document)
}
