package lab

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel end the command when this process dies, so that
// a killed runner does not leave a compose behind that goes on starting what
// the guard removes.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}
