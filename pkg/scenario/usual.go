package scenario

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/target"
)

// usualJourney is the name of the journey that is meant if none is named.
const usualJourney = "checkout"

// UsualJourney is the journey that users of an environment walk if none is named: checkout, or
// the only one beside gameday.yaml. Of several others, none is chosen.
func (l Library) UsualJourney(environment string) (string, error) {
	if _, ok := target.LabOf(environment); ok {
		return usualJourney, nil
	}
	paths, _ := filepath.Glob(filepath.Join(l.Root(), "journeys", "*.yaml")) // the pattern is a good one
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = strings.TrimSuffix(filepath.Base(p), ".yaml")
	}
	switch {
	case len(names) == 1:
		return names[0], nil
	case len(names) == 0 || slices.Contains(names, usualJourney):
		return usualJourney, nil
	}
	return "", fmt.Errorf("there are several journeys, and none is named %s: give one of %s with --journey", usualJourney, strings.Join(names, ", "))
}
