//go:build unix

// Package disk reports how much room file systems have.
package disk

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Free is how many bytes this user can still write to the file system of a path.
func Free(path string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, fmt.Errorf("look at the file system of %s: %w", path, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil //nolint:gosec,unconvert // G115: neither is negative; their types differ between systems
}
