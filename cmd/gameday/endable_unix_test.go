//go:build unix

package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	main "github.com/gameday-dev/gameday/cmd/gameday"
)

// Commands that wait for a pipe end when they are told to (L5), and commands that need a
// file refuse a pipe that has a name.
func TestCommandsDoNotWaitForPipesForEver(t *testing.T) {
	t.Setenv("GAMEDAY_STATE_DIR", t.TempDir())
	named := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(named, 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	handed := fmt.Sprintf("/dev/fd/%d", r.Fd())
	t.Cleanup(func() { // what still waits for a pipe ends with it
		open, err := os.OpenFile(named, os.O_RDWR, 0)
		if err != nil {
			t.Error(err)
		}
		_, _, _ = open.Close(), r.Close(), w.Close()
	})
	for _, c := range []struct { //nolint:paralleltest // likewise
		args []string
		code int
		want string
	}{
		{[]string{"judge", named, "--fault-at", "+1s", "--rto", "1s"}, 4, "ended by a signal"},
		{[]string{"judge", handed, "--fault-at", "+1s", "--rto", "1s"}, 4, "ended by a signal"},
		{[]string{"validate", handed}, 4, "ended by a signal"},
		{[]string{"run", handed}, 4, "ended by a signal"},
		{[]string{"plan", handed}, 4, "ended by a signal"},
		{[]string{"validate", named}, 2, "found a pipe, expected a file"},
		{[]string{"run", named}, 2, "found a pipe, expected a file"},
		{[]string{"judge", filepath.Dir(named), "--fault-at", "+1s", "--rto", "1s"}, 2, "found a folder, expected a file"},
	} {
		t.Run(c.args[0]+" "+c.want, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			var stderr strings.Builder
			if code := main.Run(ctx, c.args, &strings.Builder{}, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) {
				t.Errorf("exit code %d, expected %d: %s", code, c.code, stderr.String())
			}
		})
	}
}
