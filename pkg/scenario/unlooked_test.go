package scenario_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Writes that users were told to be saved, and that nobody looks up, are told.
func TestUnlookedWrites(t *testing.T) {
	t.Parallel()
	look := probe.Journey{Name: "look", Steps: []probe.Step{{Name: "look"}}}
	order := probe.Journey{Name: "order", Steps: []probe.Step{{Name: "order", Acknowledges: "$.id"}}, Confirm: &probe.Step{}}
	for name, c := range map[string]struct {
		rpo      *time.Duration
		journeys []probe.Journey
		told     bool
	}{
		"no rpo":             {nil, []probe.Journey{look, order}, true},
		"an rpo":             {new(time.Duration(0)), []probe.Journey{look, order}, false},
		"nothing is written": {nil, []probe.Journey{look}, false},
	} {
		s := scenario.Scenario{Objective: scenario.Objective{RPO: c.rpo}}
		if got := s.Unlooked(c.journeys); (got != "") != c.told || c.told && !strings.Contains(got, "journey order") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A variable that is set, and that the environment does not name, is not told to be unset.
func TestVariablesOfJourneys(t *testing.T) {
	t.Parallel()
	j := []probe.Journey{{Name: "login", Steps: []probe.Step{{Name: "login", Get: `/{{env "SHOP_KEY"}}`}}}}
	for name, c := range map[string]struct {
		env  scenario.Environment
		says string
	}{
		"not named":          {scenario.Environment{Name: "a"}, "add variables: [SHOP_KEY]"},
		"named, and not set": {scenario.Environment{Name: "a", Variables: []string{"SHOP_KEY"}}, "which is not set: export it"},
		"named, and set":     {scenario.Environment{Name: "a", Variables: []string{"SHOP_KEY"}, Environ: map[string]string{"SHOP_KEY": "x"}}, ""},
	} {
		var all []string
		for _, err := range []error{c.env.CheckVariables(j), c.env.CheckEnviron(j)} {
			if err != nil {
				all = append(all, err.Error())
			}
		}
		if got := strings.Join(all, "; "); (got == "") != (c.says == "") || !strings.Contains(got, c.says) || len(all) > 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
}
