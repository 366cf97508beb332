package sweep_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/sweep"
	"github.com/gameday-dev/gameday/pkg/topology"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

func line() topology.Map {
	return topology.Map{
		Environment: "test",
		Nodes: []topology.Node{
			{Component: "lb", Tier: "lb", Zone: "a", Layer: 1, Predicted: true},
			{Component: "app", Tier: "app", Zone: "b", Layer: 2},
			{Component: "db", Tier: "db", Layer: 3, Predicted: true},
			{Component: "vault", Tier: "vault", Layer: 3, Protected: true},
			{Component: "batch", Tier: "batch", Layer: -1},
			{Component: "db-2", Tier: "db", Layer: -1},
			{Component: "db-3", Tier: "db", Layer: -1, Stopped: true},
			{Component: "migrate", Tier: "migrate", Layer: -1, Stopped: true}, // a finished one-shot (case 83)
		},
		Edges: []topology.Edge{{From: "users", To: "lb"}, {From: "lb", To: "app"}, {From: "app", To: "db"}},
	}
}

func names(steps []sweep.Step) string {
	var all []string
	for _, s := range steps {
		all = append(all, s.Node.Component+" "+s.Kind)
	}
	return strings.Join(all, ", ")
}

func TestSteps(t *testing.T) {
	t.Parallel()
	for want, choice := range map[string]sweep.Choice{
		"lb kill, app kill, db kill, db-2 kill": {Kinds: []string{"kill"}},
		"app kill, app pause":                   {Kinds: []string{"kill", "pause"}, Only: []string{"app"}},
		"app kill, zone a zone, zone b zone":    {Kinds: []string{"kill"}, Only: []string{"app"}, Zones: true},
		"lb kill, db kill, db-2 kill":           {Kinds: []string{"kill"}, Except: []string{"app"}},

		"lb kill, app kill, db kill, db-2 kill, db + db-2 kill": {Kinds: []string{"kill"}, Pairs: true},
	} {
		steps, err := sweep.Steps(line(), choice)
		if err != nil || names(steps) != want {
			t.Errorf("%q %v, expected %q", names(steps), err, want)
		}
	}
	for _, choice := range []sweep.Choice{
		{Kinds: []string{"kill"}, Only: []string{"cache"}}, {Kinds: []string{"kill"}, Only: []string{"db-3"}}, {Kinds: []string{"kill"}, Only: []string{"vault"}},
	} {
		if steps, err := sweep.Steps(line(), choice); err == nil {
			t.Errorf("%+v: %s", choice, names(steps))
		}
	}
}

func judged(outcome verdict.Outcome) report.Report {
	v := verdict.Verdict{Outcome: outcome, Samples: 100, Bad: 40}
	return report.Report{ID: "run", Run: verdict.Run{Verdict: v, Journeys: []verdict.Journey{{Name: "checkout", Critical: true, Verdict: v}}}}
}

// An interrupted sweep goes on where it was, and one whose environment does not
// come back stops.
func TestItGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sweep")
	steps, err := sweep.Steps(line(), sweep.Choice{Kinds: []string{"kill"}, Except: []string{"db-2"}})
	if err != nil {
		t.Fatal(err)
	}
	s := sweep.Sweep{Environment: "test", Started: time.Now().UTC(), Map: line()}
	broken := errors.New("the environment does not come back")
	err = s.Walk(t.Context(), dir, steps, func(_ context.Context, step sweep.Step) ([]report.Report, error) {
		if step.Node.Component == "app" {
			return nil, broken
		}
		return []report.Report{judged(verdict.Proven)}, nil
	})
	if !errors.Is(err, broken) || len(s.Components) != 1 || s.Finished != nil {
		t.Fatalf("%v, %+v", err, s.Components)
	}
	again, err := sweep.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var played []string
	err = again.Walk(t.Context(), dir, steps, func(_ context.Context, step sweep.Step) ([]report.Report, error) {
		played = append(played, step.Node.Component)
		return []report.Report{judged(verdict.Disproved)}, nil
	})
	if err != nil || !slices.Equal(played, []string{"app", "db"}) || again.Finished == nil || len(again.Components) != 3 {
		t.Errorf("%v, played %v, %+v", err, played, again.Components)
	}
	if f := again.Components[0]; !f.Predicted || f.Blast[0].Share != 0.4 || f.Surprise() != "" {
		t.Errorf("%+v", f)
	}
	if again.Components[2].Surprise() == "" {
		t.Error("db was predicted and disproved, and nobody is surprised")
	}
	var table, page bytes.Buffer
	if err := errors.Join(again.Terminal(&table), again.Markdown(&page)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"lb", "proven", "checkout 40%", "predicted a SPOF"} {
		if !strings.Contains(table.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("lacks %q:\n%s", want, table.String())
		}
	}
}

// The worst of several trials decides, and all of them are told.
func TestSeveralTrials(t *testing.T) {
	t.Parallel()
	steps, err := sweep.Steps(line(), sweep.Choice{Kinds: []string{"kill"}, Only: []string{"db"}})
	if err != nil {
		t.Fatal(err)
	}
	s := sweep.Sweep{Environment: "test", Map: line()}
	if err := s.Walk(t.Context(), t.TempDir(), steps, func(context.Context, sweep.Step) ([]report.Report, error) {
		return []report.Report{judged(verdict.Disproved), judged(verdict.Proven), judged(verdict.Disproved)}, nil
	}); err != nil {
		t.Fatal(err)
	}
	f := s.Components[0]
	if f.Verdict != verdict.Proven || f.Trials == nil || !f.Trials.Flaky || f.Trials.Within != 2 || f.Trials.Conclusive != 3 || s.ExitCode() != 1 {
		t.Errorf("%+v %+v", f, f.Trials)
	}
	var table bytes.Buffer
	if err := s.Terminal(&table); err != nil || !strings.Contains(table.String(), "2 of 3 trials in time") || !strings.Contains(table.String(), "flaky") {
		t.Errorf("%v\n%s", err, table.String())
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  int
		found []sweep.Found
	}{
		{0, []sweep.Found{{Verdict: verdict.Disproved}}},
		{1, []sweep.Found{{Verdict: verdict.Inconclusive}, {Verdict: verdict.Proven}}},
		{0, []sweep.Found{{Verdict: verdict.Proven, Accepted: true}}},
		{3, []sweep.Found{{Verdict: verdict.Proven, Accepted: true}, {Verdict: verdict.Inconclusive}}},
		{1, []sweep.Found{{Verdict: verdict.Degraded, Accepted: true}}},
	} {
		if got := (&sweep.Sweep{Components: c.found}).ExitCode(); got != c.want {
			t.Errorf("%+v: %d, expected %d", c.found, got, c.want)
		}
	}
}

// What another file of a sweep's folder leads to is not written to.
func TestSaveWritesItsOwnFileOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	victim := filepath.Join(t.TempDir(), "victim")
	err := errors.Join(os.WriteFile(victim, []byte("mine"), 0o600), os.Symlink(victim, filepath.Join(dir, sweep.File+".new")), os.Symlink(victim, filepath.Join(dir, sweep.File)))
	if err != nil {
		t.Fatal(err)
	}
	s := sweep.Sweep{Environment: "test", Map: line()}
	if err := s.Save(dir); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "mine" {
		t.Errorf("%q %v", data, err)
	}
	if again, err := sweep.Load(dir); err != nil || again.Environment != "test" {
		t.Errorf("%+v %v", again, err)
	}
}

// A sweep that is cut off at any byte, or has garbage in it, is an error: what it has done
// would be done again, or never.
func TestABrokenSweepIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := sweep.Sweep{Environment: "test", Map: line(), Components: []sweep.Found{{Component: "lb", Kind: "kill", Verdict: verdict.Proven}}}
	if err := s.Save(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, sweep.File)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	whole := len(bytes.TrimSpace(data))
	for cut := 0; cut < whole; cut += 11 {
		for _, broken := range [][]byte{data[:cut], slices.Concat(data[:cut], []byte("\x00\xff")), slices.Concat(data[:cut], []byte("\x00"), data[cut:])} {
			if err := os.WriteFile(path, broken, 0o600); err != nil {
				t.Fatal(err)
			}
			if again, err := sweep.Load(dir); err == nil || !strings.HasPrefix(err.Error(), "read sweep "+dir+": ") {
				t.Fatalf("broken at %d of %d bytes: %+v, %v", cut, whole, again, err)
			}
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := sweep.Load(dir); err != nil || len(again.Components) != 1 || again.Map.Nodes[0].Component != "lb" {
		t.Errorf("%+v %v", again, err)
	}
}

// Steps that are done are not taken again, whatever their order; others are.
func TestStepsThatAreLeft(t *testing.T) {
	t.Parallel()
	steps, err := sweep.Steps(line(), sweep.Choice{Kinds: []string{"kill", "pause"}, Only: []string{"lb", "db"}})
	if err != nil {
		t.Fatal(err)
	}
	s := sweep.Sweep{Components: []sweep.Found{{Component: "db", Kind: "kill"}, {Component: "lb", Kind: "pause"}, {Component: "gone", Kind: "kill"}}}
	if got := names(s.Left(steps)); got != "lb kill, db pause" {
		t.Errorf("left: %s", got)
	}
	if got := names(steps); got != "lb kill, lb pause, db kill, db pause" {
		t.Errorf("the steps themselves have changed: %s", got)
	}
}

// The worst of what was found marks a component on the map, in whatever order it came.
func TestMarks(t *testing.T) {
	t.Parallel()
	all := []verdict.Outcome{verdict.Disproved, verdict.Inconclusive, verdict.Degraded, verdict.Proven}
	want := []topology.Mark{topology.Green, topology.Amber, topology.Amber, topology.Red}
	for worst := range all {
		var s, reversed sweep.Sweep
		for i := range worst + 1 {
			f := sweep.Found{Component: "db", Verdict: all[i]}
			s.Components, reversed.Components = append(s.Components, f), slices.Insert(reversed.Components, 0, f)
		}
		if s.Marks()["db"] != want[worst] || reversed.Marks()["db"] != want[worst] {
			t.Errorf("worst of %v: %s and %s, expected %s", all[:worst+1], s.Marks()["db"], reversed.Marks()["db"], want[worst])
		}
	}
	if got := (&sweep.Sweep{}).Marks(); len(got) != 0 {
		t.Errorf("nothing was found, and marked is %v", got)
	}
}

// What a sweep has found of components outside the prediction is told as a surprise.
func TestSurprises(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		found sweep.Found
		want  string
	}{
		{sweep.Found{Predicted: true, Verdict: verdict.Disproved}, "the map predicted a SPOF"},
		{sweep.Found{Verdict: verdict.Proven}, "the map predicted no SPOF"},
		{sweep.Found{Predicted: true, Verdict: verdict.Proven}, ""},
		{sweep.Found{Verdict: verdict.Disproved}, ""},
		{sweep.Found{Predicted: true, Verdict: verdict.Inconclusive}, ""},
		{sweep.Found{Verdict: verdict.Degraded}, ""},
	} {
		if got := c.found.Surprise(); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%+v: %q, expected %q", c.found, got, c.want)
		}
	}
}

func TestANewerSweepIsAClearError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, sweep.File), []byte(`{"schema": "gameday/sweep/v9", "components": {"db": "proven"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sweep.Load(dir); err == nil || !strings.Contains(err.Error(), "use a newer gameday") {
		t.Error(err)
	}
	if _, err := sweep.Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "contains no sweep") {
		t.Error(err)
	}
}

// What became of alerts is a column, if alerts are declared: it names the components whose
// failure was neither noticed nor told.
func TestTheColumnOfAlerts(t *testing.T) {
	t.Parallel()
	s := sweep.Sweep{Map: line()}
	add := func(component string, d *verdict.Detection) {
		s.Components = append(s.Components, sweep.Found{Component: component, Kind: "kill", Verdict: verdict.Disproved, State: verdict.Unaffected, Detection: d})
	}
	table := func() string {
		var b bytes.Buffer
		if err := s.Markdown(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	add("lb", nil)
	if strings.Contains(table(), "alerts") {
		t.Error("a column of alerts that nothing declares")
	}
	add("app", &verdict.Detection{Verdict: verdict.Missed, Finding: verdict.UnaffectedUnnoticed})
	add("db", &verdict.Detection{Verdict: verdict.DetectedLate, Alerts: []verdict.Alerted{{Verdict: verdict.InTime}, {Verdict: verdict.DetectedLate, Finding: verdict.AlertLate}}})
	add("db-2", &verdict.Detection{Verdict: verdict.InTime, Alerts: []verdict.Alerted{{Verdict: verdict.InTime}}})
	for _, row := range []string{"| accepted | alerts |", "| \\- |\n", "| missed (unaffected-unnoticed) |", "| late (alert-late) |", "| detected |"} {
		if !strings.Contains(table(), row) {
			t.Errorf("the table lacks %q:\n%s", row, table())
		}
	}
}
