// Package program finds the small programs that gameday puts into images: static Linux
// binaries for the engine's architecture.
//
// A release has them beside the gameday binary. Under `go run` and `go test`, and after
// `go build` or `go install`, the package builds them from the source.
package program

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
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Name is a program of this module: the name of its folder in cmd.
type Name string

// The programs that run in images.
const (
	Helper Name = "gameday-helper" // injects faults beside a component
	Load   Name = "gameday-load"   // sends users from inside
	Lab    Name = "gameday-lab"    // the application of the labs
)

// module is the path of this module.
const module = "github.com/gameday-dev/gameday"

// Binary returns the program for Linux and an architecture (as Go names it). If it must be
// built, that takes seconds, or about a minute if nothing of it is in Go's build cache.
func (n Name) Binary(ctx context.Context, arch string) ([]byte, error) {
	running, err := os.Executable()
	if err == nil {
		running, err = filepath.EvalSymlinks(running)
	}
	if err != nil {
		return nil, fmt.Errorf("find the running binary: %w", err)
	}
	dir := filepath.Dir(running)
	binary, err := n.in(dir, arch)
	if !errors.Is(err, os.ErrNotExist) {
		return binary, err
	}
	if binary, err = n.build(ctx, arch); err != nil {
		return nil, fmt.Errorf("%s is not in %s, and cannot be built: %w; use all files of a release, which has it for amd64 and arm64",
			n.file(arch), dir, err)
	}
	return binary, nil
}

func (n Name) file(arch string) string { return string(n) + "-linux-" + arch }

// in is the program from a folder.
func (n Name) in(dir, arch string) ([]byte, error) {
	path := filepath.Join(dir, n.file(arch))
	if err := check(path, arch); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return os.ReadFile(path) //nolint:gosec // G304: beside our own binary, or built by us
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

// check returns nil if a file is a program for the architecture without a dynamic linker:
// an image has no other files.
func check(path, arch string) error {
	file, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if file.Machine != machine(arch) {
		return fmt.Errorf("is a program for %s, expected %s", file.Machine, arch)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("needs a dynamic linker, expected a static program: build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// Cache is a folder of gameday's in the user's cache, which may not exist yet.
func Cache(name string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "gameday", name)
}

// build builds the program from the source of this package. The result is kept in the
// user's cache folder, where Go finds that it is up to date.
func (n Name) build(ctx context.Context, arch string) (binary []byte, err error) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		return nil, errors.New("Go is not installed") //nolint:staticcheck // ST1005: a name
	}
	_, here, _, _ := runtime.Caller(0)
	root := filepath.Dir(filepath.Dir(filepath.Dir(here)))
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return nil, errors.New("its source is not on this machine")
	}
	dir := Cache("bin")
	path := filepath.Join(dir, n.file(arch))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Another process may build it at the same time, also from another version.
	lock := flock.New(path + ".lock")
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("wait for another build: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	// Go does not overwrite what is no program, such as half a file of a full disk.
	if check(path, arch) != nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	cmd := exec.CommandContext(ctx, goCommand, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, module+"/cmd/"+string(n)) //nolint:gosec // G204: one of ours
	cmd.Dir = root
	// The program must not inherit a test's coverage or race flags.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, strings.TrimSpace(string(bytes.ToValidUTF8(output, nil))))
	}
	return n.in(dir, arch)
}
