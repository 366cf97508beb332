package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	"github.com/gofrs/flock"
)

// A test process can end before its tests do: by the time-out of go test, by Ctrl-C, by
// kill -9. Then its guard removes what it leaves: a process of its own, which is the test
// binary again, and whose standard input ends with the test process. The next test process
// does it if the guard died too.
//
// What a test process may leave is in a folder of its own, which is also the folder for
// temporary files of its tests, and of the processes that they start.

const (
	guardVariable = "GAMEDAY_TEST_GUARD" // the folder that a guard guards
	leftFile      = "left"               // lines: +LABEL may have left something, -LABEL no longer
	lockFileName  = "lock"               // held as long as the test process or its guard lives
	folders       = "gameday-test-*"
)

// shared is the folder for temporary files that all test processes share.
var shared = os.TempDir() //nolint:gochecknoglobals // read before it is replaced, below

func init() { //nolint:gochecknoinits // the test binary is a guard before it is anything else
	if dir := os.Getenv(guardVariable); dir != "" {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test process has ended
		if err := clean(dir); err != nil {
			_ = os.WriteFile(dir+".log", []byte(err.Error()+"\n"), 0o600)
		}
		os.Exit(0) //nolint:forbidigo // as main does
	}
}

// Folder is this process's folder, which its guard removes. From the first call on, it is
// the folder for temporary files.
func Folder() (dir string, err error) {
	it, err := guarded()
	runtime.KeepAlive(it.alive)
	return it.dir, err
}

// guardedFolder is a folder, and what ends when this process does.
type guardedFolder struct {
	dir   string
	alive io.WriteCloser
}

var guarded = sync.OnceValues(func() (it guardedFolder, err error) { //nolint:gochecknoglobals // one of each process
	if err := cleanOrphans(shared); err != nil {
		return it, fmt.Errorf("remove what former tests left: %w", err)
	}
	dir, err := os.MkdirTemp(shared, folders)
	if err != nil {
		return it, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockFileName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return it, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return it, err
	}
	self, err := os.Executable()
	if err != nil {
		return it, err
	}
	guard := exec.Command(self)
	guard.Env = append(os.Environ(), guardVariable+"="+dir)
	guard.ExtraFiles = []*os.File{lock} // the lock is held as long as one of the two is open
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if it.alive, err = guard.StdinPipe(); err != nil {
		return it, err
	}
	if err := guard.Start(); err != nil {
		return it, err
	}
	it.dir = dir
	// Others may look into it: some tests run gameday as another user.
	return it, errors.Join(os.Chmod(dir, 0o755), os.Setenv("TMPDIR", dir))
})

// Guard has containers, networks and volumes with a label, KEY=VALUE, removed if this
// process ends before the test does.
func Guard(tb testing.TB, label string) {
	tb.Helper()
	note := func(line string) {
		dir, err := Folder()
		if err != nil {
			tb.Fatal(err)
		}
		file, err := os.OpenFile(filepath.Join(dir, leftFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = file.WriteString(line + "\n")
			err = errors.Join(err, file.Close())
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	note("+" + label)
	tb.Cleanup(func() { note("-" + label) })
}

// GuardProject is [Guard] for a compose project, and the helpers beside its components.
func GuardProject(tb testing.TB, project string) {
	tb.Helper()
	Guard(tb, "com.docker.compose.project="+project)
	Guard(tb, "gameday.fence="+project)
}

// cleanOrphans cleans up after test processes whose guard has died too.
func cleanOrphans(in string) error {
	found, err := filepath.Glob(filepath.Join(in, folders))
	var errs []error
	for _, dir := range found {
		info, err := os.Stat(dir)
		if err != nil || !info.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, lockFileName)); err != nil && time.Since(info.ModTime()) < time.Hour {
			continue // another process is about to lock it
		}
		lock := flock.New(filepath.Join(dir, lockFileName))
		if ok, err := lock.TryLock(); err == nil && ok {
			errs = append(errs, clean(dir), lock.Close())
		}
	}
	return errors.Join(append(errs, err)...)
}

// cleaning is how long cleaning up may take.
const cleaning = 2 * time.Minute

// clean removes what a test process has left, and its folder.
func clean(dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleaning) //nolint:forbidigo // every other context has ended
	defer cancel()
	endProcesses(ctx, dir)
	data, err := os.ReadFile(filepath.Join(dir, leftFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	left := map[string]int{}
	for line := range strings.Lines(string(data)) {
		if label := strings.TrimSpace(line[1:]); line[0] == '+' {
			left[label]++
		} else if left[label]--; left[label] == 0 {
			delete(left, label)
		}
	}
	if len(left) > 0 {
		engine, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
		if err != nil {
			return err
		}
		defer engine.Close()
		if err := removeLabelled(ctx, engine, slices.Sorted(maps.Keys(left))); err != nil {
			return fmt.Errorf("remove what is labelled %v: %w", left, err)
		}
	}
	return errors.Join(unmountBelow(dir), os.RemoveAll(dir))
}

// removeLabelled removes all that has one of the labels, until nothing has. What one has
// can be in use by what another has.
func removeLabelled(ctx context.Context, engine *client.Client, labels []string) error {
	for {
		found := 0
		for _, label := range labels {
			having := filters.NewArgs(filters.Arg("label", label))
			containers, err1 := engine.ContainerList(ctx, container.ListOptions{All: true, Filters: having})
			networks, err2 := engine.NetworkList(ctx, network.ListOptions{Filters: having})
			volumes, err3 := engine.VolumeList(ctx, volume.ListOptions{Filters: having})
			if err := errors.Join(err1, err2, err3); err != nil {
				return err
			}
			found += len(containers) + len(networks) + len(volumes.Volumes)
			// What cannot be removed yet is met again in the next round.
			for _, c := range containers {
				_ = engine.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true})
			}
			for _, n := range networks {
				_ = engine.NetworkRemove(ctx, n.ID)
			}
			for _, v := range volumes.Volumes {
				_ = engine.VolumeRemove(ctx, v.Name, true)
			}
		}
		if found == 0 {
			return nil
		}
		<-time.After(polling)
	}
}

// ending is how long processes may take to undo what they did, and to end.
const ending = 40 * time.Second

// endProcesses ends the processes whose program is in the folder: gameday as the tests
// built it. It lets them undo what they have broken.
func endProcesses(ctx context.Context, dir string) {
	until, cancel := context.WithTimeout(ctx, ending)
	defer cancel()
	for signal := syscall.SIGTERM; ; {
		pids := processesIn(dir)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, signal) // it may have ended by now
		}
		select {
		case <-until.Done():
			signal = syscall.SIGKILL
		case <-time.After(polling):
			signal = 0
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// processesIn are the processes whose program is in a folder.
func processesIn(dir string) (pids []int) {
	found, _ := filepath.Glob("/proc/[0-9]*/exe") // the pattern is a good one
	for _, link := range found {
		program, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(program, dir+"/") {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// unmountBelow unmounts what tests have mounted in the folder.
func unmountBelow(dir string) error {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil //nolint:nilerr // not Linux
	}
	var errs []error
	for line := range bytes.Lines(data) {
		if fields := strings.Fields(string(line)); len(fields) > 1 && strings.HasPrefix(fields[1], dir+"/") {
			errs = append(errs, syscall.Unmount(fields[1], 0))
		}
	}
	return errors.Join(errs...)
}
