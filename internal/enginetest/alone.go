package enginetest

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Packages are tested in parallel, and some tests measure times. Those lock the machine
// exclusively; other heavy tests share the lock. The queue lock keeps new shared locks
// from overtaking a test that waits for an exclusive one.

// Alone locks the machine exclusively until release is called or the test ends.
func Alone(tb testing.TB) (release func()) {
	tb.Helper()
	queue := queued(tb)
	machine := flock.New(lockFile("machine"))
	if ok, err := machine.TryLockContext(tb.Context(), polling); err != nil || !ok {
		tb.Fatalf("wait for the machine: %v", err)
	}
	_ = queue.Close() // closing the file releases the lock
	release = func() { _ = machine.Close() }
	tb.Cleanup(release)
	return release
}

// Shared locks the machine, together with other tests that share it, until the test ends.
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

func lockFile(name string) string { return filepath.Join(shared, "gameday-test-"+name+".lock") }

const longTests = "GAMEDAY_LONG_TESTS"

// Long skips a test unless GAMEDAY_LONG_TESTS is set, which the named task does.
func Long(tb testing.TB, task string) {
	tb.Helper()
	if os.Getenv(longTests) == "" {
		tb.Skipf("it takes minutes: task %s runs it, with %s=1", task, longTests)
	}
}

// Rounds is the number of rounds of a test that depends on chance: few, or many if
// GAMEDAY_LONG_TESTS is set. If that is a number above 1, it is the most.
func Rounds(few, many int) int {
	set := os.Getenv(longTests)
	if set == "" {
		return few
	}
	if most, err := strconv.Atoi(set); err == nil && most > 1 {
		return min(most, many)
	}
	return many
}
