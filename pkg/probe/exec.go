package probe

import (
	"fmt"
	"strings"
)

// Exec is a command on the machine that users come from.
type Exec struct {
	Command     []string          `yaml:"command" jsonschema:"required" jsonschema_description:"The program and its arguments. The arguments are templates; the program is not. No shell is involved. The response is {exit, output} as JSON: output is the standard output, as JSON if it is JSON, else as text; it has at most 64 KiB. An exit code N other than 0 is the status EXIT_N, which is a failure unless expect.status contains it. When the program ends, and at the latest at the timeout, the processes that it has started are killed. Users from inside an environment cannot run commands."`
	Stdin       string            `yaml:"stdin,omitempty" jsonschema_description:"The standard input, as a template (default: empty)."`
	Environment map[string]string `yaml:"environment,omitempty" jsonschema_description:"Environment variables of the program, as templates, in addition to PATH, HOME, LANG, TMPDIR and TZ. It gets no other variable of gameday's."`
}

var _ Request = (*Exec)(nil)

// Title implements [Request].
func (e *Exec) Title() string { return short("exec " + strings.Join(e.Command, " ")) }

// Check implements [Request].
func (e *Exec) Check(problem func(key, format string, args ...any)) {
	switch {
	case len(e.Command) == 0 || e.Command[0] == "":
		problem("command", "found none, expected a program and its arguments such as [curl, http://shop/]")
	case isTemplate(e.Command[0]):
		problem("command[0]", "found a template, but the program is the same for all users: write its name")
	}
	for name := range e.Environment {
		if !IsName(name) {
			problem("environment", "found the name %q, expected letters, digits and _", name)
		}
	}
}

// Texts implements [Request].
func (e *Exec) Texts() map[string]string {
	texts := map[string]string{"stdin": e.Stdin}
	for i, text := range e.Command {
		texts[fmt.Sprintf("command[%d]", i)] = text
	}
	for name, text := range e.Environment {
		texts["environment."+name] = text
	}
	return texts
}

// Example is a step of this kind.
func (Exec) Example() string {
	return `name: query
exec:
  command: [kcat, -b, "broker:9092", -t, orders, -P]
  stdin: "order-{{.seq}}"
`
}
