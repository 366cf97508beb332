package folder_test

import (
	"path/filepath"
	"testing"

	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/internal/folder"
)

// A stranger's run.json (scenario.yaml, a log) of any size, of which nothing is on the disk,
// takes no memory.
func TestASparseFileOfAStranger(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	dir := t.TempDir()
	boundedtest.Sparse(t, filepath.Join(dir, "run.json"), 200<<20) // a terabyte would end the test, and the daemon
	boundedtest.Allocates(t, 128<<20, func() {
		if _, err := folder.ReadFile(dir, "run.json"); err == nil {
			t.Error("200 MB were read as a file of a run")
		}
	})
}
