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
	type asked struct{ what, environment string }
	meant := map[asked]string{} // many schedules may name one scenario
	for i := range all {
		a := asked{all[i].What(), all[i].Environment}
		if _, known := meant[a]; !known {
			if meant[a], err = s.EnvironmentOf(a.what, a.environment); err != nil {
				return nil, fmt.Errorf("schedule %s: %w", all[i].Name, err)
			}
		}
		all[i].Environment = meant[a]
	}
	return all, nil
}

// Watched are the schedules, and whether a file that they come from has changed since they
// were read last, which costs much less than reading them again. Use both in one
// goroutine.
func (s Session) Watched() (schedules func() ([]scenario.Schedule, error), changed func() bool) {
	var last *scenario.Reading
	return func() ([]scenario.Schedule, error) {
		last = &scenario.Reading{}
		once := s
		once.Library.Reading = last
		return once.Schedules()
	}, func() bool { return last == nil || last.Changed() }
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
