package scenario_test

import (
	"testing"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// The examples of the documentation are valid, and so are those of each kind of step.
func TestExamplesOfJourneys(t *testing.T) {
	t.Parallel()
	for _, e := range scenario.JourneyExamples() {
		if _, err := scenario.LoadJourney("", []byte(e.YAML), nil); err != nil {
			t.Errorf("%s: %v\n%s", e.Title, err, e.YAML)
		}
	}
	for key, r := range probe.Requests() {
		e, ok := r.(interface{ Example() string })
		if !ok {
			t.Errorf("%s has no example", key)
			continue
		}
		text := "version: 1\nname: example\nlet: {id: x, token: y, order: z}\nsteps:\n" + scenario.Indent(e.Example())
		if _, err := scenario.LoadJourney("", []byte(text), nil); err != nil {
			t.Errorf("%s: %v\n%s", key, err, text)
		}
	}
}
