package lab

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gameday-dev/gameday/internal/hostcmd"
	"github.com/gameday-dev/gameday/internal/program"
	"github.com/gameday-dev/gameday/pkg/target"
)

// The images that labs are built from: what may be there, what may be pulled,
// and what is made where neither works.
const (
	pulledBase = "debian:bookworm-slim"
	madeBase   = "gameday/base:bookworm"
)

// images makes the images of a lab that are not there, side by side, and returns the
// variables that name them to compose.
func (p Provisioner) images(ctx context.Context, name string, spec Spec) ([]string, error) {
	p.Progress = p.Progress.Serial()
	making, ctx := errgroup.WithContext(ctx)
	environ := make([]string, len(spec.Images)+1)
	making.Go(func() error {
		application, err := p.Engine.PrepareProgram(ctx, program.Lab, p.Progress.Step)
		environ[0] = "GAMEDAY_IMAGE_LAB=" + application
		return err
	})
	building := p.newBuilds()
	base := sync.OnceValues(func() (string, error) { return p.base(ctx) })
	for i, image := range spec.Images {
		making.Go(func() error {
			reference, err := p.image(ctx, name, image, base, building)
			environ[i+1] = "GAMEDAY_IMAGE_" + strings.ToUpper(image) + "=" + reference
			return err
		})
	}
	return environ, making.Wait()
}

// Image is the reference of one of a lab's images, which is made if it is not there.
func (p Provisioner) Image(ctx context.Context, name, image string) (reference string, err error) {
	return p.image(ctx, name, image, func() (string, error) { return p.base(ctx) }, p.newBuilds())
}

func (p Provisioner) image(ctx context.Context, name, image string, base func() (string, error), building *builds) (reference string, err error) {
	folder, reference, err := p.imageOf(name, image)
	if err != nil {
		return "", fmt.Errorf("image %s of lab %s: %w", image, name, err)
	}
	found, err := p.Engine.HasImage(ctx, reference)
	if err != nil || found {
		return reference, err
	}
	on, err := base()
	if err != nil {
		return "", err
	}
	building.show(image, "begins")
	defer building.show(image, "")
	return reference, p.Engine.Build(ctx, reference, folder, map[string]string{"BASE": on}, func(step string) {
		number, _, _ := strings.Cut(step, " : ") // what follows is the line of the Dockerfile
		building.show(image, strings.ToLower(number))
	})
}

// builds are the images that are being built, with how far each has got.
type builds struct {
	progress target.Progress
	mu       sync.Mutex
	at       map[string]string
}

func (p Provisioner) newBuilds() *builds {
	return &builds{progress: p.Progress, at: map[string]string{}}
}

// show shows all of them, after one of them has got further, or is done: "".
func (b *builds) show(image, status string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at[image] = status
	if status == "" {
		delete(b.at, image)
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(b.at)) {
		all = append(all, name+" ("+b.at[name]+")")
	}
	if len(all) > 0 {
		b.progress.Step("building images: " + strings.Join(all, ", "))
	}
}

// contentOf is a short hash of a folder's files.
func contentOf(folder fs.FS) (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(folder, path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(data), data)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil)[:6]), err
}

// base is the image to build on: a local one, else one that is pulled, else
// one that is made from Debian's packages.
func (p Provisioner) base(ctx context.Context) (string, error) {
	if local, err := p.localBase(ctx); err != nil || local != "" {
		return local, err
	}
	p.Progress.Step("pulling " + pulledBase)
	pulling, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	pullErr := p.Engine.Pull(pulling, pulledBase)
	if pullErr == nil {
		return pulledBase, nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	p.Progress.Step("no image could be pulled; making one from Debian's packages (about a minute)")
	if err := p.debootstrap(ctx); err != nil {
		return "", fmt.Errorf("labs are built on %s, which is not on the engine, could not be pulled (%w), and could not be made: %w", pulledBase, pullErr, err)
	}
	return madeBase, nil
}

// errNoDebootstrap says what to do where we cannot do it.
var errNoDebootstrap = errors.New("debootstrap is missing: install it and run this as root, or bring the image with docker load")

// debootstrap makes the base image from Debian's packages.
func (p Provisioner) debootstrap(ctx context.Context) error {
	if os.Geteuid() != 0 {
		return errNoDebootstrap
	}
	if _, err := exec.LookPath("debootstrap"); err != nil {
		if _, err := exec.LookPath("apt-get"); err != nil {
			return errNoDebootstrap
		}
		for _, args := range [][]string{{"apt-get", "update"}, {"apt-get", "install", "-y", "--no-install-recommends", "debootstrap"}} {
			if err := p.command(ctx, args...); err != nil {
				return err
			}
		}
	}
	dir, err := os.MkdirTemp("", "gameday-base-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root := filepath.Join(dir, "root")
	if err := p.command(ctx, "debootstrap", "--variant=minbase", "bookworm", root); err != nil {
		return err
	}
	return p.importTree(ctx, root)
}

func (p Provisioner) importTree(ctx context.Context, root string) error {
	tar := exec.CommandContext(ctx, "tar", "-C", root, "--exclude=./var/cache/apt/archives/*.deb", "-c", ".") //nolint:gosec // G204: our own folder
	output, err := tar.StdoutPipe()
	if err != nil {
		return err
	}
	if err := tar.Start(); err != nil {
		return fmt.Errorf("pack the base image: %w", err)
	}
	err = p.Engine.Import(ctx, madeBase, output)
	_, _ = io.Copy(io.Discard, output) // so that tar can end
	return errors.Join(err, tar.Wait())
}

// command runs a command whose lines are progress, and whose last ones explain
// a failure.
func (p Provisioner) command(ctx context.Context, args ...string) error {
	return p.run(exec.CommandContext(ctx, args[0], args[1:]...)) //nolint:gosec // G204: our own commands
}

// run runs a command that dies with this process.
func (p Provisioner) run(cmd *exec.Cmd) error {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	var last []string
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(reader)
		for lines.Scan() {
			p.Progress.Detail(lines.Text())
			last = append(last[max(0, len(last)-9):], lines.Text())
		}
		_, _ = io.Copy(io.Discard, reader) // a line too long for the scanner
	}()
	// A killed runner must not leave a compose behind that goes on starting what the guard
	// removes.
	err := hostcmd.Run(cmd, syscall.SIGTERM)
	_ = writer.Close()
	<-done
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, strings.Join(last, "\n"))
	}
	return nil
}
