package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/target"
)

// byHand is a toy whose database people recover.
func byHand(t *testing.T) *toy {
	t.Helper()
	toy := newToy(t)
	writeFile(t, toy.dir, "scenarios/by-hand.yaml", strings.Replace(strings.Replace(scenarioFor("by-hand", "kill: {target: {name: db}}"), "watch: 4s, ", "", 1),
		"load:", "undo: {mode: by-hand, limit: 1m}\npeople: {facilitator: Ann, on_call: Bob, observers: [Eve]}\nrunbook: https://wiki.example/db\nload:", 1))
	return toy
}

// report is the only report of a toy.
func (toy *toy) report(name string) string {
	toy.t.Helper()
	found, _ := filepath.Glob(filepath.Join(toy.dir, "gameday-runs", "*", name))
	if len(found) != 1 {
		toy.t.Fatalf("%s: %v", name, found)
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		toy.t.Fatal(err)
	}
	return string(data)
}

// People start the database, and the recovery is called theirs. It does not disprove that the
// database is a single point of failure.
func TestPeopleRecoverTheDatabase(t *testing.T) {
	t.Parallel()
	enginetest.Alone(t) // what it measures must not depend on other tests
	toy := byHand(t)
	if code, out, text := toy.gameday("validate", "scenarios/by-hand.yaml"); code != 0 {
		t.Fatalf("%d\n%s%s", code, out, text)
	}
	run := toy.start("by-hand", "--set", "suspect.component=db")
	toy.eventually("users meet the outage", func() bool {
		found, _ := filepath.Glob(filepath.Join(toy.dir, "gameday-runs", "*"))
		for _, dir := range found {
			events, err := record.Events(dir)
			at, struck := record.MarksOf(events)[record.MarkFault]
			if err == nil && struck && time.Since(at) > 700*time.Millisecond {
				return true
			}
		}
		return false
	})
	if err := toy.env.Put(target.Component{Name: "db", Service: "db", State: target.Running, Healthy: true, Started: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _ = run.Wait(); run.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d\n%s", run.ProcessState.ExitCode(), toy.report("report.md"))
	}
	report := toy.report("report.md")
	for _, want := range []string{"People restore service in time", "Whether it recovers without them was not tested", "by people: ", "until users were served again for the hold", "facilitator: Ann; on call: Bob; observers: Eve", "wiki.example/db"} {
		if !strings.Contains(report, want) {
			t.Errorf("no %q in\n%s", want, report)
		}
	}
	var v struct {
		Verdict string
		ByHand  struct {
			Limit   float64 `json:"limit_s"`
			EndedBy string  `json:"ended_by"`
		} `json:"by_hand"`
		People map[string]any
	}
	if err := json.Unmarshal([]byte(toy.report("verdict.json")), &v); err != nil || v.Verdict != "disproved" || v.ByHand.Limit != 60 || v.ByHand.EndedBy != "served" || v.People["on_call"] != "Bob" {
		t.Errorf("%+v %v", v, err)
	}
	if _, out, _ := toy.gameday("history", "score"); !strings.Contains(out, "never tested") && strings.Contains(out, "passed") {
		t.Errorf("people count as redundancy:\n%s", out)
	}
	toy.clean()
}

// Another process says that service has recovered, and it has not: the fault is reverted, and
// the run says what users met.
func TestRecoveredWithoutRecovery(t *testing.T) {
	t.Parallel()
	toy := byHand(t)
	if code, _, text := toy.gameday("recovered"); code != 2 || !strings.Contains(text, "no run goes on") {
		t.Errorf("%d %s", code, text)
	}
	run := toy.start("by-hand")
	toy.eventually("recovered is taken", func() bool { code, _, _ := toy.gameday("recovered", "--by", "Bob"); return code == 0 })
	if _ = run.Wait(); run.ProcessState.ExitCode() != 1 {
		t.Errorf("exit code %d", run.ProcessState.ExitCode())
	}
	report := toy.report("report.md")
	for _, want := range []string{"PROVEN", "People do not restore service", "recovered, says Bob", "but users were not served for the hold"} {
		if !strings.Contains(report, want) {
			t.Errorf("no %q in\n%s", want, report)
		}
	}
	toy.clean()
}

// kill -9 of a run in which people recover service: its guard reverts the fault, as ever.
func TestARunByHandIsKilled(t *testing.T) {
	t.Parallel()
	toy := byHand(t)
	run := toy.start("by-hand")
	if err := run.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = run.Wait()
	toy.eventually("the guard has put the database back", toy.is(target.Running))
	toy.eventually("the guard has ended", func() bool {
		left, _ := filepath.Glob(filepath.Join(toy.dir, "state", "journals", "*"))
		return len(left) == 0
	})
	if code, _, text := toy.gameday("recovered"); code != 2 {
		t.Errorf("a dead run is recovered: %d %s", code, text)
	}
	toy.clean()
}
