package starter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// Request says what is known beforehand. What is missing is asked, or the best is taken.
type Request struct {
	Project string        // the compose project
	Entry   string        // the base URL of users
	Name    string        // of the environment (default: the project's)
	Observe time.Duration // how long connections are observed; 0 does not look
	// Choose asks a person to choose; nil takes the first.
	Choose func(title string, options []string) (int, error)
	// Say receives what is being done.
	Say func(text string)
	// Session is the request of observing, without its input.
	Session session.Request
}

// Result is what was written.
type Result struct {
	Environment string   `json:"environment"`
	Entry       string   `json:"entry"`
	Wrote       []string `json:"wrote"`
	Kept        []string `json:"kept,omitempty"` // files that were there, and are as they were
	// Add is what a person may add to gameday.yaml, which was there.
	Add   string   `json:"add,omitempty"`
	Notes []string `json:"notes,omitempty"`
	First string   `json:"first,omitempty"` // the scenario to run first
}

// Begin writes the first files beside what runs. Files that are there are never changed.
func Begin(ctx context.Context, s session.Session, r Request) (result Result, err error) {
	found, err := r.project(ctx, s.Library.Drivers)
	if err != nil {
		return result, err
	}
	r.Say("trying the published ports of " + found.Name)
	entry, err := r.entry(ctx, found)
	if err != nil {
		return result, err
	}
	env := Named(found, r.Name, entry)
	r.Say("asking for roles")
	if err := env.askRoles(ctx, s); err != nil {
		return result, err
	}
	result = Result{Environment: env.Name, Entry: entry.URL}
	for _, role := range env.Roles {
		if role.Problem != "" {
			result.Notes = append(result.Notes, fmt.Sprintf("role %s is a comment in gameday.yaml: %s", role.Name, role.Problem))
		}
	}
	if err := r.files(s, env, &result); err != nil {
		return result, err
	}
	return result, r.scenarios(ctx, s, env, &result)
}

// project is the environment that is asked for.
func (r Request) project(ctx context.Context, drivers target.Drivers) (target.Discovered, error) {
	all, err := Find(ctx, drivers)
	if err != nil {
		return target.Discovered{}, err
	}
	names := make([]string, len(all))
	for i, d := range all {
		names[i] = d.Name
	}
	if r.Project != "" {
		if i := slices.Index(names, r.Project); i >= 0 {
			return all[i], nil
		}
		return target.Discovered{}, fmt.Errorf("no compose project %q runs here: %s", r.Project, strictyaml.Suggest(r.Project, names))
	}
	if len(all) == 1 {
		return all[0], nil
	}
	if r.Choose == nil {
		return target.Discovered{}, fmt.Errorf("%d compose projects run here: choose one with --project: %s", len(all), strings.Join(names, ", "))
	}
	i, err := r.Choose("Which compose project?", names)
	if err != nil {
		return target.Discovered{}, err
	}
	return all[i], nil
}

// entry is where users come in.
func (r Request) entry(ctx context.Context, d target.Discovered) (Entry, error) {
	if r.Entry != "" {
		e, err := Try(ctx, strings.TrimRight(r.Entry, "/"))
		if err != nil {
			return e, fmt.Errorf("try --entry %s: %w: check that it is where users come in", r.Entry, err)
		}
		return e, nil
	}
	all := Entries(ctx, d)
	if len(all) == 0 {
		return Entry{}, fmt.Errorf("no published port of %s answers HTTP: give the base URL of its users with --entry URL", d.Name)
	}
	if r.Choose == nil || len(all) == 1 {
		return all[0], nil
	}
	options := make([]string, len(all))
	for i, e := range all {
		options[i] = e.String()
	}
	i, err := r.Choose("Where do users come in?", options)
	if err != nil {
		return Entry{}, err
	}
	return all[i], nil
}

// askRoles asks for each role once: one that no component has, or that cannot be asked for,
// stays a comment.
func (e *Environment) askRoles(ctx context.Context, s session.Session) error {
	for i := range e.Roles {
		role := &e.Roles[i]
		site, err := s.Open(ctx, scenario.Environment{Kind: e.Found.Kind, Settings: e.Found.Settings, Roles: map[string]scenario.Role{role.Name: role.Check}})
		if err != nil {
			return err
		}
		_, err = site.Find(ctx, target.Selector{Role: role.Name})
		if closing := site.Close(); closing != nil {
			return closing
		}
		switch {
		case errors.Is(err, target.ErrNoRole):
			role.Problem = "no component answers that it has the role"
		case err != nil:
			return err
		}
	}
	return nil
}

// files writes gameday.yaml and the first journey.
func (r Request) files(s session.Session, env Environment, result *Result) error {
	all, err := env.Files()
	if err != nil {
		return err
	}
	for _, f := range all {
		wrote, err := result.write(s.Library.Dir, f)
		if err != nil {
			return err
		}
		if wrote || f.Path != scenario.EnvironmentFile {
			continue
		}
		declared, err := s.Library.Environments()
		if err != nil {
			return err
		}
		if _, ok := declared[env.Name]; !ok {
			if result.Add, err = env.Block(); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes a file, and notes whether it did.
func (r *Result) write(dir string, f File) (wrote bool, err error) {
	wrote, err = f.Write(dir)
	switch {
	case err != nil:
	case wrote:
		r.Wrote = append(r.Wrote, f.Path)
	default:
		r.Kept = append(r.Kept, f.Path)
	}
	return wrote, err
}

// scenarios writes a scenario for each component that users reach.
func (r Request) scenarios(ctx context.Context, s session.Session, env Environment, result *Result) error {
	if result.Add != "" {
		result.Notes = append(result.Notes, "scenarios need the environment: add it to gameday.yaml, and run gameday init again")
		return nil
	}
	m, err := r.architecture(ctx, s, env)
	if err != nil {
		return err
	}
	all, err := env.Scenarios(m)
	if err != nil {
		return err
	}
	for _, f := range all {
		if _, err := result.write(s.Library.Dir, f); err != nil {
			return err
		}
		if result.First == "" {
			result.First = strings.TrimSuffix(strings.TrimPrefix(f.Path, "scenarios/"), ".yaml")
		}
	}
	if len(all) == 0 {
		result.Notes = append(result.Notes, "no component was seen to serve users, so there is no scenario: write one with gameday new scenario NAME")
	}
	return nil
}

// architecture is the map of the environment while users walk the first journey. Without
// observation, each service counts as reached.
func (r Request) architecture(ctx context.Context, s session.Session, env Environment) (m topology.Map, err error) {
	if r.Observe <= 0 {
		for i, service := range env.Found.Services {
			m.Nodes = append(m.Nodes, topology.Node{Component: service.Name, Layer: i, Target: target.Component{Service: service.Name}})
		}
		return m, nil
	}
	request := r.Session
	if request.Input, err = s.Bound(session.Walk{Name: "init", Environment: env.Name, Journeys: []string{Journey}, Rate: probe.Rate{Users: 20, Per: time.Second}}); err != nil {
		return m, err
	}
	return s.Map(ctx, request, r.Observe)
}
