package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	main "github.com/gameday-dev/gameday/cmd/gameday"
	"github.com/gameday-dev/gameday/internal/enginetest"
)

// binary is the program under test, built as `go build` builds it: the tests
// run it, and kill it, as a user would.
var binary string

// TestMain is also gameday itself, with one more driver: see TestAnotherDriver.
func TestMain(m *testing.M) {
	if os.Getenv("GAMEDAY_TOY") != "" {
		os.Exit(main.RunWithToy()) //nolint:forbidigo // as main does
	}
	os.Exit(buildAndRun(m)) //nolint:forbidigo // as testing does
}

func buildAndRun(m *testing.M) int {
	dir, err := enginetest.Folder()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "gameday")
	build := exec.Command("go", "build", "-o", binary, ".") //nolint:noctx // there is no test yet whose context it could be
	build.Env = append(os.Environ(), "CGO_ENABLED=0")       // as it is released
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build gameday: %v\n%s", err, output)
		return 1
	}
	return m.Run()
}

// Every behaviour that needs no lab is a script in testdata that a person could
// have typed.
func TestScripts(t *testing.T) {
	t.Parallel()
	vectors, err := filepath.Abs("../../pkg/verdict/testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("GAMEDAY_STATE_DIR", filepath.Join(env.WorkDir, "state"))
			env.Setenv("VECTORS", vectors)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs gameday and expects an exit code: exits CODE ARGUMENTS...
func exits(ts *testscript.TestScript, neg bool, args []string) { //nolint:revive // flag-parameter: the signature is testscript's
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGUMENTS...")
	}
	err := ts.Exec("gameday", args[1:]...)
	code := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, expected %s (%v)", code, args[0], err)
	}
}

// docs/faults.md is what the program says.
func TestDocsAreWhatTheProgramSays(t *testing.T) {
	t.Parallel()
	want, err := exec.CommandContext(t.Context(), binary, "faults", "--markdown").Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/faults.md")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/faults.md is out of date (%v): task docs writes it anew", err)
	}
}
