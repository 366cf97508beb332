package session_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
)

// Notes change no byte of the verdict: only the events of verdict.json have them, and the
// terminal's report at its end.
func TestNotesChangeNoVerdict(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	dir := filepath.Join(u.Out, "old")
	if err := os.CopyFS(dir, os.DirFS("../run/testdata/stored/v1/run")); err != nil {
		t.Fatal(err)
	}
	without := func() (judged, document string) {
		r, err := report.Build(dir)
		if err != nil {
			t.Fatal(err)
		}
		bytes, err := json.Marshal(r.Run)
		if err != nil {
			t.Fatal(err)
		}
		r.Events = nil
		var b strings.Builder
		if err := report.JSON(&b, r); err != nil {
			t.Fatal(err)
		}
		return string(bytes), b.String()
	}
	judged, document := without()
	for i, at := range []string{"", "+0s", "-3s", "+2s", "2026-11-26T10:00:00Z"} {
		n := run.Note{Text: fmt.Sprintf("%d `mark` | \"fault\" \x1b[2J <script>", i), By: "Ann\n", At: at}
		if _, err := u.Note(dir, n); err != nil {
			t.Fatal(err)
		}
	}
	again, whole := without()
	if judged != again || document != whole {
		t.Errorf("the verdict was\n%s\nand is\n%s", document, whole)
	}
	for _, f := range report.Files() {
		data, err := os.ReadFile(filepath.Join(dir, f.Name))
		if err != nil || strings.ContainsAny(string(data), "\x1b") && f.Key != "png" {
			t.Errorf("%s: %v, %d bytes", f.Name, err, len(data))
		}
		if has := strings.Contains(string(data), "fault"); !has && f.Key != "png" && f.Key != "github" {
			t.Errorf("%s does not have the notes", f.Name)
		}
	}
	if page, err := os.ReadFile(filepath.Join(dir, "report.html")); err != nil || strings.Contains(string(page), "<script>") {
		t.Error("a note acts in the page")
	}
}

// Secrets of any environment are taken out of a note, and of who wrote it.
func TestNotesHoldNoSecrets(t *testing.T) {
	t.Setenv("SHOP_KEY", "k3y-of-the-shop")
	u := newUser(t, ", redact: ['MY-[0-9]+'], variables: [SHOP_KEY]")
	dir := filepath.Join(u.Out, "old")
	if err := os.CopyFS(dir, os.DirFS("../run/testdata/stored/v1/run")); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Note(dir, run.Note{Text: "used k3y-of-the-shop, MY-17 and token=abcdef123", By: "MY-18"}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, secret := range []string{"k3y-of-the-shop", "MY-17", "MY-18", "abcdef123"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s holds %s", path, secret)
			}
		}
		return err
	})
	if err != nil || len(u.warned) > 0 {
		t.Errorf("%v %v", err, u.warned)
	}
}

// Notes of several processes at once: the reports that are written last have all of them.
func TestManyNotesAtOnce(t *testing.T) {
	t.Parallel()
	u := newUser(t, "")
	dir := filepath.Join(u.Out, "old")
	if err := os.CopyFS(dir, os.DirFS("../run/testdata/stored/v1/run")); err != nil {
		t.Fatal(err)
	}
	const notes = 12
	var group sync.WaitGroup
	for i := range notes {
		group.Go(func() {
			if _, err := u.Note(dir, run.Note{Text: fmt.Sprintf("note %d.", i), By: "Ann"}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	page, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range notes {
		if !strings.Contains(string(page), fmt.Sprintf("note %d.", i)) {
			t.Errorf("no note %d", i)
		}
	}
}
