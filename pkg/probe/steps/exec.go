package steps

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/hostcmd"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// execProtocol runs commands on the machine that users come from.
type execProtocol struct{}

var _ probe.Protocol = execProtocol{}

// maxOutput is the maximum size of a command's output, in bytes.
const maxOutput = 64 << 10

// Open implements [probe.Protocol]. A program that is not there is found before a user
// needs it.
func (execProtocol) Open(s probe.Step, o probe.Opening) (probe.Action, error) {
	program, err := exec.LookPath(s.Exec.Command[0])
	if err != nil {
		return nil, fmt.Errorf("exec: %s is not on the machine that users come from: install it, or write its path (%w)", s.Exec.Command[0], err)
	}
	a := &execAction{program: program, stdin: o.Templates.Parse(s.Exec.Stdin), environment: map[string]*probe.Template{}}
	for _, text := range s.Exec.Command[1:] {
		a.arguments = append(a.arguments, o.Templates.Parse(text))
	}
	for name, text := range s.Exec.Environment {
		a.environment[name] = o.Templates.Parse(text)
	}
	return a, nil
}

// execAction is a command that is ready to be run.
type execAction struct {
	program     string
	arguments   []*probe.Template
	stdin       *probe.Template
	environment map[string]*probe.Template
}

// Do implements [probe.Action].
func (a *execAction) Do(ctx context.Context, u *probe.User) (got probe.Answer, err error) {
	c := hostcmd.Command{Program: a.program, Environment: inherited(), Limit: maxOutput}
	if c.Stdin, err = u.Render(a.stdin); err != nil {
		return got, err
	}
	for _, t := range a.arguments {
		text, err := u.Render(t)
		if err != nil {
			return got, err
		}
		c.Arguments = append(c.Arguments, text)
	}
	for name, t := range a.environment {
		text, err := u.Render(t)
		if err != nil {
			return got, err
		}
		c.Environment = append(c.Environment, name+"="+text)
	}
	done, err := hostcmd.Alone(ctx, c)
	switch {
	case ctx.Err() != nil:
		return got, fmt.Errorf("exec: %w", ctx.Err())
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return got, probe.Failure("exec: the program cannot be started", err.Error())
	case err != nil:
		return got, fmt.Errorf("exec: %w", err)
	}
	got, err = execAnswer(done)
	got.Sent = len(c.Stdin)
	return got, err
}

// Close implements [probe.Action].
func (a *execAction) Close() error { return nil }

// inherited are the variables of gameday's environment that commands get: no secret is
// among them.
func inherited() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return !slices.Contains([]string{"PATH", "HOME", "LANG", "TMPDIR", "TZ", "SYSTEMROOT"}, name)
	})
}

// execAnswer is what a command did. Its body is the output as it is.
func execAnswer(done hostcmd.Result) (probe.Answer, error) {
	status := statusOK
	if done.Exit != 0 {
		status = "EXIT_" + strconv.Itoa(done.Exit)
	}
	if done.Exit < 0 {
		status = "SIGNAL" // the command was ended by one
	}
	if done.Written > maxOutput {
		return probe.Answer{Size: done.Written}, probe.Failure("exec: the output is larger than 64 KiB", strconv.FormatInt(done.Written, 10)+" bytes")
	}
	var output any = strings.TrimRight(done.Output, "\r\n")
	if v := parsed([]byte(done.Output)); v != nil {
		output = v
	}
	got, err := valued(status, map[string]any{"exit": int64(done.Exit), "output": output})
	got.Body, got.Size = []byte(done.Output), int64(len(done.Output))
	return got, err
}
