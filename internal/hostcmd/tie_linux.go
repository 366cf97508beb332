package hostcmd

import (
	"os/exec"
	"syscall"
)

func tie(cmd *exec.Cmd, dying syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: dying, Setpgid: true}
}

func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }

// killRest kills what is left of a process group whose leader has ended. There may be
// nothing left.
func killRest(pid int) { _ = killGroup(pid) }
