package docker_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// kept is how much of a command's output is kept, as target.ExecResult promises.
const kept = 64 << 10

func TestExecToItsEnd(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 200<<10/16)
	for name, c := range map[string]struct {
		stream func(io.Writer)
		states []string
		want   target.ExecResult
	}{
		"ends well":       {says("hi\n"), []string{execEnds(0)}, target.ExecResult{Output: "hi\n"}},
		"ends badly":      {says("no\n"), []string{execEnds(3)}, target.ExecResult{ExitCode: 3, Output: "no\n"}},
		"says nothing":    {says(), []string{execEnds(0)}, target.ExecResult{}},
		"cannot be found": {says("not found"), []string{`{"Running":false,"ExitCode":126,"Pid":0}`}, target.ExecResult{ExitCode: 126, Output: "not found"}},
		"both streams in their order": {
			func(w io.Writer) { _, _ = io.WriteString(w, frame(toStderr, "err\n")+frame(toStdout, "out\n")) },
			[]string{execEnds(0)},
			target.ExecResult{Output: "err\nout\n"},
		},
		"runs on after its output has ended": {says("hi"), []string{execRuns, execRuns, execEnds(3)}, target.ExecResult{ExitCode: 3, Output: "hi"}},
		"begins after its output was cut":    {says(), []string{execBegins, execRuns, execEnds(4)}, target.ExecResult{ExitCode: 4}},
		"says more than is kept":             {says(long), []string{execRuns, execEnds(3)}, target.ExecResult{ExitCode: 3, Output: long[:kept]}},
		"says more than is kept in many frames": {
			says(slices.Repeat([]string{long[:4095]}, 50)...),
			[]string{execRuns, execEnds(3)},
			target.ExecResult{ExitCode: 3, Output: strings.Repeat(long[:4095], 50)[:kept]},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db"))
			e.exec("db", execution{c.stream, c.states})
			got, err := opened[target.Execer](t, e.open(), "db").Exec(t.Context(), []string{"true"})
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("exit code %d, expected %d; output of %d bytes, expected %d", got.ExitCode, c.want.ExitCode, len(got.Output), len(c.want.Output))
			}
			var sent container.ExecOptions
			decode(t, e.Questions("POST", "/containers/db/exec")[0].Body, &sent)
			if strings.Join(sent.Cmd, " ") != "true" || !sent.AttachStdout || !sent.AttachStderr || sent.Tty {
				t.Errorf("asked for %+v", sent)
			}
		})
	}
}

// All of the output is taken, though not all of it is kept: a command whose output
// is not read waits, and does not end.
func TestExecTakesAllOutput(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db"))
	all := make(chan error, 1)
	e.exec("db", execution{func(w io.Writer) {
		chunk := frame(toStdout, strings.Repeat("x", 1<<20))
		for range 32 { // more than the connection buffers
			if _, err := io.WriteString(w, chunk); err != nil {
				all <- err
				return
			}
		}
		all <- nil
	}, []string{execEnds(0)}})
	got, err := opened[target.Execer](t, e.open(), "db").Exec(t.Context(), []string{"true"})
	if err != nil || len(got.Output) != kept {
		t.Errorf("%d bytes, %v", len(got.Output), err)
	}
	if err := <-all; err != nil {
		t.Errorf("the command could not write: %v", err)
	}
}

func TestExecThatIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream func(io.Writer)
		states []string
		says   string
	}{
		"cut within a frame":     {func(w io.Writer) { _, _ = io.WriteString(w, frame(toStdout, "half of it")[:12]) }, []string{execEnds(0)}, "unexpected EOF"},
		"cut within a header":    {func(w io.Writer) { _, _ = io.WriteString(w, "\x01\x00\x00") }, []string{execEnds(0)}, "unexpected EOF"},
		"no frames":              {func(w io.Writer) { _, _ = io.WriteString(w, "plain text of another kind") }, []string{execEnds(0)}, "frame"},
		"an error of the engine": {func(w io.Writer) { _, _ = io.WriteString(w, frame(fromEngine, "disk is broken")) }, []string{execEnds(0)}, "disk is broken"},
		"an answer that is none": {says("hi"), []string{`<html>`}, "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db"))
			e.exec("db", execution{c.stream, c.states})
			got, err := opened[target.Execer](t, e.open(), "db").Exec(t.Context(), []string{"true"})
			if err == nil {
				t.Fatalf("a success: %+v", got)
			}
			if !strings.Contains(err.Error(), "run a command in container db") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: does not say %q", err, c.says)
			}
		})
	}
}

// A command that is still running, or has never begun, when time is up is an error.
func TestExecThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]execution{
		"runs":                     {says("hi"), []string{execRuns}},
		"never begins":             {says(), []string{execBegins}},
		"its output does not end":  {func(w io.Writer) { says("hi")(w); untilClosed(w) }, []string{execRuns}},
		"its output ends too late": {func(w io.Writer) { says("hi")(w); untilClosed(w) }, []string{execEnds(0)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db"))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			e.exec("db", execution{func(w io.Writer) {
				cancel() // time is up as soon as the command's output is attached to
				c.stream(w)
			}, c.states})
			got, err := opened[target.Execer](t, e.open(), "db").Exec(ctx, []string{"true"})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%+v, %v: expected that time is up", got, err)
			}
		})
	}
}

// untilClosed reads what the other end of a connection never writes.
func untilClosed(w io.Writer) {
	if conn, ok := w.(io.Reader); ok {
		_, _ = io.Copy(io.Discard, conn)
	}
}

func TestExecRefused(t *testing.T) {
	t.Parallel()
	paused := `{"message":"Container db is paused, unpause the container before exec"}`
	for name, c := range map[string]struct {
		route  string
		status int
		body   string
		says   string
		gone   bool
	}{
		"paused":       {"POST /containers/db/exec", http.StatusConflict, paused, "is paused", false},
		"gone":         {"POST /containers/db/exec", http.StatusNotFound, `{"message":"No such container: db"}`, "is gone", true},
		"gone since":   {"POST /exec/exec-in-db/start", http.StatusNotFound, `{"message":"No such exec instance: x"}`, "received 404", false},
		"not upgraded": {"POST /exec/exec-in-db/start", http.StatusInternalServerError, `{"message":"oops"}`, "received 500", false},
		"lost":         {"GET /exec/exec-in-db/json", http.StatusNotFound, `{"message":"No such exec instance: x"}`, "run a command in container db", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db"))
			e.exec("db", execution{says("hi"), []string{execEnds(0)}})
			e.Answer(c.route, c.status, c.body)
			got, err := opened[target.Execer](t, e.open(), "db").Exec(t.Context(), []string{"true"})
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.Is(err, target.ErrGone) != c.gone {
				t.Errorf("%+v, %v: expected %q", got, err, c.says)
			}
		})
	}
}

// On a real engine: a command that says much, and then ends badly.
func TestExecSaysMuchAndEndsBadly(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	id := b.Start("no")
	install(t, b, id, `package main

import (
	"os"
	"strings"
)

func main() {
	for range 50 {
		os.Stdout.WriteString(strings.Repeat("x", 4<<10))
	}
	os.Exit(3)
}
`)
	execer, err := target.As[target.Execer](b.Open(id))
	if err != nil {
		t.Fatal(err)
	}
	got, err := execer.Exec(t.Context(), []string{"/program"})
	if err != nil || got.ExitCode != 3 || got.Output != strings.Repeat("x", kept) {
		t.Errorf("exit code %d, %d bytes, %v; expected 3 and %d bytes", got.ExitCode, len(got.Output), err, kept)
	}
}

// install compiles a program and puts it into a container, as /program.
func install(t *testing.T, b *enginetest.Bed, id, source string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "program", "main.go")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	program, err := os.ReadFile(filepath.Join(dir, "program"))
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(program)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := b.Client.CopyToContainer(t.Context(), id, "/", &archive, container.CopyToContainerOptions{}); err != nil {
		t.Fatal(err)
	}
}
