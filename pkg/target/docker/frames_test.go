package docker_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/docker/docker/pkg/stdcopy"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// pieces are what a container writes, in frames.
func pieces(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		return string(rapid.SampledFrom([]byte{toStdout, toStderr}).Draw(t, "kind")) + rapid.StringN(0, 50, 200).Draw(t, "text")
	}), 0, 8).Draw(t, "pieces")
}

func stream(pieces []string) (all, stdout, stderr string) {
	var frames, out, complaints strings.Builder
	for _, p := range pieces {
		frames.WriteString(frame(p[0], p[1:]))
		if p[0] == toStdout {
			out.WriteString(p[1:])
		} else {
			complaints.WriteString(p[1:])
		}
	}
	return frames.String(), out.String(), complaints.String()
}

// However the stream arrives, all of it comes out, as stdcopy would have it.
func TestDemultiplexWholeStreams(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all, stdout, stderr := stream(pieces(t))
		for _, from := range []io.Reader{strings.NewReader(all), iotest.OneByteReader(strings.NewReader(all)), iotest.DataErrReader(strings.NewReader(all))} {
			var out, complaints bytes.Buffer
			if err := docker.Demultiplex(&out, &complaints, from); err != nil || out.String() != stdout || complaints.String() != stderr {
				t.Fatalf("%q and %q, %v; expected %q and %q", out.String(), complaints.String(), err, stdout, stderr)
			}
		}
		var out, complaints bytes.Buffer
		if _, err := stdcopy.StdCopy(&out, &complaints, strings.NewReader(all)); err != nil || out.String() != stdout || complaints.String() != stderr {
			t.Fatalf("stdcopy differs: %q and %q, %v", out.String(), complaints.String(), err)
		}
	})
}

// Cut at any byte, a stream is an error, unless the cut is between two frames.
func TestDemultiplexCutStreams(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		written := pieces(t)
		all, _, _ := stream(written)
		cut := rapid.IntRange(0, len(all)).Draw(t, "cut")
		between := cut == 0
		for i := range written {
			whole, _, _ := stream(written[:i+1])
			between = between || cut == len(whole)
		}
		err := docker.Demultiplex(io.Discard, io.Discard, strings.NewReader(all[:cut]))
		if between && err != nil || !between && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("cut between frames: %t, %v", between, err)
		}
	})
}

func TestDemultiplexErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		from io.Reader
		to   io.Writer
		want string
	}{
		"the connection breaks":            {iotest.ErrReader(broken), io.Discard, "broken"},
		"the connection breaks in a frame": {io.MultiReader(strings.NewReader(frame(toStdout, "text")[:10]), iotest.ErrReader(broken)), io.Discard, "broken"},
		"the writer breaks":                {strings.NewReader(frame(toStdout, "text")), full{}, "full"},
		"an unknown kind":                  {strings.NewReader(frame(4, "text")), io.Discard, "the engine's stream has a frame of unknown kind 4"},
		"the engine complains":             {strings.NewReader(frame(toStdout, "text") + frame(fromEngine, "no disk")), io.Discard, "the engine reports: no disk"},
		"the engine complains at length":   {strings.NewReader(frame(fromEngine, strings.Repeat("x", 10_000))), io.Discard, "the engine reports: " + strings.Repeat("x", 4096)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := docker.Demultiplex(c.to, io.Discard, c.from); err == nil || err.Error() != c.want {
				t.Errorf("%v, expected %s", err, c.want)
			}
		})
	}
}

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

// What a helper says on standard error is why it ended.
func TestStreamOfAHelper(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, says string
		err        string
	}{
		"ends":                  {frame(toStdout, "hello"), "hello", ""},
		"complains":             {frame(toStdout, "hello") + frame(toStderr, "no such\n") + frame(toStderr, "device\n"), "hello", "no such\ndevice"},
		"complains of nothing":  {frame(toStdout, "hello") + frame(toStderr, " \n"), "hello", ""},
		"is cut":                {frame(toStdout, "hello")[:10], "he", "unexpected EOF"},
		"complains, and is cut": {frame(toStderr, "no device") + "\x01", "", "no device"},
		"says nothing":          {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := net.Pipe()
			s := docker.NewStream(ours, strings.NewReader(c.from))
			got, err := io.ReadAll(s)
			if string(got) != c.says || (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
				t.Errorf("%q %v, expected %q %q", got, err, c.says, c.err)
			}
			told := make(chan string, 1)
			go func() {
				text, _ := io.ReadAll(theirs)
				told <- string(text)
			}()
			if _, err := io.WriteString(s, "work"); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if text := <-told; text != "work" {
				t.Errorf("the helper was told %q", text)
			}
		})
	}
}
