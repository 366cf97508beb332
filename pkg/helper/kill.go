package helper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// KillOrder means a process by what cannot be mistaken: its number, and the
// container whose control group it must be in.
type KillOrder struct {
	PID       int    `json:"pid"`
	Container string `json:"container"`
}

// ErrNotIts is a process that is not, or no longer, the container's.
var ErrNotIts = errors.New("is not a process of the container")

func (*KillOrder) work() string { return "kill" }

var _ momentary = (*KillOrder)(nil)

// do ends the process. It is held by a descriptor (pidfd) from before the
// check, so that its number cannot come to mean another one in between.
func (o *KillOrder) do() (Reply, error) {
	process, err := os.FindProcess(o.PID)
	if err != nil {
		return Reply{}, fmt.Errorf("find process %d: %w", o.PID, err)
	}
	defer process.Release() //nolint:errcheck // ends with the helper
	groups, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(o.PID), "cgroup"))
	if err != nil {
		return Reply{}, fmt.Errorf("read the control group of process %d: %w", o.PID, err)
	}
	if !o.owns(string(groups)) {
		return Reply{}, fmt.Errorf("process %d %w %.12s", o.PID, ErrNotIts, o.Container)
	}
	if err := process.Kill(); err != nil {
		return Reply{}, fmt.Errorf("kill process %d: %w", o.PID, err)
	}
	return Reply{}, nil
}

// shortID is how many characters of a container's ID an engine shows: with fewer
// another container is too easily meant.
const shortID = 12

// owns reports whether control groups, as /proc shows them, are the container's.
func (o *KillOrder) owns(groups string) bool {
	return len(o.Container) >= shortID && strings.Contains(groups, o.Container)
}
