//go:build unix

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

// detach puts the command into a session of its own, out of reach of a
// terminal's Ctrl-C and hang-up.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// outlive has the program outlive a closed output (what it writes there is then lost, and
// an error), and go on if it is asked to be suspended: what it has broken would stay so.
func outlive(stderr io.Writer) {
	// They are not ignored, because the commands that the program starts would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTSTP)
	go func() {
		for range asked {
			fmt.Fprintln(stderr, "gameday cannot be suspended: its faults would stay in force. Press Ctrl-C to stop gameday and undo its faults")
		}
	}()
}
