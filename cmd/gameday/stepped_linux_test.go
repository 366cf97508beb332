package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// The clock of a machine is stepped by people, by time servers, and when a suspended virtual
// machine resumes. The tests do not touch this machine's clock: they build gameday with a standard
// library whose time.Now adds the seconds that a file contains to the wall clock, and leaves
// the monotonic clock alone, as the kernel does at a step. The engine, files and the users'
// server keep their time, so gameday also disagrees with them.

// clockVariable is the variable with the path of that file.
const clockVariable = "GAMEDAY_TEST_CLOCK"

// steppable is what is added to package time. The runtime calls Now where no file can be read.
const steppable = `
var (
	stepFile, _ = syscall.Getenv("` + clockVariable + `")
	stepBy      atomic.Int64
)

func init() {
	if stepFile != "" {
		go stepping()
	}
}

func stepping() {
	for {
		if fd, err := open(stepFile); err == nil {
			var text [20]byte
			n, _ := read(fd, text[:])
			closefd(fd)
			var by, sign int64 = 0, 1
			for _, c := range text[:max(n, 0)] {
				switch {
				case c == '-':
					sign = -1
				case '0' <= c && c <= '9':
					by = by*10 + int64(c-'0')
				}
			}
			stepBy.Store(sign * by)
		}
		Sleep(5 * Millisecond)
	}
}
`

// overlay writes a changed copy of a file, and returns its path.
func overlay(t *testing.T, dir, path string, changes ...string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for i := 0; i < len(changes); i += 2 {
		if strings.Count(text, changes[i]) != 1 {
			t.Fatalf("%s does not contain %q once", path, changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	changed := filepath.Join(dir, filepath.Base(path))
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return changed
}

// steppedBinary is gameday with a clock that can be stepped, and with the toy driver. To build
// it takes some CPU minutes, as all of the standard library is compiled again.
func steppedBinary(t *testing.T) string {
	t.Helper()
	enginetest.Long(t, "clock")
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	drivers, err := filepath.Abs("drivers.go")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	replaced := map[string]map[string]string{"Replace": {
		library: overlay(t, dir, library,
			"\t_ \"unsafe\" // for go:linkname\n", "\t\"sync/atomic\"\n\t\"syscall\"\n\t_ \"unsafe\" // for go:linkname\n",
			"func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n", steppable+"func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n\tsec += stepBy.Load()\n"),
		drivers: overlay(t, dir, drivers,
			"import (\n", "import (\n\t\"github.com/gameday-dev/gameday/internal/toyenv\"\n",
			"docker.Driver(lab.Labs{Files: labs.Files})}", "docker.Driver(lab.Labs{Files: labs.Files}), toyenv.Driver()}"),
	}}
	data, err := json.Marshal(replaced)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "overlay.json"), data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	built := filepath.Join(dir, "gameday")
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", built, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return built
}

// clock is a wall clock that can be stepped.
type clock struct {
	t    *testing.T
	path string
}

func newClock(t *testing.T) clock {
	t.Helper()
	return clock{t, filepath.Join(t.TempDir(), "clock")}
}

// step sets the wall clock ahead of the true time, or back.
func (c clock) step(by time.Duration) {
	next := c.path + ".next"
	if err := os.WriteFile(next, []byte(strconv.FormatInt(int64(by/time.Second), 10)), 0o600); err != nil {
		c.t.Error(err)
	}
	if err := os.Rename(next, c.path); err != nil {
		c.t.Error(err)
	}
}
