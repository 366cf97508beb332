package steps_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

func TestExec(t *testing.T) {
	t.Setenv("GAMEDAY_SECRET", "secret")
	json := func(path string, want any) probe.Expect { return probe.Expect{JSON: map[string]any{path: want}} }
	for name, c := range map[string]struct { //nolint:paralleltest // the environment of the process is set
		exec   probe.Exec
		expect probe.Expect
		want   string
	}{
		"a text":                {probe.Exec{Command: []string{"echo", "hello"}}, json("$.output", "hello"), ""},
		"contains":              {probe.Exec{Command: []string{"echo", "hello"}}, probe.Expect{Contains: probe.Texts{"ell"}}, ""},
		"another text":          {probe.Exec{Command: []string{"echo", "bye"}}, json("$.output", "hello"), "s: $.output is not the expected value"},
		"JSON":                  {probe.Exec{Command: []string{"echo", `{"id": 9007199254740993}`}}, json("$.output.id", map[string]any{"matches": "^9007199254740993$"}), ""},
		"a number":              {probe.Exec{Command: []string{"echo", "42"}}, json("$.output", 42), ""},
		"no JSON":               {probe.Exec{Command: []string{"echo", "007"}}, json("$.output", "007"), ""},
		"its exit code":         {probe.Exec{Command: []string{"true"}}, json("$.exit", 0), ""},
		"another exit code":     {probe.Exec{Command: []string{"sh", "-c", "echo no; exit 3"}}, probe.Expect{}, "s: status EXIT_3"},
		"and expected":          {probe.Exec{Command: []string{"sh", "-c", "echo no; exit 3"}}, probe.Expect{Status: probe.Statuses{"EXIT_3"}, JSON: map[string]any{"$.exit": 3, "$.output": "no"}}, ""},
		"a signal":              {probe.Exec{Command: []string{"sh", "-c", "kill -9 $$"}}, probe.Expect{}, "s: status SIGNAL"},
		"no shell":              {probe.Exec{Command: []string{"echo", "$HOME; ls"}}, json("$.output", "$HOME; ls"), ""},
		"an input":              {probe.Exec{Command: []string{"cat"}, Stdin: "a\nb"}, json("$.output", "a\nb"), ""},
		"an input that is left": {probe.Exec{Command: []string{"true"}, Stdin: strings.Repeat("x", 1<<20)}, probe.Expect{}, ""},
		"an environment":        {probe.Exec{Command: []string{"sh", "-c", "echo $SHOP$GAMEDAY_SECRET"}, Environment: map[string]string{"SHOP": `{{"shop"}}`}}, json("$.output", "shop"), ""},
		"much output":           {probe.Exec{Command: []string{"head", "-c", "65536", "/dev/zero"}}, probe.Expect{Size: 65536}, ""},
		"too much":              {probe.Exec{Command: []string{"head", "-c", "10000000", "/dev/zero"}}, probe.Expect{}, "s: exec: the output is larger than 64 KiB"},
		"the other output":      {probe.Exec{Command: []string{"sh", "-c", "echo x >&2"}}, json("$.output", ""), ""},
		"silent":                {probe.Exec{Command: []string{"sleep", "60"}}, probe.Expect{}, "s: timeout"},
		"with a child":          {probe.Exec{Command: []string{"sh", "-c", "sleep 60 & wait"}}, probe.Expect{}, "s: timeout"},
		"a child that is left":  {probe.Exec{Command: []string{"sh", "-c", "sleep 60 & echo done"}}, json("$.output", "done"), ""},
		"no program":            {probe.Exec{Command: []string{"/etc/hostname-is-no-program/x"}}, probe.Expect{}, "not on the machine"},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := patience
			if strings.HasSuffix(c.want, "timeout") {
				timeout = 300 * time.Millisecond
			}
			l := load(timeout, probe.Step{Name: "s", Exec: &c.exec, Expect: c.expect})
			if name == "no program" {
				if err := l.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Error(err)
				}
				return
			}
			v := first(t, l)
			if v.Sample.Error != c.want || v.Sample.Void || v.Sample.Latency > timeout+2*time.Second {
				t.Errorf("%q after %v, expected %q", v.Sample.Error, v.Sample.Latency, c.want)
			}
		})
	}
}

// What a command has started ends with the step, and so does a command of a user whose time
// is over.
func TestExecLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after   string
		timeout time.Duration
	}{"ended": {"", patience}, "timed out": {"; sleep 60", 500 * time.Millisecond}} {
		dir := t.TempDir()
		alive := filepath.Join(dir, "alive")
		script := "(while :; do date +%N >" + alive + "; sleep 0.01; done) >/dev/null 2>&1 & while [ ! -e " + alive + " ]; do sleep 0.01; done" + c.after
		l := load(c.timeout, probe.Step{Name: "s", Exec: &probe.Exec{Command: []string{"sh", "-c", script}}})
		l.Rate.Users = 2
		if v := first(t, l); (v.Sample.Error == "s: timeout") != (c.after != "") {
			t.Errorf("%s: %+v", name, v.Sample)
		}
		before, err := os.ReadFile(alive)
		if err != nil {
			t.Fatal(err)
		}
		<-time.After(200 * time.Millisecond)
		if after, err := os.ReadFile(alive); err != nil || string(after) != string(before) {
			t.Errorf("%s: a process goes on", name)
		}
	}
}
