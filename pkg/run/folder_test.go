package run_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// A run without its scenario has no meta data either: run.json says that the folder is
// a run that can be read.
func TestSaveWritesMetaLast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, run.ScenarioFile), 0o750); err != nil { // it cannot be written
		t.Fatal(err)
	}
	err := run.Save(dir, run.Meta{ID: "run"}, scenario.Scenario{Name: "test"}, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "save the run: write "+filepath.Join(dir, run.ScenarioFile)) {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, run.MetaFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a %s: %v", run.MetaFile, err)
	}
}

// A run's folder may come from a stranger: a link in it leads to no file elsewhere.
func TestSaveFollowsNoLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{run.MetaFile, run.ScenarioFile} {
		if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Save(dir, run.Meta{ID: "run"}, scenario.Scenario{Name: "test"}, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "mine" {
		t.Errorf("%q %v", data, err)
	}
}
