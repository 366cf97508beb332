package hostcmd

import (
	"os/exec"
	"syscall"
)

func tie(cmd *exec.Cmd, dying syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: dying, Setpgid: true}
}

func killGroup(pid int) error { return syscall.Kill(-pid, syscall.SIGKILL) }
