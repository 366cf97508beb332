package journal_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journal"
)

// The runs of --repeat, of a sweep, and the components of one run share a journal. What a
// journal takes, it can give again, however long it has become: nothing else undoes it.
func TestWhatIsBegunCanBeReadAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a"+journal.Suffix)
	j, err := journal.Create(path, journal.Header{Run: "r", Lock: "here", Address: json.RawMessage(`{}`)})
	if err != nil {
		t.Fatal(err)
	}
	content, err := json.Marshal(make([]byte, 1<<20)) // of a file fault
	if err != nil {
		t.Fatal(err)
	}
	begun := ""
	for n := range 60 { // trials
		id := fmt.Sprintf("fault-%d", n)
		if err := j.Begin(journal.Entry{ID: id, Kind: "file", State: content}); err != nil {
			break // refused: then nothing is injected, which is right
		}
		if begun = id; n < 59 {
			j.End(id)
		}
	}
	pending := j.Pending()
	// The process is killed here, with the last fault in force. Its guard reads the journal:
	header, seen, err := journal.Peek(path)
	if err != nil || len(seen) != len(pending) {
		t.Errorf("%d entries are pending (%s), and the guard, the next run and gameday undo read: %d of environment %q, %v",
			len(pending), begun, len(seen), header.Lock, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := journal.Open(path)
	if len(pending) > 0 && err != nil {
		t.Fatalf("open: %v", err)
	}
	if err == nil {
		_ = again.Close()
	}
}
