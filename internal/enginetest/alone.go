package enginetest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Packages are tested side by side, and some of their tests measure times. Those
// take the machine for themselves, and the heavy ones among the others share it.
// Who waits for it alone is first in the queue.

// Alone waits until nobody has the machine, and takes it until release is called, or
// the test ends.
func Alone(tb testing.TB) (release func()) {
	tb.Helper()
	queue := queued(tb)
	machine := flock.New(lockFile("machine"))
	if ok, err := machine.TryLockContext(tb.Context(), polling); err != nil || !ok {
		tb.Fatalf("wait for the machine: %v", err)
	}
	_ = queue.Close() // a lock goes with its file
	release = func() { _ = machine.Close() }
	tb.Cleanup(release)
	return release
}

// Shared waits until nobody has the machine alone, and shares it until the test
// ends.
func Shared(tb testing.TB) {
	tb.Helper()
	queue := queued(tb)
	machine := flock.New(lockFile("machine"))
	if ok, err := machine.TryRLockContext(tb.Context(), polling); err != nil || !ok {
		tb.Fatalf("wait for the machine: %v", err)
	}
	_ = queue.Close()
	tb.Cleanup(func() { _ = machine.Close() })
}

const polling = 50 * time.Millisecond

func queued(tb testing.TB) *flock.Flock {
	tb.Helper()
	queue := flock.New(lockFile("queue"))
	if ok, err := queue.TryLockContext(tb.Context(), polling); err != nil || !ok {
		tb.Fatalf("queue for the machine: %v", err)
	}
	return queue
}

func lockFile(name string) string { return filepath.Join(os.TempDir(), "gameday-test-"+name+".lock") }

// Rounds is how often a test tries what chance decides: few times, and many where
// GAMEDAY_LONG_TESTS is set.
func Rounds(few, many int) int {
	if os.Getenv("GAMEDAY_LONG_TESTS") != "" {
		return many
	}
	return few
}
