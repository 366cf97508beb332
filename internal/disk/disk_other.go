//go:build !unix

// Package disk reports how much room file systems have.
package disk

import (
	"errors"
	"fmt"
)

// Free is how many bytes this user can still write to the file system of a path.
func Free(path string) (uint64, error) {
	return 0, fmt.Errorf("look at the file system of %s: %w on this system", path, errors.ErrUnsupported)
}
