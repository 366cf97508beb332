// Package gamedaytest builds gameday, for tests that use it as a person does: in a folder
// with a gameday.yaml, by its commands.
package gamedaytest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Gameday is the program under test, and the folder that it is run in.
type Gameday struct{ Binary, Dir string }

// New builds the program. Its state is in the folder, too.
func New(tb testing.TB, dir string) Gameday {
	tb.Helper()
	return Gameday{Build(tb, "cmd/gameday"), dir}
}

// Build builds a static program from a package of this module, by the path of its folder.
// It returns the program's file.
func Build(tb testing.TB, path string) (file string) {
	tb.Helper()
	file = filepath.Join(tb.TempDir(), filepath.Base(path))
	build := exec.CommandContext(tb.Context(), "go", "build", "-o", file, "github.com/gameday-dev/gameday/"+path)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", path, err, output)
	}
	return file
}

// Run runs the program with arguments, and returns its exit code and what it wrote.
func (g Gameday) Run(tb testing.TB, args ...string) (code int, stdout, stderr string) {
	tb.Helper()
	cmd := exec.Command(g.Binary, args...) //nolint:noctx // it must revert what it did
	cmd.Dir, cmd.Env = g.Dir, append(os.Environ(), "GAMEDAY_STATE_DIR="+filepath.Join(g.Dir, "state"))
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	_ = cmd.Run() // the exit code says how it went
	return cmd.ProcessState.ExitCode(), out.String(), text.String()
}
