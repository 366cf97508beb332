package run_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// stored is the folder of a run that was stored by the first version of the layout: a
// real one. It stays as it is for as long as gameday reads that version.
const stored = "testdata/stored/v1/run"

// copied is the stored run in a folder of the test's own, with some of its files as
// they are given.
func copied(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS(stored)); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func text(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// changed is the stored run as a gameday of another day could have left it: each file
// with what this one does not know.
func changed(t *testing.T) string {
	t.Helper()
	return copied(t, map[string]string{
		run.ScenarioFile:  text(t, filepath.Join(filepath.Dir(stored), "changed.yaml")),
		run.MetaFile:      strings.Replace(text(t, filepath.Join(stored, run.MetaFile)), `"confirmed"`, `"operator": {"name": "Ada"}, "confirmed"`, 1),
		record.EventsFile: text(t, filepath.Join(stored, record.EventsFile)) + `{"at":"2026-11-26T23:46:46Z","kind":"weather","mark":"tea-time","what":"it rains","wind":{"knots":3}}` + "\n",
		record.WritesFile: strings.Replace(text(t, filepath.Join(stored, record.WritesFile)), `{"journey"`, `{"shard":7,"journey"`, 1),
	})
}

// A stored run outlives the program: it is judged as it was, whatever became of kinds
// and checks.
func TestAStoredRunIsJudgedAsItWas(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{"as it was stored": stored, "with what is not known": changed(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := run.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			judged, cases, err := f.Judge(nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(cases) != 1 || !cases[0].Critical || cases[0].Rate != 20 {
				t.Errorf("%d cases", len(cases))
			}
			if judged.Outcome != verdict.Disproved || judged.Samples != 324 || judged.Bad != 25 || judged.Deciding != "checkout" {
				t.Errorf("%+v", judged.Verdict)
			}
			if got := judged.Recovery.Duration(); got.Round(time.Microsecond) != 1312002*time.Microsecond {
				t.Errorf("users recovered after %v", got)
			}
			if w := judged.Writes; w == nil || w.Acknowledged != 554 || w.Lost != 0 {
				t.Errorf("%+v", w)
			}
			if f.Resolved != text(t, filepath.Join(dir, run.ScenarioFile)) {
				t.Error("the text of the scenario is another one")
			}
		})
	}
}

// What is known of a scenario is read beside what is not.
func TestAStoredScenarioKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	f, err := run.Open(changed(t))
	if err != nil {
		t.Fatal(err)
	}
	s := f.Scenario
	if s.Name != "Checkout_App_Loss" || s.Suspect.Component != "app" || s.Environment != "lab/checkout" || s.Timing.Watch != 8*time.Second {
		t.Errorf("%+v", s)
	}
	want := []scenario.Fault{
		{Kind: "vaporize", Target: target.Selector{Label: "gameday.tier=app", Any: 1}, For: 5 * time.Second, Spec: map[string]any{"heat": map[string]any{"degrees": uint64(6000)}}},
		{Kind: "kill", Target: target.Selector{Service: "db"}, At: 20 * time.Second, Spec: map[string]any{"signal": uint64(9)}},
	}
	for i := range s.Faults {
		s.Faults[i].Where = ""
	}
	if diff := cmp.Diff(want, s.Faults); diff != "" {
		t.Error(diff)
	}
	last := f.Events[len(f.Events)-1]
	if last.Kind != "weather" || last.What != "it rains" {
		t.Errorf("%+v", last)
	}
}

// What a newer gameday has stored is refused, and the error says what to do.
func TestANewerStoredRunIsRefused(t *testing.T) {
	t.Parallel()
	events := text(t, filepath.Join(stored, record.EventsFile))
	for name, c := range map[string]struct{ file, text, want string }{
		"run.json":                  {run.MetaFile, `{"schema":"gameday/run/v2","confirmed":{"by":"Ada"}}`, "read run run: run.json: found schema gameday/run/v2, this gameday reads up to gameday/run/v1: use a newer gameday"},
		"run.json of something":     {run.MetaFile, `{"schema":"somebody/run/v1"}`, `read run run: run.json: found schema "somebody/run/v1", expected gameday/run/v1`},
		"run.json without a schema": {run.MetaFile, `{}`, `read run run: run.json: found schema "", expected gameday/run/v1`},
		"scenario.yaml":             {run.ScenarioFile, "version: 2\nobjective: {rto: whenever}\n", "scenario of run run:1:10: version: found 2, this gameday reads up to 1: use a newer gameday"},
		"events.jsonl":              {record.EventsFile, strings.Replace(events, record.Schema, "gameday/record/v12", 1), "events.jsonl: found schema gameday/record/v12, this gameday reads up to gameday/record/v1: use a newer gameday"},
	} {
		_, err := run.Open(copied(t, map[string]string{c.file: c.text}))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", name, err, c.want)
		}
	}
}

// The stored run is evidence of what was stored once: it is not made anew.
func TestTheStoredRunStaysAsItIs(t *testing.T) {
	t.Parallel()
	sum := sha256.New()
	for _, name := range []string{run.MetaFile, run.ScenarioFile, record.EventsFile, record.SamplesFile, record.StepsFile, record.WritesFile} {
		sum.Write([]byte(text(t, filepath.Join(stored, name))))
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != "1a6e6458d5c17436ef4de19459ab95cb810bbca3848e73ba426ea5f8145625b2" {
		t.Errorf("it is another one (%s): a new layout has a folder of its own beside this one", got)
	}
}
