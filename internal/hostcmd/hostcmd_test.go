package hostcmd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/hostcmd"
)

func TestOutput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		command []string
		code    int
		output  string
		fails   bool
	}{
		"what it says, on both outputs": {[]string{"sh", "-c", "echo out; echo err >&2"}, 0, "out\nerr\n", false},
		"an exit code":                  {[]string{"sh", "-c", "echo no; exit 3"}, 3, "no\n", false},
		"no such command":               {[]string{"/no/such/command"}, 0, "", true},
		"more than is kept (M13)":       {[]string{"head", "-c", "100000000", "/dev/zero"}, 0, strings.Repeat("\x00", 100), false},
	} {
		code, output, err := hostcmd.Output(t.Context(), c.command, 100)
		if code != c.code || output != c.output || (err != nil) != c.fails {
			t.Errorf("%s: %d %q %v", name, code, output, err)
		}
	}
}

// A command that takes too long is ended with its children and theirs: nothing would undo what
// they do later.
func TestItsChildrenEndWithIt(t *testing.T) {
	t.Parallel()
	for name, wrap := range map[string]string{
		"a child":                             "(%s) &",
		"a grandchild":                        "((%s) & wait) &",
		"a grandchild whose parent has ended": "((%s) &);",
		"one that ignores signals":            "(trap '' TERM HUP INT; %s) &",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			childrenEnd(t, wrap)
		})
	}
}

func childrenEnd(t *testing.T, wrap string) {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	started, broken := filepath.Join(dir, "started"), filepath.Join(dir, "broken")
	go func() {
		for _, err := os.Stat(started); err != nil; _, err = os.Stat(started) {
			<-time.After(5 * time.Millisecond)
		}
		cancel()
	}()
	// The child waits until it is an orphan, or until it is killed.
	child := fmt.Sprintf(wrap, "while kill -0 $$ 2>/dev/null; do sleep 0.01; done; touch "+broken) + " touch " + started + "; while :; do sleep 1; done"
	if _, _, err := hostcmd.Output(ctx, []string{"sh", "-c", child}, 100); err == nil {
		t.Error("no error")
	}
	<-time.After(300 * time.Millisecond) // ten times as long as an orphan needs
	if _, err := os.Stat(broken); err == nil {
		t.Error("a child went on")
	}
}
