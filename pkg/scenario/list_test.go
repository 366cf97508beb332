package scenario_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is listed is what would run by that name: an own scenario replaces a bundled one, also
// if it cannot be read.
func TestScenariosAreListed(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"scenarios/both.yaml": titled("both", "own"), "scenarios/bad.yaml": "version: 1\nwhat: is this", "scenarios/notes.md": "no scenario",
		"scenarios/a/far.yaml": titled("far", "far"), "elsewhere/x.yaml": titled("x", "x"),
	})
	l := ownLibrary(dir)
	all, err := l.List()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range all {
		text := s.Name + ": " + s.Title + " " + s.File
		if s.Problem != "" {
			text = s.Name + " is bad: " + s.File
		}
		if s.Bundled != (s.File == "") {
			t.Errorf("%+v", s)
		}
		got = append(got, text)
	}
	want := []string{"bad is bad: scenarios/bad.yaml", "both: own scenarios/both.yaml", "bundled: bundled "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bad", "both", "bundled"}, l.Names()); diff != "" {
		t.Error(diff)
	}
}
