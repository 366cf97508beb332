package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A note to the run that goes on, from another process: it is shown there, and in the
// reports that the run writes in the end.
func TestANoteWhileARunGoesOn(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	run := toy.command("run", "db-loss")
	var shown strings.Builder
	run.Stderr = &shown
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	toy.eventually("a note is taken", func() bool {
		code, _, _ := toy.gameday("note", "--by", "Ann", "it begins")
		return code == 0
	})
	toy.eventually("the fault is there", func() bool {
		code, _, _ := toy.gameday("note", "--by", "Bob", "--at", "+10ms", "the pager rang")
		return code == 0
	})
	if err := run.Wait(); run.ProcessState.ExitCode() != 1 {
		t.Errorf("%v\n%s", err, shown.String())
	}
	found, err := filepath.Glob(filepath.Join(toy.dir, "gameday-runs", "*", "report.md"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	report, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"note by Ann: it begins", "| +0.010s |  | *note by Bob: the pager rang* |", "PROVEN"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("no %q in\n%s", want, report)
		}
	}
	if !strings.Contains(shown.String(), "Bob: the pager rang") {
		t.Errorf("the run did not show the note:\n%s", shown.String())
	}
	toy.clean()
}
