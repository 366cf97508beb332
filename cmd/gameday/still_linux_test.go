package main_test

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	main "github.com/gameday-dev/gameday/cmd/gameday"
	"github.com/gameday-dev/gameday/pkg/target"
)

// A terminal that stands still while a fault is in force (Ctrl-S, a laptop asleep at the
// other end of ssh): the fault is reverted when it is time, or when a signal asks for it.
func TestATerminalThatStandsStill(t *testing.T) {
	t.Parallel()
	terminal := main.Terminal(t)
	toy := newToy(t)
	run := toy.command("run", "db-loss", "--set", "timing.watch=15s") // its views: some five a second
	run.Stderr, run.Env = terminal, append(run.Env, "TERM=xterm")
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = run.Process.Kill(); _ = run.Wait() }() // the guard puts it back
	toy.eventually("the database is down", toy.is(target.Stopped))
	if err := unix.IoctlSetInt(int(terminal.Fd()), unix.TCXONC, unix.TCOOFF); err != nil { // Ctrl-S
		t.Fatal(err)
	}
	<-time.After(2 * time.Second)
	_ = run.Process.Signal(syscall.SIGINT)
	for range 100 {
		if toy.is(target.Running)() {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	t.Error("the database is still down 10s after SIGINT: the run waits for its terminal")
}
