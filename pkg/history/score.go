package history

import (
	"maps"
	"slices"
	"time"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// Standing is what evidence says of a component.
type Standing string

// The standings.
const (
	Passed  Standing = "passed"       // its newest evidence disproves it
	Failed  Standing = "failed"       // its newest evidence proves it, or nearly
	Expired Standing = "expired"      // its newest evidence is too old
	Never   Standing = "never tested" // there is none
)

// DefaultFresh is for how long evidence counts.
const DefaultFresh = 30 * 24 * time.Hour

// Component is a component of an environment with its evidence.
type Component struct {
	Component string    `json:"component"`
	Standing  Standing  `json:"standing"`
	Run       string    `json:"run,omitempty"`
	When      time.Time `json:"when,omitzero"`
}

// Score is how much of an environment is known to survive.
type Score struct {
	Environment string      `json:"environment"`
	Components  []Component `json:"components"`
	// Percent is the share of components whose evidence is fresh and says that users
	// survive their loss. What was never tested counts like what failed.
	Percent float64 `json:"percent"`
}

// Scores are those of every environment of which there are runs. Known are the
// components that environments are known to have, from their maps.
func Scores(runs []Entry, known map[string][]string, fresh time.Duration, now time.Time) []Score {
	newest := map[string]map[string]Entry{}
	put := func(environment, component string, e Entry) {
		if newest[environment] == nil {
			newest[environment] = map[string]Entry{}
		}
		newest[environment][component] = e
	}
	for environment, components := range known {
		for _, c := range components {
			put(environment, c, Entry{})
		}
	}
	for _, e := range runs {
		r := e.Report
		if r.Suspect.Component != "" && proves(r) {
			put(r.Environment, r.Suspect.Component, e)
		}
	}
	var all []Score
	for _, environment := range slices.Sorted(maps.Keys(newest)) {
		s := Score{Environment: environment}
		passed := 0
		for _, component := range slices.Sorted(maps.Keys(newest[environment])) {
			e := newest[environment][component]
			c := Component{Component: component, Run: e.ID, When: e.Started, Standing: standing(e, fresh, now)}
			if c.Standing == Passed {
				passed++
			}
			s.Components = append(s.Components, c)
		}
		s.Percent = 100 * float64(passed) / float64(max(len(s.Components), 1))
		all = append(all, s)
	}
	return all
}

func standing(e Entry, fresh time.Duration, now time.Time) Standing {
	switch {
	case e.ID == "":
		return Never
	case now.Sub(e.Started) > fresh:
		return Expired
	case e.Report.Outcome == verdict.Disproved:
		return Passed
	}
	return Failed
}
