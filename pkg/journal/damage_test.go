package journal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journal"
)

// One byte of a line that was synced has changed: what it announced may not be forgotten
// silently, and with it the journal.
func TestALineOfWhichOneByteHasChanged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(string) string{
		"the name of the line":   func(s string) string { return strings.Replace(s, `"begin":`, `"bugin":`, 1) },
		"the name of its ID":     func(s string) string { return strings.Replace(s, `"id":`, `"it":`, 1) },
		"a quote, the last line": func(s string) string { return strings.Replace(s, `"begin":`, `"begin :`, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a"+journal.Suffix)
			j, err := journal.Create(path, journal.Header{Run: "r"})
			if err == nil {
				err = j.Begin(journal.Entry{ID: "fault-0", Kind: "kill", Component: "db"})
			}
			if err != nil {
				t.Fatal(err)
			}
			// The process dies here, and the fault is in force.
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(path, []byte(damage(string(data))), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			_, pending, err := journal.Peek(path)
			if len(pending) == 1 && pending[0].ID == "fault-0" || errors.Is(err, journal.ErrDamaged) {
				return
			}
			t.Errorf("pending %+v, %v: a run of this environment would go on, and remove the journal", pending, err)
		})
	}
}
