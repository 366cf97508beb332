package main_test

import (
	"bufio"
	"strings"
	"syscall"
	"testing"

	"github.com/gameday-dev/gameday/pkg/target"
)

// A guard that is stopped (SIGSTOP) while its run dies undoes nothing, and holds the
// environment. gameday undo says what it waits for, for two minutes; once the guard goes on,
// or is killed, all is put back.
func TestAGuardThatIsStopped(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]syscall.Signal{"it goes on": syscall.SIGCONT, "it is killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			toy := newToy(t)
			run := toy.start("db-loss")
			guard := toy.guardOf(run.Process.Pid)
			if err := syscall.Kill(guard, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(guard, syscall.SIGCONT) }) // it may have ended
			if err := run.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = run.Wait()
			undo := toy.command("undo")
			stderr, err := undo.StderrPipe()
			if err == nil {
				err = undo.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			waits := false
			for lines := bufio.NewScanner(stderr); lines.Scan(); {
				if !waits && strings.Contains(lines.Text(), "has died and still holds environment staging") {
					waits = true
					if !toy.is(target.Stopped)() {
						t.Error("the database was put back by a guard that is stopped")
					}
					if err := syscall.Kill(guard, next); err != nil {
						t.Error(err)
					}
				}
			}
			_ = undo.Wait()
			if code := undo.ProcessState.ExitCode(); code != 0 || !waits {
				t.Errorf("undo: exit code %d; it said that it waits: %t", code, waits)
			}
			toy.eventually("it is put back", toy.is(target.Running))
		})
	}
}
