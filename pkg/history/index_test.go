package history_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// The index stands in the folder of runs, whatever that is called, and others cannot
// read it.
func TestTheIndexStandsBesideTheRuns(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"runs", "h#1", "c%41", "what?mode=memory", "a b&c=d", "ü"} {
		parent := t.TempDir()
		dir := filepath.Join(parent, name)
		stored(t, dir, 0, "db-loss", judged(verdict.Proven, 0))
		h, err := history.Open(t.Context(), dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if all, err := h.Runs(t.Context(), history.Filter{}); err != nil || len(all) != 1 {
			t.Errorf("%s: %+v %v", name, all, err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		info, err := os.Stat(filepath.Join(dir, history.IndexFile))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%s: others may do %v with the index", name, info.Mode())
		}
		if beside, err := os.ReadDir(parent); err != nil || len(beside) != 1 {
			t.Errorf("%s: beside the runs there is %v (%v)", name, beside, err)
		}
	}
}

// A verdict.json that is no file holds nothing up.
func TestAVerdictThatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, create := range map[string]func(path string) error{
		"20261124T090000Z-pipe-0001":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"20261124T090000Z-folder-0002": func(path string) error { return os.Mkdir(path, 0o700) },
		"20261124T090000Z-device-0003": func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		folder := filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(folder, 0o750), os.WriteFile(filepath.Join(folder, record.EventsFile), nil, 0o600), create(filepath.Join(folder, "verdict.json")))
		if err != nil {
			t.Fatal(err)
		}
	}
	found := make(chan []history.Entry, 1)
	go func() { found <- runs(t, dir, history.Filter{}) }()
	select {
	case all := <-found:
		for _, e := range all {
			if !strings.Contains(e.Problem, "is not a regular file") {
				t.Errorf("%s: %q", e.ID, e.Problem)
			}
		}
		if len(all) != 3 {
			t.Errorf("%d runs", len(all))
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the history waits for a pipe")
	}
}

// A verdict that is cut off at any byte is told as broken, and breaks nothing else.
func TestAVerdictCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stored(t, dir, 0, "db-loss", judged(verdict.Proven, 0))
	torn := stored(t, dir, 1, "lb-loss", judged(verdict.Disproved, 2))
	path := filepath.Join(dir, torn.ID, "verdict.json")
	whole := strings.TrimSpace(document(t, torn))
	h := open(t, dir)
	for cut := 0; cut < len(whole); cut += 7 {
		if err := os.WriteFile(path, []byte(whole[:cut]), 0o600); err != nil {
			t.Fatal(err)
		}
		all := overview(t, h, history.Filter{})
		if len(all) != 2 || all[0].Problem != "" || !strings.Contains(all[1].Problem, "run gameday report to rebuild it") {
			t.Fatalf("cut after %d bytes: %+v", cut, all)
		}
	}
}

// A folder without runs is a history without any; so are folders that are none.
func TestAnEmptyHistory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "20261124T090000Z-sweep-0001"), 0o750); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir)
	if all := overview(t, h, history.Filter{}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
	if _, err := h.Find(t.Context(), "last"); !errors.Is(err, history.ErrNoRun) || !strings.Contains(err.Error(), "the history has only 0 runs") {
		t.Errorf("%v", err)
	}
	if got := history.Scores(nil, nil, time.Hour, monday); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if got := history.TrendOf(nil); len(got.Runs) != 0 || got.Regression != "" || got.Expected != nil {
		t.Errorf("%+v", got)
	}
	if got := history.Evidence([]history.Entry{{Problem: "cut off"}, {Report: report.Report{Suspect: report.Suspect{Component: "db"}}}}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}
