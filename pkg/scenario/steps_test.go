package scenario_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// with is a journey with one step.
func with(step string) []byte {
	return []byte("version: 1\nname: j\nsteps:\n  - name: s\n    " + strings.ReplaceAll(strings.TrimSpace(step), "\n", "\n    ") + "\nconfirm: {get: \"/{{.id}}\"}\n")
}

// The examples of requests that are not HTTP are steps that can be read.
func TestExamplesOfSteps(t *testing.T) {
	t.Parallel()
	for name, example := range map[string]string{
		"grpc": (*probe.GRPC)(nil).Example(), "tcp": (*probe.TCP)(nil).Example(), "websocket": (*probe.WebSocket)(nil).Example(),
	} {
		text := string(with(example))
		if !strings.Contains(example, "acknowledges") {
			text = strings.Split(text, "confirm:")[0]
		}
		if _, err := scenario.LoadJourney("j.yaml", []byte(text), nil); err != nil || !strings.HasPrefix(example, name+":") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// What is wrong with a request that is not HTTP is reported where it stands.
func TestStepsThatAreWrong(t *testing.T) {
	t.Parallel()
	beside := func(path string) ([]byte, error) {
		switch path {
		case "x.pb":
			return []byte("x"), nil
		case "large.pb":
			return make([]byte, 5<<20), nil
		}
		return nil, errors.New("no such file")
	}
	for step, says := range map[string]string{
		"grpc: {method: a.B/C, descriptors: x.pb}":                                  "",
		"grpc: {method: a.B/C, descriptors: none.pb}":                               "steps[0].grpc.descriptors: no such file",
		"grpc: {method: a.B/C, descriptors: large.pb}":                              "large.pb has 5242880 bytes, expected at most 4194304",
		"grpc: {method: Create}":                                                    `steps[0].grpc.method: found "Create", expected a method such as shop.Orders/Create`,
		"grpc: {method: a.B/C, address: here}":                                      `found "here", expected HOST:PORT`,
		"grpc: {method: a.B/C, message: {x: [\"{{.y}}\"]}}":                         "steps[0].grpc.message.x[0]: {{.y}} is unknown",
		"grpc: {method: a.B/C, metadata: {X: y}}":                                   "expected lower-case letters",
		"grpc: {method: a.B/C, stream: {}}":                                         "steps[0].grpc.stream: expected one of messages and hold",
		"grpc: {method: a.B/C, stream: {messages: 1, hold: 1s}}":                    "expected one of messages and hold",
		"grpc: {method: a.B/C, stream: {hold: 1s, gap: -1s}}":                       "steps[0].grpc.stream.gap: found -1s",
		"grpc: {method: a.B/C, stream: {hold: 1s}}\npoll: {every: 1ms, within: 1s}": "found both hold and poll",
		"grpc: {method: a.B/C}\nget: /":                                             "found 2 requests",
		"grpc: {method: a.B/C}\nheaders: {a: b}":                                    "only a request of HTTP has it",
		"tcp: {address: :25, until: close}":                                         "",
		"tcp: {address: :25, until: line}":                                          `found "line", expected close, {bytes: N} or {delimiter: TEXT}`,
		"tcp: {until: {}}":                                                          "found 0 of them",
		"tcp: {until: {close: true, bytes: 3}}":                                     "found 2 of them",
		"tcp: {until: {bytes: 5000000}}":                                            "found 5000000, expected at most 4194304",
		"websocket: {path: /live, send: a}":                                         "",
		"websocket: {url: \"wss://live.example/{{.seq}}\", send: [a, b]}":           "",
		"websocket: {}":                             "expected one of path and url",
		"websocket: {path: live}":                   "expected a path that starts with /",
		"websocket: {url: \"http://live.example\"}": "expected a URL such as wss://",
		"websocket: {path: /live, gap: 1s}":         "found gap without hold",
		"websocket: {path: /live, receiv: 1}":       "receive",
	} {
		text, _, _ := strings.Cut(string(with(step)), "confirm:")
		switch _, err := scenario.LoadJourney("j.yaml", []byte(text), beside); {
		case says == "" && err != nil:
			t.Errorf("%s: %v", step, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%s: %v, expected %q", step, err, says)
		}
	}
}
