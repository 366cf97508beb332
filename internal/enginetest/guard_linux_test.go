package enginetest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// leaver is the variable that makes this test binary a test that is killed.
const leaver = "GAMEDAY_TEST_LEAVER"

// leave leaves all that a test can leave, and says what.
func leave(t *testing.T) {
	t.Helper()
	b := enginetest.New(t)
	b.StartWith(container.HostConfig{NetworkMode: container.NetworkMode(b.Network())})
	program := filepath.Join(t.TempDir(), "sleep")
	if output, err := exec.CommandContext(t.Context(), "sh", "-c", "cp $(command -v sleep) "+program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	sleep := exec.CommandContext(context.WithoutCancel(t.Context()), program, "300")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	folder, err := enginetest.Folder()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(os.Stdout, "left:", b.Label, folder, sleep.Process.Pid)
	<-time.After(time.Minute)
}

// left is what a test process that runs [leave] has left.
type left struct {
	label, folder string
	pid           int
	kill          func()
}

// leaving starts a test process, and waits until it has left something in the folder.
func leaving(t *testing.T, in string) (l left) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run", "^TestWhatAKilledTestLeaves$", "-test.v")
	cmd.Env = append(os.Environ(), leaver+"=1", "TMPDIR="+in)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	l.kill = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() } // it did not end by itself
	t.Cleanup(l.kill)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "left: %s %s %d", &l.label, &l.folder, &l.pid); n == 3 {
			enginetest.Guard(t, l.label)
			return l
		}
	}
	t.Fatal("it left nothing")
	return l
}

// there is what is still there: containers and networks, the folder, the process.
func (l left) there(t *testing.T, docker *client.Client) (all []string) {
	t.Helper()
	having := filters.NewArgs(filters.Arg("label", l.label))
	containers, err1 := docker.ContainerList(t.Context(), container.ListOptions{All: true, Filters: having})
	networks, err2 := docker.NetworkList(t.Context(), network.ListOptions{Filters: having})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for _, c := range containers {
		all = append(all, "container "+c.ID)
	}
	for _, n := range networks {
		all = append(all, "network "+n.Name)
	}
	for _, path := range []string{l.folder, fmt.Sprintf("/proc/%d", l.pid)} {
		if _, err := os.Stat(path); err == nil {
			all = append(all, path)
		}
	}
	return all
}

// A test process that is killed leaves nothing: its guard removes it, or, if the guard
// was killed too, whoever tests next.
func TestWhatAKilledTestLeaves(t *testing.T) {
	t.Parallel()
	if os.Getenv(leaver) != "" {
		leave(t)
		return
	}
	docker := enginetest.Client(t)
	gone := func(t *testing.T, l left) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); len(l.there(t, docker)) > 0; {
			if time.Now().After(deadline) {
				t.Fatalf("left after a minute: %v", l.there(t, docker))
			}
			<-time.After(50 * time.Millisecond)
		}
	}
	t.Run("its guard removes it", func(t *testing.T) {
		t.Parallel()
		l := leaving(t, t.TempDir())
		if n := len(l.there(t, docker)); n != 4 {
			t.Fatalf("it left %v, expected a container, a network, a folder and a process", l.there(t, docker))
		}
		l.kill()
		gone(t, l)
	})
	t.Run("the next one removes it", func(t *testing.T) {
		t.Parallel()
		in := t.TempDir()
		first := leaving(t, in)
		killGuard(t, first.folder)
		first.kill()
		if len(first.there(t, docker)) != 4 {
			t.Fatal("it was removed though the guard was killed")
		}
		next := leaving(t, in)
		gone(t, first)
		next.kill()
		gone(t, next)
	})
}

// killGuard kills the guard of a folder, which has it in its environment.
func killGuard(t *testing.T, folder string) {
	t.Helper()
	found, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is a good one
	for _, path := range found {
		data, err := os.ReadFile(path)
		pid, number := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && number == nil && strings.Contains(string(data), "GAMEDAY_TEST_GUARD="+folder+"\x00") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("there is no guard")
}
