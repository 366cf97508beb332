//go:build !linux

package hostcmd

import (
	"os"
	"os/exec"
	"syscall"
)

// tie does nothing here: only Linux ends a command with the process that started it.
func tie(*exec.Cmd, syscall.Signal) {}

// killGroup kills the command alone: it has no process group of its own here.
func killGroup(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// killRest does nothing here: the command has no process group of its own, and its process
// has ended.
func killRest(int) {}
