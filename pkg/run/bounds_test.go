package run_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
)

// Samples whose file has a terabyte, of which little is on the disk, are an error in
// little memory (M14).
func TestSparseSamplesTakeLittleMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	dir := copied(t, nil)
	boundedtest.Sparse(t, filepath.Join(dir, record.SamplesFile), 1<<40)
	f, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	boundedtest.Allocates(t, 64<<20, func() {
		if _, _, err := f.Judge(nil); err == nil || !strings.Contains(err.Error(), record.SamplesFile) {
			t.Errorf("%v", err)
		}
	})
}
