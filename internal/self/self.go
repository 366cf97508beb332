// Package self finds gameday's own binary in the form that runs in an image
// with nothing else in it: statically linked, for Linux and the engine's
// architecture.
//
// A released binary is just that. Under `go run`, `go build` with cgo, or `go
// test`, the running binary is not, but then the toolchain and the source are
// there to build one.
package self

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Command is the import path of the program.
const Command = "github.com/gameday-dev/gameday/cmd/gameday"

// Binary is the path of a static Linux binary of gameday for an architecture
// (Go's word). It may take a build's time where one must be built.
func Binary(ctx context.Context, arch string) (string, error) {
	running, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the running binary: %w", err)
	}
	info, _ := debug.ReadBuildInfo()
	if info != nil && info.Path == Command && static(running, arch) {
		return running, nil
	}
	beside := filepath.Join(filepath.Dir(running), "gameday-linux-"+arch)
	if static(beside, arch) {
		return beside, nil
	}
	built, err := build(ctx, arch)
	if err != nil {
		return "", fmt.Errorf("the running binary cannot run inside a container (it is not a static Linux one for %s), and building one did not work: %w; "+
			"use a released binary, or put one beside this one as %s", arch, err, filepath.Base(beside))
	}
	return built, nil
}

// machines are the architectures as an ELF header names them.
func machine(arch string) elf.Machine {
	switch arch {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	}
	return elf.EM_NONE
}

// static tells whether the file is a program for the architecture that needs
// no dynamic linker.
func static(path, arch string) bool {
	file, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return false
		}
	}
	return file.Machine == machine(arch)
}

// build compiles the program from the source that this package was compiled
// from. The result is kept in the user's cache; the toolchain's own cache makes
// a second build a matter of a second.
func build(ctx context.Context, arch string) (string, error) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(filepath.Dir(here)))
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return "", errors.New("its source is not on this machine")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "gameday", "bin")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	temp, err := os.MkdirTemp(dir, "build-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temp)
	name := "gameday-linux-" + arch
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", filepath.Join(temp, name), Command) //nolint:gosec // G204: arch is the engine's
	cmd.Dir = root
	// A test's coverage or race flags are not the helper's.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, strings.TrimSpace(string(bytes.ToValidUTF8(output, nil))))
	}
	path := filepath.Join(dir, name)
	return path, os.Rename(filepath.Join(temp, name), path)
}
