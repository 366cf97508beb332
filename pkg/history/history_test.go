package history_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/history"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// seconds are a figure of a verdict.
func seconds(s float64) *verdict.Seconds {
	return new(verdict.Seconds(time.Duration(s * float64(time.Second))))
}

func judged(o verdict.Outcome, recovery float64) verdict.Verdict {
	v := verdict.Verdict{Outcome: o, Samples: 1000, Bad: 100}
	if recovery > 0 {
		v.Recovery, v.RecoveryLo, v.RecoveryHi = seconds(recovery), seconds(recovery-0.1), seconds(recovery+0.1)
	} else if o == verdict.Proven {
		v.AtLeast = seconds(30)
	}
	return v
}

// stored writes a run of the n-th day.
func stored(t *testing.T, dir string, n int, scenario string, v verdict.Verdict) report.Report {
	t.Helper()
	started := monday.AddDate(0, 0, n)
	r := report.Report{
		Schema: report.Schema, ID: started.Format("20060102T150405Z") + "-" + scenario + fmt.Sprintf("-%04x", n), Scenario: scenario, Environment: "staging",
		Suspect: report.Suspect{Component: "db"}, Started: started, Run: verdict.Run{Verdict: v},
	}
	write(t, dir, r)
	return r
}

// document is a report as verdict.json has it.
func document(t *testing.T, r report.Report) string {
	t.Helper()
	var document strings.Builder
	if err := report.JSON(&document, r); err != nil {
		t.Fatal(err)
	}
	return document.String()
}

// write writes the folder of a run.
func write(t *testing.T, dir string, r report.Report) {
	t.Helper()
	folder := filepath.Join(dir, r.ID)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(folder, "events.jsonl"), []byte("{}\n"), 0o600),
		os.WriteFile(filepath.Join(folder, "verdict.json"), []byte(document(t, r)), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *history.History {
	t.Helper()
	h, err := history.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func runs(t *testing.T, dir string, f history.Filter) []history.Entry {
	t.Helper()
	h, err := history.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := h.Runs(t.Context(), f)
	if err := errors.Join(err, h.Close()); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRunsAreFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := range 4 {
		stored(t, dir, n, []string{"db-loss", "lb-loss"}[n%2], judged(verdict.Proven, 0))
	}
	for want, f := range map[string]history.Filter{
		"0 1 2 3": {}, "0 2": {Scenario: "db-loss"}, "2 3": {Since: monday.AddDate(0, 0, 2)}, "": {Verdict: "disproved"}, "1 3": {Scenario: "lb-loss", Environment: "staging", Component: "db", Verdict: "proven"},
	} {
		var got []string
		for _, e := range runs(t, dir, f) {
			got = append(got, strings.TrimLeft(e.ID[len(e.ID)-4:], "0"))
		}
		if text := strings.Join(got, " "); strings.TrimSpace(text) != strings.TrimPrefix(want, "0 ") && text != strings.Replace(want, "0", "", 1) {
			t.Errorf("%+v: %q, expected %q", f, text, want)
		}
	}
	h := open(t, dir)
	for reference, want := range map[string]string{
		"last": "-0003", "last~1": "-0002", "last~3": "-0000", "20261124": "-0001", "20261125T090000Z-db-loss-0002": "-0002",
	} {
		if e, err := h.Find(t.Context(), reference); err != nil || !strings.HasSuffix(e.ID, want) {
			t.Errorf("%s: %s %v", reference, e.ID, err)
		}
	}
	for _, reference := range []string{"last~4", "last~x", "2026", "nothing"} {
		if _, err := h.Find(t.Context(), reference); !errors.Is(err, history.ErrNoRun) {
			t.Errorf("%s: %v", reference, err)
		}
	}
	if _, err := history.Open(t.Context(), filepath.Join(dir, "nowhere")); !errors.Is(err, history.ErrNoRun) {
		t.Error(err)
	}
}

// What is cut off is shown as such, and what is newer is a clear error; neither
// breaks anything.
func TestHalfWrittenRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stored(t, dir, 0, "db-loss", judged(verdict.Proven, 0))
	for name, document := range map[string]string{
		"20261124T090000Z-cut-off-0001": "", "20261124T090001Z-torn-0002": `{"schema": "gameday/ver`, "20261124T090002Z-newer-0003": `{"schema": "gameday/verdict/v9", "load": "heavy"}`,
	} {
		folder := filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(folder, 0o750), os.WriteFile(filepath.Join(folder, "events.jsonl"), nil, 0o600))
		if document != "" {
			err = errors.Join(err, os.WriteFile(filepath.Join(folder, "verdict.json"), []byte(document), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "20261124T090003Z-sweep-0004"), 0o750); err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, e := range runs(t, dir, history.Filter{}) {
		problems = append(problems, e.Problem)
	}
	text := strings.Join(problems, "\n")
	if len(problems) != 4 || problems[0] != "" || !strings.Contains(text, "interrupted before the verdict") || !strings.Contains(text, "is damaged") || !strings.Contains(text, "use a newer gameday") {
		t.Errorf("%q", problems)
	}
}

// The index is made anew whenever it is missing, broken or of another version, and
// follows what happens to the folders.
func TestTheIndexFollowsTheFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := stored(t, dir, 0, "db-loss", judged(verdict.Proven, 0))
	path := filepath.Join(dir, history.IndexFile)
	for name, change := range map[string]func() error{
		"untouched": func() error { return nil },
		"missing":   func() error { return os.Remove(path) },
		"rubbish":   func() error { return os.WriteFile(path, []byte(strings.Repeat("rubbish", 1000)), 0o600) },
		"empty":     func() error { return os.Truncate(path, 0) },
	} {
		if n := len(runs(t, dir, history.Filter{})); n != 1 {
			t.Fatalf("before %s: %d runs", name, n)
		}
		_ = os.Remove(path + "-wal")
		_ = os.Remove(path + "-shm")
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if n := len(runs(t, dir, history.Filter{})); n != 1 {
			t.Errorf("%s: %d runs", name, n)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, first.ID, "verdict.json"), []byte(`{"schema": "gameday/verdict/v1", "scenario": "other", "started": "2026-11-23T09:00:00Z", "objective": {}, "verdict": "disproved", "load": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if all := runs(t, dir, history.Filter{Scenario: "other", Verdict: "disproved"}); len(all) != 1 {
		t.Errorf("%+v", all)
	}
	if err := os.RemoveAll(filepath.Join(dir, first.ID)); err != nil {
		t.Fatal(err)
	}
	if all := runs(t, dir, history.Filter{}); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

// Ten runs that end at once, each of which is looked up at once, lose none.
func TestTenAtOnceLoseNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var group sync.WaitGroup
	for n := range 10 {
		group.Go(func() {
			r := stored(t, dir, n, "db-loss", judged(verdict.Proven, 0))
			h, err := history.Open(t.Context(), dir)
			if err != nil {
				t.Error(err)
				return
			}
			defer h.Close()
			if _, err := h.Find(t.Context(), r.ID); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := len(runs(t, dir, history.Filter{})); n != 10 {
		t.Errorf("%d of 10 runs", n)
	}
}

// Pruning that is told to end does so between two runs.
func TestPruneEndsBetweenRuns(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for day := range 4 {
		stored(t, dir, day, "db-loss", judged(verdict.Proven, 0))
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone, err := open(t, dir).Prune(ctx, 1, monday.AddDate(0, 0, 10), func(dir string) error {
		cancel()
		return os.RemoveAll(dir)
	})
	if !errors.Is(err, context.Canceled) || len(gone) != 1 {
		t.Errorf("%d removed, %v", len(gone), err)
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for n := range 6 {
		stored(t, dir, n, []string{"db-loss", "lb-loss"}[n%2], judged(verdict.Proven, 0))
	}
	gone, err := open(t, dir).Prune(t.Context(), 2, monday.AddDate(0, 0, 10), os.RemoveAll)
	if err != nil || len(gone) != 2 || len(runs(t, dir, history.Filter{})) != 4 {
		t.Errorf("%v %d", err, len(gone))
	}
	for _, e := range gone {
		if e.Started.After(monday.AddDate(0, 0, 1)) {
			t.Errorf("removed %s", e.ID)
		}
	}
}

// A run that was cut off has nothing to tell. One whose verdict this gameday cannot read,
// or that has only its record, is evidence: it stays.
func TestPruneKeepsEvidence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for id, files := range map[string]map[string]string{
		"20260601T000000Z-cut-off-0001": {"events.jsonl": ""},
		"20260601T000000Z-record-0002":  {"events.jsonl": "", "run.json": "{}"},
		"20260601T000000Z-broken-0003":  {"events.jsonl": "", "run.json": "{}", "verdict.json": "{"},
		"20260601T000000Z-newer-0004":   {"events.jsonl": "", "run.json": "{}", "verdict.json": `{"schema": "gameday/verdict/v99"}`},
	} {
		for name, text := range files {
			path := filepath.Join(dir, id, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	gone, err := open(t, dir).Prune(t.Context(), 1, monday.AddDate(1, 0, 0), os.RemoveAll)
	if err != nil || len(gone) != 1 || !strings.Contains(gone[0].ID, "cut-off") {
		t.Errorf("removed %+v, %v", gone, err)
	}
}

func TestTrend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		recoveries []float64
		last       verdict.Outcome
		want       string
	}{
		"as before":        {[]float64{7, 7.4, 6.9, 7.1, 7.3}, verdict.Disproved, ""},
		"slower":           {[]float64{7, 7.4, 6.9, 7.1, 14}, verdict.Disproved, "predict at most"},
		"all the same":     {[]float64{7, 7, 7, 7, 7.5}, verdict.Disproved, ""},
		"too few to say":   {[]float64{7, 7, 14}, verdict.Disproved, ""},
		"not in time now":  {[]float64{7, 7, 7, 7, 7.5}, verdict.Proven, "the verdict was disproved and is now proven"},
		"faster is better": {[]float64{7, 7.4, 6.9, 7.1, 1}, verdict.Disproved, ""},
	} {
		dir := t.TempDir()
		for n, recovery := range c.recoveries {
			o := verdict.Disproved
			if n == len(c.recoveries)-1 {
				o = c.last
			}
			stored(t, dir, n, "db-loss", judged(o, recovery))
		}
		trend := history.TrendOf(runs(t, dir, history.Filter{}))
		if (c.want == "") != (trend.Regression == "") || !strings.Contains(trend.Regression, c.want) {
			t.Errorf("%s: %q, expected %q", name, trend.Regression, c.want)
		}
	}
	// mean 2, s 1, n 3: 2 + 2.91999 · 1 · √(4/3), by the tables.
	dir := t.TempDir()
	for n, recovery := range []float64{1, 2, 3, 3} {
		stored(t, dir, n, "db-loss", judged(verdict.Disproved, recovery))
	}
	if e := history.TrendOf(runs(t, dir, history.Filter{})).Expected; e == nil || math.Abs(e.Duration().Seconds()-5.3717) > 0.001 {
		t.Errorf("expected up to %v", e)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	made := func(v verdict.Verdict) report.Report { return report.Report{Run: verdict.Run{Verdict: v}} }
	change := func(a, b verdict.Verdict, name string) string {
		for _, d := range history.Compare(made(a), made(b)) {
			if d.Name == name {
				return d.Change
			}
		}
		return ""
	}
	fast, slow, near, down := judged(verdict.Disproved, 1), judged(verdict.Disproved, 9), judged(verdict.Disproved, 1.15), judged(verdict.Proven, 0)
	few := fast
	few.Bad = 1
	for _, c := range []struct {
		a, b       verdict.Verdict
		name, want string
	}{
		{fast, slow, "recovery", history.Worse},
		{slow, fast, "recovery", history.Better},
		{fast, near, "recovery", history.Overlap},
		{fast, down, "recovery", history.Worse},
		{down, down, "recovery", history.Overlap},
		{fast, down, "verdict", history.Worse},
		{down, fast, "verdict", history.Better},
		{fast, slow, "verdict", history.Same},
		{fast, few, "failed or slow", history.Better},
		{fast, slow, "failed or slow", history.Overlap},
		{fast, verdict.Verdict{Outcome: verdict.Inconclusive}, "recovery", history.NoBound},
	} {
		if got := change(c.a, c.b, c.name); got != c.want {
			t.Errorf("%s of %+v and %+v: %q, expected %q", c.name, c.a, c.b, got, c.want)
		}
	}
}

func TestScores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stored(t, dir, 0, "db-loss", judged(verdict.Disproved, 7))
	stored(t, dir, 40, "db-loss", judged(verdict.Inconclusive, 0)) // says nothing
	all := runs(t, dir, history.Filter{})
	known := map[string][]string{"staging": {"db", "lb"}}
	for now, want := range map[time.Time]string{
		monday.AddDate(0, 0, 1):  "db passed, lb never tested, 50",
		monday.AddDate(0, 0, 31): "db expired, lb never tested, 0",
	} {
		s := history.Scores(all, known, history.DefaultFresh, now)[0]
		got := fmt.Sprintf("%s %s, %s %s, %.0f", s.Components[0].Component, s.Components[0].Standing, s.Components[1].Component, s.Components[1].Standing, s.Percent)
		if got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
	stored(t, dir, 2, "db-loss", judged(verdict.Proven, 0))
	if s := history.Scores(runs(t, dir, history.Filter{}), nil, history.DefaultFresh, monday.AddDate(0, 0, 3))[0]; s.Percent != 0 || s.Components[0].Standing != history.Failed {
		t.Errorf("%+v", s)
	}
}
