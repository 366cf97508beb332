//go:build unix

package steps

import (
	"errors"
	"syscall"
)

// peek reads from an idle connection without waiting, and returns an error unless there is
// nothing to read.
func peek(raw syscall.RawConn) (found error) {
	err := raw.Read(func(fd uintptr) bool {
		var one [1]byte
		n, err := syscall.Read(int(fd), one[:])
		if n > 0 || err == nil {
			found = errStale
		} else if !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EWOULDBLOCK) {
			found = err
		}
		return true
	})
	return errors.Join(err, found)
}
