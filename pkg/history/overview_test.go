package history_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// overview is what an open history shows, after it was brought up to date.
func overview(t *testing.T, h *history.History, f history.Filter) []history.Entry {
	t.Helper()
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	all, err := h.Overview(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A run is decoded once while a history is open, however often and for whatever it is
// looked at; one whose folder has changed is decoded again, and one that is gone is gone.
func TestARunIsDecodedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := range 3 {
		stored(t, dir, n, []string{"db-loss", "lb-loss"}[n%2], judged(verdict.Proven, 0))
	}
	h := open(t, dir)
	for range 3 {
		if all := overview(t, h, history.Filter{}); len(all) != 3 {
			t.Fatalf("%d runs", len(all))
		}
		if all := overview(t, h, history.Filter{Scenario: "lb-loss"}); len(all) != 1 || all[0].Report.Scenario != "lb-loss" {
			t.Fatalf("%+v", all)
		}
	}
	if got := h.Decodes(); got != 3 {
		t.Errorf("3 runs were decoded %d times", got)
	}
	last := stored(t, dir, 3, "db-loss", judged(verdict.Disproved, 2))
	if err := os.RemoveAll(filepath.Join(dir, overview(t, h, history.Filter{})[0].ID)); err != nil {
		t.Fatal(err)
	}
	// The same run, judged anew.
	path := filepath.Join(dir, last.ID, "verdict.json")
	if err := errors.Join(os.Remove(path), os.RemoveAll(filepath.Join(dir, last.ID))); err != nil {
		t.Fatal(err)
	}
	stored(t, dir, 3, "db-loss", judged(verdict.Degraded, 20))
	all := overview(t, h, history.Filter{})
	if len(all) != 3 || all[2].Report.Outcome != verdict.Degraded {
		t.Errorf("%+v", all)
	}
	if got := h.Decodes(); got != 5 {
		t.Errorf("5 states of runs were decoded %d times", got)
	}
}

// An overview says of every run what its verdict says, and leaves out only what takes
// much room.
func TestAnOverviewSaysWhatRunsSay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := stored(t, dir, 0, "db-loss", judged(verdict.Proven, 0))
	r.ID, r.Started = "20261201T090000Z-whole-0001", monday.AddDate(0, 0, 8)
	r.Events, r.Versions = []record.Event{{Kind: record.KindNote, What: "something"}}, map[string]string{"docker": "20.10"}
	r.Faults, r.Load = []run.StepAccount{{Kind: "kill"}}, []report.Load{{Journey: "checkout"}}
	write(t, dir, r)
	if err := os.MkdirAll(filepath.Join(dir, "20261130T090000Z-cut-off-0001"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "20261130T090000Z-cut-off-0001", record.EventsFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	h := open(t, dir)
	want, err := h.Runs(t.Context(), history.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 3 || len(want[2].Report.Events) != 1 {
		t.Fatalf("%+v", want)
	}
	for i := range want {
		want[i].Report.Events, want[i].Report.Versions, want[i].Report.Faults, want[i].Report.Load = nil, nil, nil, nil
	}
	got := overview(t, h, history.Filter{})
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b report.Report) bool { return cmp.Equal(document(t, a), document(t, b)) })); diff != "" {
		t.Error(diff)
	}
	for _, f := range []history.Filter{{Scenario: "db-loss"}, {Environment: "elsewhere"}, {Component: "db"}, {Verdict: "proven"}, {Since: monday.Add(time.Hour)}} {
		whole, err := h.Runs(t.Context(), f)
		if err != nil || len(whole) != len(overview(t, h, f)) {
			t.Errorf("%+v: %d runs, and %d in the overview (%v)", f, len(whole), len(overview(t, h, f)), err)
		}
	}
}
