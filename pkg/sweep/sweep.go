// Package sweep walks an architecture: it breaks every component of a map in
// turn, request path first, and holds what is found against what was predicted.
package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/atomicfile"
	"github.com/gameday-dev/gameday/internal/folder"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/topology"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Schema is the version of sweep.json.
const Schema = "gameday/sweep/v1"

// File is where a sweep keeps what it has found so far.
const File = "sweep.json"

// Sweep is what was found. It is written after every component, so that an
// interrupted one continues.
type Sweep struct {
	Schema      string       `json:"schema"`
	Environment string       `json:"environment"`
	Started     time.Time    `json:"started"`
	Finished    *time.Time   `json:"finished"` // null while there is more to do
	Map         topology.Map `json:"map"`
	Components  []Found      `json:"components"`
}

// Found is what one fault on one component has shown: by its worst trial, if
// there were several.
type Found struct {
	Component  string           `json:"component"`
	Kind       string           `json:"kind"` // of the fault
	Predicted  bool             `json:"predicted"`
	Verdict    verdict.Outcome  `json:"verdict"`
	Reason     verdict.Reason   `json:"reason,omitempty"`
	State      verdict.State    `json:"state,omitempty"`
	Recovery   *verdict.Seconds `json:"recovery_s"`
	RecoveryHi *verdict.Seconds `json:"recovery_hi_s"`
	AtLeast    *verdict.Seconds `json:"at_least_s"`
	Blast      []Blast          `json:"blast_radius"`
	Accepted   bool             `json:"accepted"`
	Acceptance string           `json:"acceptance,omitempty"` // by whom and until when, or why it is none
	Run        string           `json:"run"`
	// Detection is what became of the alerts that had to fire; null if none is declared.
	Detection *verdict.Detection `json:"detection,omitempty"`
	Trials    *verdict.Trials    `json:"trials,omitempty"` // if there were several
}

// Blast is what a fault did to a journey.
type Blast struct {
	Journey string  `json:"journey"`
	Share   float64 `json:"share"` // of its users, while the fault lasted, that failed or were slow
}

// Step is one thing to break: a component, two of them, or a whole zone.
type Step struct {
	Node    topology.Node // of several: their names, and what is predicted
	Kind    string
	Targets []string // the containers
	Zone    string
}

// zoneKind is the kind of fault on a zone.
const zoneKind = "zone"

// Choice narrows a sweep down.
type Choice struct {
	Kinds        []string
	Only, Except []string // components
	Zones        bool     // every zone too, after the components
	Pairs        bool     // every two of a tier too, after the components
}

func (c Choice) takes(component string) bool {
	return (len(c.Only) == 0 || slices.Contains(c.Only, component)) && !slices.Contains(c.Except, component)
}

// Steps are what a sweep breaks, in the order of the users' way: every component
// that they reach, and those that stand by for one. Protected ones are left out.
func Steps(m topology.Map, choice Choice) ([]Step, error) {
	var steps []Step
	var nodes []topology.Node
	known := map[string]bool{}
	for _, n := range m.Nodes {
		known[n.Component] = true
		if !m.Serves(n) || n.Protected || n.Stopped || !choice.takes(n.Component) {
			continue
		}
		nodes = append(nodes, n)
		for _, k := range choice.Kinds {
			steps = append(steps, Step{Node: n, Kind: k, Targets: []string{n.Name}})
		}
	}
	if choice.Pairs {
		steps = append(steps, pairs(m, nodes, choice.Kinds)...)
	}
	if choice.Zones {
		for _, z := range m.Zones() {
			n := topology.Node{Component: "zone " + z.Zone, Zone: z.Zone, Predicted: len(z.Tiers) > 0}
			if n.Predicted {
				n.Why = "it holds all of: " + strings.Join(z.Tiers, ", ")
			}
			steps = append(steps, Step{Node: n, Kind: zoneKind, Zone: z.Zone})
		}
	}
	for _, name := range slices.Concat(choice.Only, choice.Except) {
		if !known[name] {
			return nil, fmt.Errorf("the map has no component %q", name)
		}
	}
	if len(steps) == 0 {
		return nil, errors.New("no component to fault: users reach no component of the environment, or all that they reach are protected or excluded")
	}
	return steps, nil
}

// pairs are every two of a tier, at the same moment. They are predicted where the
// tier has no third.
func pairs(m topology.Map, nodes []topology.Node, kinds []string) []Step {
	var steps []Step
	for i, a := range nodes {
		for _, b := range nodes[i+1:] {
			if a.Tier != b.Tier {
				continue
			}
			n := topology.Node{Component: a.Component + " + " + b.Component, Tier: a.Tier, Predicted: m.Members(a.Tier) == 2}
			if n.Predicted {
				n.Why = "they are all of tier " + a.Tier
			}
			for _, k := range kinds {
				steps = append(steps, Step{Node: n, Kind: k, Targets: []string{a.Name, b.Name}})
			}
		}
	}
	return steps
}

// Left are the steps that are not done yet.
func (s *Sweep) Left(steps []Step) []Step {
	return slices.DeleteFunc(slices.Clone(steps), s.done)
}

// Walk takes the steps that are not done yet. play breaks one, once or several
// times, and returns the reports; the walk ends with the first that could not be
// carried out, or put back.
func (s *Sweep) Walk(ctx context.Context, dir string, steps []Step, play func(context.Context, Step) ([]report.Report, error)) error {
	for _, step := range s.Left(steps) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		trials, err := play(ctx, step)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", step.Kind, step.Node.Component, err)
		}
		if last := trials[len(trials)-1]; last.Aborted != "" {
			return fmt.Errorf("%s of %s: %s", step.Kind, step.Node.Component, last.Aborted)
		}
		s.Components = append(s.Components, found(step, trials))
		if err := s.Save(dir); err != nil {
			return err
		}
	}
	s.Finished = new(time.Now().UTC())
	return s.Save(dir)
}

func (s *Sweep) done(step Step) bool {
	return slices.ContainsFunc(s.Components, func(f Found) bool { return f.Component == step.Node.Component && f.Kind == step.Kind })
}

func found(step Step, trials []report.Report) Found {
	all := report.TrialsOf(trials)
	r := all.Worst()
	f := Found{
		Component: step.Node.Component, Kind: step.Kind, Predicted: step.Node.Predicted,
		Verdict: r.Outcome, Reason: r.Reason, State: r.State, Recovery: r.Recovery, RecoveryHi: r.RecoveryHi, AtLeast: r.AtLeast, Run: r.ID, Detection: r.Detection,
	}
	for _, j := range r.Journeys {
		if j.Samples > 0 {
			f.Blast = append(f.Blast, Blast{j.Name, float64(j.Bad) / float64(j.Samples)})
		}
	}
	if r.Accepted != nil {
		f.Accepted, f.Acceptance = r.Accepted.Holds, r.Accepted.Text()
	}
	if len(trials) > 1 {
		f.Accepted = f.Accepted && all.ExitCode() == 0
		f.Trials = &all.Trials
	}
	return f
}

// Save writes what was found so far, whole or not at all.
func (s *Sweep) Save(dir string) error {
	s.Schema = Schema
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	err = atomicfile.MkdirAll(dir, 0o750)
	if err == nil {
		err = atomicfile.WriteBytes(filepath.Join(dir, File), 0o600, append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("save the sweep: %w", err)
	}
	return nil
}

// Load reads an earlier sweep, to go on with it.
func Load(dir string) (Sweep, error) {
	var s Sweep
	data, err := folder.ReadFile(dir, File)
	if errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("%s contains no sweep.json: set --resume to the folder of a sweep", dir)
	}
	if err == nil {
		err = record.Decode(data, Schema, &s)
	}
	if err != nil {
		return s, fmt.Errorf("read sweep %s: %w", dir, err)
	}
	return s, nil
}

// Marks are what was found, for a map: the worst of each component.
func (s *Sweep) Marks() map[string]topology.Mark {
	worst := map[string]verdict.Outcome{}
	for _, f := range s.Components {
		if before, ok := worst[f.Component]; !ok || verdict.Worst(f.Verdict, before) < 0 {
			worst[f.Component] = f.Verdict
		}
	}
	marks := map[string]topology.Mark{}
	for component, o := range worst {
		switch o {
		case verdict.Proven:
			marks[component] = topology.Red
		case verdict.Disproved:
			marks[component] = topology.Green
		case verdict.Degraded, verdict.Inconclusive, verdict.Aborted:
			marks[component] = topology.Amber
		}
	}
	return marks
}

// Surprise says where prediction and proof differ: that is what a game day is
// for.
func (f Found) Surprise() string {
	switch {
	case f.Predicted && f.Verdict == verdict.Disproved:
		return "the map predicted a SPOF, but users were served within the objective"
	case !f.Predicted && f.Verdict == verdict.Proven:
		return "the map predicted no SPOF, but the experiment proved one"
	}
	return ""
}

// ExitCode is 1 where anything is proven or degraded without an acceptance, 3
// if something is unknown, else 0.
func (s *Sweep) ExitCode() int {
	code := 0
	for _, f := range s.Components {
		switch {
		case f.Verdict == verdict.Proven && f.Accepted:
		case f.Verdict.ExitCode() == 1:
			return 1
		default:
			code = max(code, f.Verdict.ExitCode())
		}
	}
	return code
}

// Outcome is the worst of what was found: proven, though it may have been accepted.
func (s *Sweep) Outcome() verdict.Outcome {
	worst := verdict.Inconclusive // nothing was seen, nothing is claimed
	for i, f := range s.Components {
		if i == 0 || verdict.Worst(f.Verdict, worst) < 0 {
			worst = f.Verdict
		}
	}
	return worst
}
