package main_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
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
	// The tests wait for labs and for time more than for a processor: with as many at once as
	// there are processors, the longest would begin last. -parallel sets another number.
	_ = flag.Set("test.parallel", "3") // the flag is there
	return m.Run()
}

// Every behaviour that needs no lab is a script in testdata that a person could
// have typed.
func TestScripts(t *testing.T) {
	t.Parallel()
	runScripts(t, "testdata")
}

// runScripts runs the scripts of a folder.
func runScripts(t *testing.T, dir string) {
	t.Helper()
	vectors, err := filepath.Abs("../../pkg/verdict/testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("GAMEDAY_STATE_DIR", filepath.Join(env.WorkDir, "state"))
			env.Setenv("VECTORS", vectors)
			return site(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// site serves a small web site for a script, in the environment staging of
// site/gameday.yaml: a login with a form, a hidden token and a cookie.
func site(env *testscript.Env) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "before"})
		fmt.Fprint(w, `<form><input type="hidden" name="csrf" value="x1"></form>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err != nil || c.Value != "before" || r.FormValue("csrf") != "x1" || r.FormValue("password") != "opensesame" {
			http.Error(w, "wrong password", http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "after"})
		http.Redirect(w, r, "/home?ticket="+r.FormValue("password"), http.StatusSeeOther)
	})
	mux.HandleFunc("GET /home", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<h1>Welcome</h1>`) })
	server := httptest.NewServer(mux)
	env.Defer(server.Close)
	dir := filepath.Join(env.WorkDir, "site")
	text := "version: 1\nenvironments:\n  staging:\n    entry: " + server.URL + "\n    docker: {project: none}\n    variables: [SHOP_PASSWORD]\n"
	return errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "gameday.yaml"), []byte(text), 0o600))
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

// Pages of docs are what the program says.
func TestDocsAreWhatTheProgramSays(t *testing.T) {
	t.Parallel()
	for page, args := range map[string][]string{"faults.md": {"faults", "--markdown"}, "journeys.md": {"journey", "reference"}} {
		want, err := exec.CommandContext(t.Context(), binary, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../docs", page))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/%s is out of date (%v): task docs writes it", page, err)
		}
	}
}
