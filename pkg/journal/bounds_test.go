package journal_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/internal/bounded/boundedtest"
	"github.com/gameday-dev/gameday/pkg/journal"
)

// A journal of a terabyte, of which little is on the disk, is an error in little memory.
func TestASparseJournalTakesNoMemory(t *testing.T) { //nolint:paralleltest // it counts what the process allocates
	j := create(t, t.TempDir())
	if err := errors.Join(j.Begin(journal.Entry{ID: "a"}), j.Close()); err != nil {
		t.Fatal(err)
	}
	boundedtest.Sparse(t, j.Path(), 1<<40)
	boundedtest.Allocates(t, 1<<20, func() {
		_, _, peeked := journal.Peek(j.Path())
		_, opened := journal.Open(j.Path())
		for _, err := range []error{peeked, opened} {
			if !errors.Is(err, bounded.ErrTooLarge) || !strings.Contains(err.Error(), j.Path()) {
				t.Errorf("%v", err)
			}
		}
	})
}
