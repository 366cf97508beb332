//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// detach puts the command into a session of its own, out of reach of a
// terminal's Ctrl-C and hang-up.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
