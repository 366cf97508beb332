package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	main "github.com/gameday-dev/gameday/cmd/gameday"
)

// screen is a terminal with a person in front of it.
type screen struct {
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd

	mu   sync.Mutex
	seen bytes.Buffer
}

// onScreen starts gameday on a terminal of a width.
func onScreen(t *testing.T, toy *toy, width uint16, args ...string) *screen {
	t.Helper()
	master, terminal := main.TerminalPair(t)
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: width}); err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	s := &screen{t: t, master: master, cmd: toy.command(args...)}
	s.cmd.Env = append(s.cmd.Env, "NO_COLOR=1", "TERM=xterm-256color")
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = terminal, terminal, terminal
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go s.read()
	return s
}

func (s *screen) read() {
	buffer := make([]byte, 4096)
	for {
		n, err := s.master.Read(buffer)
		s.mu.Lock()
		s.seen.Write(buffer[:n])
		s.mu.Unlock()
		if bytes.Contains(buffer[:n], []byte("\x1b[6n")) {
			_, _ = s.master.WriteString("\x1b[1;1R") // where the cursor is: a terminal answers
		}
		if err != nil {
			return
		}
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// shows waits until a text has been shown.
func (s *screen) shows(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !strings.Contains(s.text(), text); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("%q is not shown within 60s:\n%q", text, s.text())
		}
	}
}

// types types keys one by one, as a person does: each after the one before has been seen.
func (s *screen) types(keys string) {
	s.t.Helper()
	for _, key := range keys {
		before := len(s.text())
		if _, err := s.master.WriteString(string(key)); err != nil {
			s.t.Fatal(err)
		}
		for deadline := time.Now().Add(60 * time.Second); len(s.text()) == before; <-time.After(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				s.t.Fatalf("%q changes nothing within 60s", key)
			}
		}
	}
}

// On a terminal, run without a scenario lets a person choose one, also on a narrow one; it
// draws without colours if it shall; and the report names the command that runs it again.
func TestRunOffersTheScenarios(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	s := onScreen(t, toy, 40, "run", "--out", "out")
	s.shows("Which scenario?")
	s.shows("db-frozen")
	s.types("/loss\r\r")
	s.shows("gameday run db-loss")
	_ = s.cmd.Wait() // the code says how it went
	if code := s.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d\n%s", code, s.text())
	}
	picking, _, _ := strings.Cut(s.text(), "gameday run db-loss")
	if strings.Contains(picking, "\x1b[3") || strings.Contains(picking, "\x1b[9") {
		t.Errorf("colours: %q", picking)
	}
	reports, _ := filepath.Glob(filepath.Join(toy.dir, "out", "*", "report.md"))
	if len(reports) != 1 {
		t.Fatalf("reports: %v", reports)
	}
	if text, err := os.ReadFile(reports[0]); err != nil || !strings.Contains(string(text), "gameday run db-loss") {
		t.Errorf("the report does not say how to run it again (%v)", err)
	}
	toy.clean()
}

// Ctrl-C in the list ends gameday as in a run, and nothing was run.
func TestCtrlCInTheListRunsNothing(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	for name, end := range map[string]func(*screen){
		"Ctrl-C":  func(s *screen) { s.types("\x03") },
		"SIGTERM": func(s *screen) { _ = s.cmd.Process.Signal(syscall.SIGTERM) },
	} {
		s := onScreen(t, toy, 40, "run")
		s.shows("db-loss")
		end(s)
		_ = s.cmd.Wait() // the code says how it went
		if code := s.cmd.ProcessState.ExitCode(); code != 4 {
			t.Errorf("%s: exit code %d\n%s", name, code, s.text())
		}
		s.shows("nothing was run")
	}
	if _, err := os.Stat(filepath.Join(toy.dir, "gameday-runs")); err == nil || toy.env.Kills.Load() > 0 {
		t.Error("something was run")
	}
	toy.clean()
}
