package helper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// signalled is processes that were sent a signal which another one takes back.
type signalled struct{ *Signal }

var (
	_ lasting   = (*Signal)(nil)
	_ momentary = (*Signal)(nil)
)

// do signals, where nothing takes that back.
func (s *Signal) do() (Reply, error) { return Reply{}, s.send(s.Signal) }

// begin signals, where that lasts until it is taken back.
func (s *Signal) begin(string) (effect, Reply, error) {
	if err := s.send(s.Signal); err != nil {
		return nil, Reply{}, err
	}
	return signalled{s}, Reply{}, nil
}

func (s signalled) undo() error { return s.mend() }

// mend sends the signal that takes the other one back, if there is one.
func (s *Signal) mend() error {
	if s.Undo == 0 {
		return nil
	}
	return s.send(s.Undo)
}

// status tells whether the processes are still stopped, where that is the
// effect.
func (s signalled) status() (Reply, error) {
	pids, err := s.processes()
	if err != nil {
		return Reply{}, err
	}
	for _, pid := range pids {
		if unix.Signal(s.Signal.Signal) == unix.SIGSTOP && !stopped(pid) {
			return Reply{}, fmt.Errorf("process %d (%s) goes on", pid, s.Process)
		}
	}
	return Reply{}, nil
}

// stopped tells whether a process was stopped by a signal; see proc(5).
func stopped(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	_, after, _ := strings.Cut(string(stat), ") ")
	return err == nil && strings.HasPrefix(after, "T")
}

// try refuses what would have no effect, and a process that somebody else has
// stopped: undoing would let it go on.
func (s *Signal) try() error {
	if err := s.send(0); err != nil || s.Undo == 0 {
		return err
	}
	pids, err := s.processes()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if stopped(pid) {
			return fmt.Errorf("process %d (%s) is stopped already", pid, s.Process)
		}
	}
	return nil
}

// send signals every process of the name.
func (s *Signal) send(signal int) error {
	pids, err := s.processes()
	if err != nil {
		return err
	}
	if len(pids) == 0 {
		return fmt.Errorf("the target has no process %q", s.Process)
	}
	for _, pid := range pids {
		if pid == 1 && s.Signal != 0 && !caught(s.Signal) {
			return fmt.Errorf("%s is the target's main process, which the kernel shields from this signal: use crash, or pause", s.Process)
		}
		if err := unix.Kill(pid, unix.Signal(signal)); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("signal process %d (%s): %w", pid, s.Process, err)
		}
	}
	return nil
}

// caught tells whether the first process of the namespace has a handler for a
// signal. The kernel lets no other reach it from inside, and says nothing.
func caught(signal int) bool {
	status, err := os.ReadFile("/proc/1/status")
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(status), "SigCgt:")
	text, _, _ := strings.Cut(strings.TrimSpace(after), "\n")
	mask, err := strconv.ParseUint(text, 16, 64)
	return err == nil && mask&(1<<(signal-1)) != 0
}

// processes are those of the target whose program, or whose own name, is
// called so. The helper's own is not among them.
func (s *Signal) processes() ([]int, error) {
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile(filepath.Join(folder, "cmdline")) //nolint:gosec // G304: of /proc
		if err != nil || len(line) == 0 {
			continue // it has ended meanwhile, or is none of the target's
		}
		program, _, _ := strings.Cut(string(line), "\x00")
		comm, _ := os.ReadFile(filepath.Join(folder, "comm")) //nolint:gosec // G304: of /proc
		first, _, _ := strings.Cut(program, ":")              // "postgres: walwriter"
		if s.Process == filepath.Base(program) || s.Process == strings.TrimSpace(string(comm)) || s.Process == filepath.Base(first) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
