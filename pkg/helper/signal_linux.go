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

var (
	_ lasting   = (*Signal)(nil)
	_ momentary = (*Signal)(nil)
)

// processes are those of the target.
type processes struct {
	proc string // where the kernel shows them
	self int    // the helper, which is none of them
	kill func(pid int, signal syscall.Signal) error
}

// signalled is processes that were sent a signal which another one takes back.
type signalled struct {
	*Signal
	processes
}

func (s *Signal) here() signalled {
	return signalled{s, processes{proc: "/proc", self: os.Getpid(), kill: unix.Kill}}
}

// do signals, if nothing takes that back.
func (s *Signal) do() (Reply, error) { return Reply{}, s.here().once() }

// begin signals, if that lasts until it is taken back.
func (s *Signal) begin(string) (effect, Reply, error) { return s.here().begin() }

func (s *Signal) try() error { return s.here().try() }

// mend sends the signal that takes the other one back, if there is one.
func (s *Signal) mend() error { return s.here().undo() }

func (s signalled) begin() (effect, Reply, error) {
	err := s.try()
	if err != nil {
		return nil, Reply{}, err
	}
	if err = s.once(); err == nil {
		return s, Reply{}, nil
	}
	// Some may have got it.
	if left := s.undo(); left != nil {
		return s, Reply{}, errors.Join(err, left)
	}
	return nil, Reply{}, err
}

// undo lets all processes of the name go on. That there are none by now leaves
// nothing to undo.
func (s signalled) undo() error {
	if s.Undo == 0 {
		return nil
	}
	pids, err := s.named(s.Process)
	if err != nil {
		return err
	}
	return s.send(pids, s.Undo)
}

// status reports whether the processes are still stopped, if that is the effect.
func (s signalled) status() (Reply, error) {
	pids, err := s.found()
	if err != nil {
		return Reply{}, err
	}
	for _, pid := range pids {
		if unix.Signal(s.Signal.Signal) == unix.SIGSTOP && !s.stopped(pid) {
			return Reply{}, fmt.Errorf("process %d (%s) goes on", pid, s.Process)
		}
	}
	return Reply{}, nil
}

// try refuses what would have no effect, and a process that was stopped by
// something else: undoing would let it go on.
func (s signalled) try() error {
	pids, err := s.reachable()
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if s.Undo != 0 && s.stopped(pid) {
			return fmt.Errorf("process %d (%s) is stopped already", pid, s.Process)
		}
	}
	return s.send(pids, 0)
}

// once signals every process of the name.
func (s signalled) once() error {
	pids, err := s.reachable()
	if err != nil {
		return err
	}
	return s.send(pids, s.Signal.Signal)
}

// reachable are the processes of the name, if all of them can be signalled.
func (s signalled) reachable() ([]int, error) {
	pids, err := s.found()
	for _, pid := range pids {
		if pid == 1 && s.Signal.Signal != 0 && !s.caught(s.Signal.Signal) {
			return nil, fmt.Errorf("%s is the target's main process, which the kernel shields from this signal: use crash, or pause", s.Process)
		}
	}
	return pids, err
}

// found are the processes of the name, of which there is one at least.
func (s signalled) found() ([]int, error) {
	pids, err := s.named(s.Process)
	if err == nil && len(pids) == 0 {
		err = fmt.Errorf("the target has no process %q", s.Process)
	}
	return pids, err
}

// send signals processes. One that has ended meanwhile is no error, and one that
// cannot be signalled keeps no other from it.
func (s signalled) send(pids []int, signal int) error {
	var errs []error
	for _, pid := range pids {
		if err := s.kill(pid, unix.Signal(signal)); err != nil && !errors.Is(err, syscall.ESRCH) {
			errs = append(errs, fmt.Errorf("signal process %d (%s): %w", pid, s.Process, err))
		}
	}
	return errors.Join(errs...)
}

func (p processes) path(pid int, file string) string {
	return filepath.Join(p.proc, strconv.Itoa(pid), file)
}

// stopped reports whether a process was stopped by a signal; see proc(5).
func (p processes) stopped(pid int) bool {
	stat, err := os.ReadFile(p.path(pid, "stat"))
	// Its name stands in parentheses, and may hold some itself.
	_, state, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	return err == nil && strings.HasPrefix(state, "T")
}

// caught reports whether the first process of the namespace has a handler for a
// signal. The kernel lets no other reach it from inside, and says nothing.
func (p processes) caught(signal int) bool {
	status, err := os.ReadFile(p.path(1, "status"))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(status), "SigCgt:")
	text, _, _ := strings.Cut(strings.TrimSpace(after), "\n")
	mask, err := strconv.ParseUint(text, 16, 64)
	return err == nil && mask&(1<<(signal-1)) != 0
}

// named are the processes whose program, or whose own name, is called so. The
// helper's own is not among them.
func (p processes) named(name string) ([]int, error) {
	folders, err := filepath.Glob(filepath.Join(p.proc, "[0-9]*"))
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, folder := range folders {
		pid, err := strconv.Atoi(filepath.Base(folder))
		if err != nil || pid == p.self {
			continue
		}
		line, err := os.ReadFile(p.path(pid, "cmdline"))
		if err != nil || len(line) == 0 {
			continue // it has ended meanwhile, or is none of the target's
		}
		program, _, _ := strings.Cut(string(line), "\x00")
		comm, _ := os.ReadFile(p.path(pid, "comm"))
		first, _, _ := strings.Cut(program, ":") // "postgres: walwriter"
		if name == filepath.Base(program) || name == strings.TrimSpace(string(comm)) || name == filepath.Base(first) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
