// Package boundedtest measures how much memory a reader takes.
package boundedtest

import (
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
