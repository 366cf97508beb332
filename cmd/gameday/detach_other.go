//go:build !unix

package main

import (
	"io"
	"os/exec"
)

// detach does nothing here.
func detach(*exec.Cmd) {}

// outlive does nothing here.
func outlive(io.Writer) {}
