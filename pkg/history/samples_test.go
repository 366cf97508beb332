package history_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// A history reads verdicts, and never the samples of a run: there may be millions. Damaged
// ones change nothing.
func TestNoSamplesAreRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := range 2 {
		r := stored(t, dir, n, "db-loss", judged(verdict.Disproved, 2))
		for _, name := range []string{record.SamplesFile, record.StepsFile, record.WritesFile} {
			if err := os.WriteFile(filepath.Join(dir, r.ID, name), []byte("damaged"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	h := open(t, dir)
	all, err := h.Runs(t.Context(), history.Filter{})
	overview, ofOverview := h.Overview(t.Context(), history.Filter{})
	if err := errors.Join(err, ofOverview); err != nil || len(all) != 2 || len(overview) != 2 {
		t.Errorf("%d runs, %d in the overview: %v", len(all), len(overview), err)
	}
}
