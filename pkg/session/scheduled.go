package session

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Schedules are those of the nearest gameday.yaml, each with the environment that it
// means.
func (s Session) Schedules() ([]scenario.Schedule, error) {
	all, err := s.Library.Schedules()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Environment, err = s.EnvironmentOf(all[i].What(), all[i].Environment); err != nil {
			return nil, fmt.Errorf("schedule %s: %w", all[i].Name, err)
		}
	}
	return all, nil
}

// EnvironmentOf checks a scenario, or a sweep, and an environment, and returns the
// environment that is meant.
func (s Session) EnvironmentOf(what, environment string) (string, error) {
	if what == scenario.SweepWord {
		_, err := s.Library.Environment(environment)
		return environment, err
	}
	in, err := s.Find(what, environment)
	return in.Scenario.Environment, err
}

// Names are the bundled scenarios and the declared environments.
func (s Session) Names() (scenarios, environments []string, err error) {
	all, err := s.Library.Environments()
	if err != nil {
		return nil, nil, err
	}
	return s.Library.Bundled(), slices.Sorted(maps.Keys(all)), nil
}
