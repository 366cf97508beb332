package scenario

import (
	"fmt"

	"github.com/goccy/go-yaml"

	"github.com/gameday-dev/gameday/internal/kind"
)

// Checked is a scenario that a program has made, held to the rules for files and
// with its defaults filled in.
func Checked(s Scenario, kinds kind.Set[any]) (Scenario, error) {
	s.setDefaults()
	data, err := yaml.MarshalWithOptions(s, yaml.IndentSequence(true))
	if err != nil {
		return s, fmt.Errorf("write scenario %s: %w", s.Name, err)
	}
	checked, err := Load("scenario "+s.Name, data, kinds)
	checked.WatchByDefault = s.WatchByDefault
	return checked, err
}
