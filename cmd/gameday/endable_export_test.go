package main

import (
	"context"
	"io"
)

// Run is gameday with arguments, in this process.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return program{drivers()}.run(ctx, append([]string{"gameday"}, args...), stdout, stderr)
}
