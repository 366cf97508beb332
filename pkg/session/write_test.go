package session

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Reports of a stranger's folder overwrite nothing that a link in it leads to, and a
// report that cannot be written leaves the former one.
func TestReportsAreWrittenWholeIntoTheirFolder(t *testing.T) {
	t.Parallel()
	victim := filepath.Join(t.TempDir(), "victim")
	path := filepath.Join(t.TempDir(), "report.html")
	if err := errors.Join(os.WriteFile(victim, []byte("mine"), 0o600), os.Symlink(victim, path)); err != nil {
		t.Fatal(err)
	}
	report := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, writeErr := io.WriteString(w, text)
			return errors.Join(writeErr, err)
		}
	}
	if err := writeReport(path, report("first", nil)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no chart")
	if err := writeReport(path, report("sec", broken)); !errors.Is(err, broken) {
		t.Errorf("the error is %v", err)
	}
	for file, want := range map[string]string{victim: "mine", path: "first"} {
		if data, err := os.ReadFile(file); err != nil || string(data) != want {
			t.Errorf("%s: %q %v, expected %q", file, data, err, want)
		}
	}
}
