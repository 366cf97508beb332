package session_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/session"
	"github.com/gameday-dev/gameday/pkg/sweep"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// A sweep that has done all of its steps and cannot write its report says why, and
// nothing else.
func TestASweepWhoseReportCannotBeWritten(t *testing.T) {
	t.Parallel()
	u, dir := newUser(t, ""), t.TempDir()
	before := sweep.Sweep{
		Environment: "staging",
		Map:         topology.Map{Nodes: []topology.Node{{Component: "db", Name: "db", Tier: "db"}}},
		Components:  []sweep.Found{{Component: "db", Kind: "kill"}},
	}
	if err := errors.Join(before.Save(dir), os.Mkdir(filepath.Join(dir, "sweep.md"), 0o700)); err != nil {
		t.Fatal(err)
	}
	_, err := u.Sweep(t.Context(), session.SweepRequest{
		Request: u.request(), Choice: sweep.Choice{Kinds: []string{"kill"}}, Resume: dir,
	})
	if err == nil || !strings.HasPrefix(err.Error(), "write report: ") {
		t.Errorf("the error is %v", err)
	}
}
