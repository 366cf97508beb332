package enginetest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Alone waits until no other test that has asked for it is under way, in whichever
// package: for one that measures times, or uses the whole machine. It lasts until
// the function that is returned is called, or the test ends.
func Alone(t *testing.T) (release func()) {
	t.Helper()
	lock := flock.New(filepath.Join(os.TempDir(), "gameday-test-alone.lock"))
	if ok, err := lock.TryLockContext(t.Context(), 100*time.Millisecond); err != nil || !ok {
		t.Fatalf("wait for the machine: %v", err)
	}
	release = func() { _ = lock.Close() } // the lock goes with the file
	t.Cleanup(release)
	return release
}
