// Package loopbacktest lets tests listen at loopback addresses of their own, such as
// 127.0.0.2.
package loopbacktest

import (
	"net"
	"os"
	"testing"
)

// Listen listens at a TCP address until the test ends. A machine that has no such address, as
// some are that do not run Linux, skips the test; in CI that is a failure.
func Listen(tb testing.TB, address string) net.Listener {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", address)
	switch {
	case err == nil:
		tb.Cleanup(func() { _ = listener.Close() })
		return listener
	case os.Getenv("CI") != "":
		tb.Fatalf("the machine has no such address: %v", err)
	}
	tb.Skipf("the machine has no such address: %v", err)
	return nil
}
