package helper

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestWhoseAProcessIs(t *testing.T) {
	t.Parallel()
	const id = "1f2e3d4c5b6a79880f1e2d3c4b5a69781f2e3d4c5b6a79880f1e2d3c4b5a6978"
	const other = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for name, c := range map[string]struct {
		container, groups string
		want              bool
	}{
		"by the first version":          {id, "12:pids:/docker/" + id + "\n11:memory:/docker/" + id + "\n", true},
		"by the second version":         {id, "0::/system.slice/docker-" + id + ".scope\n", true},
		"of a cluster":                  {id, "0::/kubepods.slice/kubepods-pod7.slice/cri-containerd-" + id + ".scope\n", true},
		"a group below the container's": {id, "0::/system.slice/docker-" + id + ".scope/init\n", true},
		"another container's":           {id, "0::/system.slice/docker-" + other + ".scope\n", false},
		"of the host":                   {id, "0::/system.slice/sshd.service\n", false},
		"of nothing":                    {id, "", false},
		"no container is meant":         {"", "0::/system.slice/docker-" + id + ".scope\n", false},
		"too little to tell":            {id[:11], "0::/system.slice/docker-" + id + ".scope\n", false},
		"a word of the host's":          {"slice", "0::/system.slice/sshd.service\n", false},
		"as an engine shows it":         {id[:12], "0::/system.slice/docker-" + id + ".scope\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := (&KillOrder{PID: 7, Container: c.container}).owns(c.groups); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
}

// A process of this machine that is not the container's lives on.
func TestAProcessOfAnotherIsNotKilled(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestIsAChild$")
	child.Env = append(os.Environ(), "GAMEDAY_TEST_CHILD=1")
	hold, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for _, container := range []string{"", "nobody", strings.Repeat("f", 64)} {
		_, err := (&KillOrder{PID: child.Process.Pid, Container: container}).do()
		if !errors.Is(err, ErrNotIts) || container == "" && !strings.Contains(err.Error(), "is not a process of the container") {
			t.Errorf("container %q: %v", container, err)
		}
	}
	if err := hold.Close(); err != nil {
		t.Error(err)
	}
	if err := child.Wait(); err != nil {
		t.Errorf("it did not end by itself: %v", err)
	}
	if _, err := (&KillOrder{PID: child.Process.Pid, Container: strings.Repeat("f", 64)}).do(); err == nil || errors.Is(err, ErrNotIts) {
		t.Errorf("a process that is gone: %v", err)
	}
}

// TestIsAChild is the process that another test means to kill: it lives until
// its standard input ends.
func TestIsAChild(t *testing.T) {
	t.Parallel()
	if os.Getenv("GAMEDAY_TEST_CHILD") == "" {
		return
	}
	if n, err := os.Stdin.Read(make([]byte, 1)); n > 0 {
		t.Errorf("told something: %v", err)
	}
}
