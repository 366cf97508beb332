// Package self finds a gameday binary that runs in an empty image: statically linked, for
// Linux and the engine's architecture.
//
// A released binary for Linux is such a binary. Under `go run`, `go test`, or `go build`
// with cgo, the running binary is not. Then the package builds one from the source.
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

// Binary is the path of a static Linux binary of gameday for an architecture (Go's name).
// It is slow if it must build the binary.
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
		return "", fmt.Errorf("build a static Linux binary of gameday for %s, which the helper containers need: %w; "+
			"use a released binary, or place a released Linux binary next to this one as %s", arch, err, filepath.Base(beside))
	}
	return built, nil
}

// machine is the ELF machine type of an architecture.
func machine(arch string) elf.Machine {
	switch arch {
	case "amd64":
		return elf.EM_X86_64
	case "arm64":
		return elf.EM_AARCH64
	}
	return elf.EM_NONE
}

// static reports whether a file is a program for the architecture without a dynamic
// linker.
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

// build builds the program from the source of this package, in the user's cache folder.
// The toolchain's cache makes later builds fast.
func build(ctx context.Context, arch string) (string, error) {
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(filepath.Dir(here)))
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return "", errors.New("the source is not on this machine")
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
	// The helper must not inherit a test's coverage or race flags.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, strings.TrimSpace(string(bytes.ToValidUTF8(output, nil))))
	}
	path := filepath.Join(dir, name)
	return path, os.Rename(filepath.Join(temp, name), path)
}
