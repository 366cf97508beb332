// Package session is what a person's command and the daemon both do: find a
// scenario with all that it names, run it, repeat it, sweep an environment, draw
// its map, and send the verdict. Values go in, values come out: flags, tables
// and exit codes are cmd/gameday's, jobs are pkg/daemon's.
package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/plan"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Session is what all commands of one process rest on.
type Session struct {
	Library  scenario.Library // and the drivers of environments with it
	StateDir string           // of journals and locks
	Out      string           // folder of the runs' folders
	Version  string           // of gameday, for the record
	// Protocols perform the steps of journeys, and the checks of roles, that are not HTTP.
	Protocols probe.Protocols
	// Guard starts the process that plays the journal if this one dies.
	Guard func(journalPath string) (run.Guardian, error)
	// Register reads what was decided about single points of failure.
	Register func() (register.Register, error)
	// Warn receives what went wrong beside a run, and changes nothing about it.
	Warn func(err error)
}

// Input is a scenario with all that it names.
type Input struct {
	Scenario    scenario.Scenario
	Environment scenario.Environment
	Journeys    []probe.Journey // as in Scenario.Load
	Lab         target.Lab      // the zero Lab if the environment is none
}

// ErrNoEnvironment is a scenario that names no environment, if none was given.
var ErrNoEnvironment = errors.New("names no environment")

// Find loads a scenario by its name, with all that it names. env, if not "", is the
// environment instead of the scenario's own.
func (s Session) Find(name, env string, overrides ...scenario.Override) (Input, error) {
	what, err := s.Library.Scenario(name, overrides...)
	if err != nil {
		return Input{}, err
	}
	return s.Bind(what, env)
}

// Bind finds the environment and the journeys that a scenario names.
func (s Session) Bind(what scenario.Scenario, env string) (in Input, err error) {
	in.Scenario = what
	if env != "" {
		in.Scenario.Environment = env
	}
	if in.Scenario.Environment == "" {
		return in, fmt.Errorf("scenario %s %w: give one with --env", what.Name, ErrNoEnvironment)
	}
	if in.Environment, err = s.Library.Connected(in.Scenario.Environment); err != nil {
		return in, err
	}
	in.Scenario = in.Scenario.In(in.Environment)
	if err := errors.Join(in.Scenario.CheckRoles(in.Environment), in.Scenario.CheckLoad(in.Environment), in.Scenario.CheckAlerts(), in.Scenario.CheckOutside(in.Environment)); err != nil {
		return in, err
	}
	in.Lab, _ = target.LabOf(in.Scenario.Environment)
	for i, l := range what.Load {
		j, err := s.Library.Journey(in.Scenario.Environment, l.Journey)
		if err != nil {
			return in, err
		}
		in.Journeys = append(in.Journeys, what.Walked(i, j))
	}
	if err := in.checkJourneys(); err != nil {
		return in, err
	}
	if what.Objective.RPO != nil && !slices.ContainsFunc(in.Journeys, probe.Journey.Acknowledges) {
		return in, fmt.Errorf("scenario %s has an RPO (objective.rpo), but lost writes cannot be detected: none of its journeys (%s) has both acknowledges: and confirm:; add them, or remove the RPO",
			what.Name, strings.Join(journeyNames(in.Journeys), ", "))
	}
	return in, nil
}

// checkJourneys checks that users can walk the journeys in the environment, and reads the
// values of the variables that journeys may use.
func (in *Input) checkJourneys() error {
	in.Environment.ReadVariables()
	return errors.Join(in.Environment.CheckVariables(in.Journeys), in.Scenario.CheckKinds(in.Environment, in.Journeys), in.Scenario.CheckClients(in.Environment, in.Journeys), in.Scenario.CheckUsers(in.Journeys))
}

func journeyNames(journeys []probe.Journey) []string {
	all := make([]string, len(journeys))
	for i, j := range journeys {
		all[i] = j.Name
	}
	return all
}

// Open reaches an environment by its driver. The caller closes it.
func (s Session) Open(ctx context.Context, env scenario.Environment) (target.Site, error) {
	driver, err := s.Library.Drivers.Find(env.Kind)
	if err != nil {
		return nil, err
	}
	if env.Environ == nil {
		env.ReadVariables()
	}
	roles := make(map[string]target.Role, len(env.Roles))
	for name, role := range env.Roles {
		roles[name] = role.Target(s.Protocols, env.Environ)
	}
	return driver.Open(ctx, env.Settings, target.Options{Roles: roles, Protect: env.Protect})
}

// Provisioner brings the labs of an environment's driver up and down; nil if it has
// none.
func (s Session) Provisioner(kind string, site target.Site, progress target.Progress) (target.Provisioner, error) {
	driver, err := s.Library.Drivers.Find(kind)
	if err != nil || driver.Labs == nil {
		return nil, err
	}
	return driver.Labs.On(site, progress)
}

// Plan binds a scenario to the components that are there. It touches nothing.
func (s Session) Plan(ctx context.Context, in Input) (p plan.Plan, err error) {
	site, err := s.Open(ctx, in.Environment)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, site.Close()) }()
	return in.plan(ctx, site)
}

func (in Input) plan(ctx context.Context, site target.Site) (plan.Plan, error) {
	return plan.Build(ctx, site, plan.Request{Scenario: in.Scenario, Environment: in.Environment, Journeys: in.Journeys, Seed: in.Scenario.Seed})
}

// kindBefore is the kind of environment of journals that name none: there was one
// kind when they were written.
const kindBefore = "docker"

// open reaches the environment of a journal by the journal's own address.
func (s Session) open(ctx context.Context, h journal.Header) (target.Site, target.Provisioner, error) {
	if h.Kind == "" {
		h.Kind = kindBefore
	}
	driver, err := s.Library.Drivers.Find(h.Kind)
	if err != nil {
		return nil, nil, err
	}
	settings := driver.New()
	if err := json.Unmarshal(h.Address, settings); err != nil {
		return nil, nil, fmt.Errorf("read the environment's address: %w", err)
	}
	site, err := driver.Open(ctx, settings, target.Options{})
	if err != nil {
		return nil, nil, err
	}
	quiet := func(string) {}
	labs, err := s.Provisioner(h.Kind, site, target.Progress{Step: quiet, Detail: quiet})
	if err != nil {
		return nil, nil, errors.Join(err, site.Close())
	}
	return site, labs, nil
}

// Replay undoes what runs have left. note receives what is left alone, and why.
func (s Session) Replay(note func(text string)) run.Replay {
	return run.Replay{StateDir: s.StateDir, Open: s.open, Note: note}
}

// PlainKind is an error if a kind of fault needs settings beside its target.
func (s Session) PlainKind(name string) error {
	kind, ok := s.Library.Kinds.Find(name)
	if !ok {
		return fmt.Errorf("unknown kind of fault %q: %s", name, strictyaml.Suggest(name, s.Library.Kinds.Names()))
	}
	if checker, ok := kind.New().(fault.Checker); ok {
		if err := checker.Check(); err != nil {
			return fmt.Errorf("expected a kind that needs no settings, such as kill, crash, stop, pause or isolate: %s: %w", name, err)
		}
	}
	return nil
}
