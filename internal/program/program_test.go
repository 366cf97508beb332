package program_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/program"
)

// limits are the most that the programs in images may weigh, in bytes: they are loaded into
// engines that are far away, and a privileged one should hold nothing that it does not need.
func limits() map[program.Name]int {
	return map[program.Name]int{program.Helper: 4 << 20, program.Load: 20 << 20, program.Lab: 12 << 20}
}

// A program is built once: it is small, static, and the same bytes again. It runs.
func TestBinary(t *testing.T) {
	t.Parallel()
	for name, limit := range limits() {
		t.Run(string(name), func(t *testing.T) {
			t.Parallel()
			binary, err := name.Binary(t.Context(), runtime.GOARCH)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.1f MiB", float64(len(binary))/(1<<20))
			if len(binary) > limit {
				t.Errorf("%d bytes, expected at most %d", len(binary), limit)
			}
			if again, err := name.Binary(t.Context(), runtime.GOARCH); err != nil || !bytes.Equal(binary, again) {
				t.Errorf("%v: it is another one", err)
			}
			if runtime.GOOS != "linux" {
				return
			}
			path := filepath.Join(t.TempDir(), string(name))
			if err := os.WriteFile(path, binary, 0o700); err != nil {
				t.Fatal(err)
			}
			var exit *exec.ExitError
			output, err := exec.CommandContext(t.Context(), path, "nonsense").CombinedOutput()
			if !errors.As(err, &exit) || exit.ExitCode() != 2 || !strings.Contains(string(output), string(name)) {
				t.Errorf("%v: %s", err, output)
			}
		})
	}
}

// What lies beside gameday is used if it can be, and named if it cannot.
func TestBeside(t *testing.T) {
	t.Parallel()
	const name, arch = program.Helper, "amd64"
	dir := t.TempDir()
	if _, err := name.In(dir, arch); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	path := filepath.Join(dir, "gameday-helper-linux-amd64")
	for says, script := range map[string]string{
		"bad magic number":       `printf '#!/bin/sh\n# a script is no ELF file, also where it is as long as its header\n' >$OUT`,
		"expected amd64":         "GOARCH=arm64 go build -o $OUT ./testdata/empty.go",
		"needs a dynamic linker": "GOARCH=amd64 go build -buildmode pie -o $OUT ./testdata/empty.go",
	} {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
		cmd.Env = append(os.Environ(), "OUT="+path, "GOOS=linux", "CGO_ENABLED=0", "GOFLAGS=")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if _, err := name.In(dir, arch); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v, expected: %s", err, says)
		}
	}
}
