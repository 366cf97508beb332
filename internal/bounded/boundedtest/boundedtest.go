// Package boundedtest makes files that are larger than a disk, and measures how much memory
// their readers take.
package boundedtest

import (
	"errors"
	"os"
	"runtime"
	"testing"
)

// Allocates does something, and fails the test if that allocates more than a number of
// bytes, those that are freed meanwhile included. It counts the whole process, so the
// test must not be parallel.
func Allocates(tb testing.TB, most uint64, do func()) {
	tb.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	took := after.TotalAlloc - before.TotalAlloc
	tb.Logf("%.1f MB allocated", float64(took)/1e6)
	if took > most {
		tb.Errorf("%d bytes allocated, expected at most %d", took, most)
	}
}

// Sparse gives a file a size that only a sparse file can have, and creates it if it is
// missing. If the file system has none, the test is skipped, and fails in CI.
func Sparse(tb testing.TB, path string, size int64) {
	tb.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // G304: a test's own file
	if err != nil {
		tb.Fatal(err)
	}
	err = errors.Join(file.Truncate(size), file.Close())
	switch {
	case err != nil && os.Getenv("CI") != "":
		tb.Fatalf("no test may be skipped in CI: %v", err)
	case err != nil:
		tb.Skip("this file system has no sparse files of this size: ", err)
	}
}
