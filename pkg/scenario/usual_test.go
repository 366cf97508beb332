package scenario_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/scenario"
)

// Which journey is meant if none is named.
func TestUsualJourney(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment string
		files       []string
		want, says  string
	}{
		"a lab":                  {"lab/checkout", []string{"home"}, "checkout", ""},
		"the only one":           {"shop", []string{"home"}, "home", ""},
		"one of several":         {"shop", []string{"home", "checkout"}, "checkout", ""},
		"several others":         {"shop", []string{"home", "order"}, "", "give one of home, order with --journey"},
		"none, which is told so": {"shop", nil, "checkout", ""},
	} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "journeys"), 0o750); err != nil {
			t.Fatal(err)
		}
		for _, f := range append(c.files, "../gameday") {
			if err := os.WriteFile(filepath.Join(dir, "journeys", f+".yaml"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := scenario.Library{Dir: dir}.UsualJourney(c.environment)
		if got != c.want || (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
