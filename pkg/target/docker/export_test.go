package docker

import (
	"context"
	"io"
	"net"
	"time"
)

// NetworkID is the engine's id of a network on which load workers are started.
func NetworkID(ctx context.Context, e *Environment, name string) (string, error) {
	return e.network(ctx, name)
}

// ProgramArchive is the image of a program, as the engine is given it.
func ProgramArchive(name string, binary []byte, reference, arch string) (io.Reader, error) {
	return programArchive(name, binary, reference, arch)
}

// GoArch is Go's word for an engine's architecture.
func GoArch(machine string) string { return goArch(machine) }

// Demultiplex copies an engine's stream of output and error to two writers.
func Demultiplex(stdout, stderr io.Writer, from io.Reader) error {
	return demultiplex(stdout, stderr, from)
}

// NewStream is a helper's standard input and output.
func NewStream(conn net.Conn, from io.Reader) io.ReadWriteCloser { return newStream(conn, from) }

// RemoveUnstarted removes the helpers of a fence that are of an age and never started.
func RemoveUnstarted(ctx context.Context, e *Environment, fence string, age time.Duration) error {
	return (&Environment{Engine: e.Engine, config: &Config{Labels: []string{fence}}}).removeUnstarted(ctx, age)
}
