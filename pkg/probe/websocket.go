package probe

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WebSocket are the settings of a WebSocket that each user opens.
type WebSocket struct {
	Path         string            `yaml:"path,omitempty" jsonschema_description:"The path at the entry, as a template. The user's cookies are sent."`
	URL          string            `yaml:"url,omitempty" jsonschema_description:"The URL instead of a path, as a template: ws://… or wss://…"`
	Headers      map[string]string `yaml:"headers,omitempty" jsonschema_description:"Headers of the request that opens it, as templates."`
	Subprotocols []string          `yaml:"subprotocols,omitempty" jsonschema_description:"The subprotocols that the user understands."`
	Send         Texts             `yaml:"send,omitempty" jsonschema_description:"A text message to send, or a list of them, as templates."`
	Receive      int               `yaml:"receive,omitempty" jsonschema:"minimum=1" jsonschema_description:"The number of messages to receive: what expect looks at is the only one, or a JSON list of them (default: messages until expect holds for one; none if expect says nothing of the content)."`
	Hold         time.Duration     `yaml:"hold,omitempty" jsonschema_description:"How long it is then held open. The server is pinged; one that closes it, or does not answer, is an error. The time is not part of the latency."`
	Gap          time.Duration     `yaml:"gap,omitempty" jsonschema_description:"The longest silence between two messages while it is held; a longer one is an error (default: none; pings must be answered within the journey's timeout)."`
}

var _ interface {
	Request
	holder
} = (*WebSocket)(nil)

// Title implements [Request].
func (w *WebSocket) Title() string {
	address, _, _ := strings.Cut(cmp.Or(w.Path, w.URL), "?") // the query may be secret
	return "websocket " + address
}

// Example is a step.
func (*WebSocket) Example() string {
	return `websocket:
  path: /live
  send: '{"subscribe": "order-{{.seq}}"}'
  hold: 30s
  gap: 5s
expect: {json: {$.type: subscribed}}
`
}

// Check implements [Request].
func (w *WebSocket) Check(problem func(key, format string, args ...any)) {
	switch {
	case (w.Path == "") == (w.URL == ""):
		problem("", "expected one of path and url")
	case w.Path != "":
		if err := CheckPath(w.Path); err != nil {
			problem("path", "%v", err)
		}
	default:
		u, err := url.Parse(withoutTemplates(w.URL))
		if err != nil || u.Host == "" || u.User != nil || !slices.Contains([]string{"ws", "wss"}, u.Scheme) {
			problem("url", "expected a URL such as wss://live.shop.example/orders, without a user and password")
		}
	}
	for name, value := range w.Headers {
		if !headerName.MatchString(name) || strings.ContainsFunc(value, isControl) {
			problem("headers."+name, "expected a name of letters, digits and hyphens, and a text on one line")
		}
	}
	if w.Receive < 0 {
		problem("receive", "found %d, expected a number of messages", w.Receive)
	}
	checkHold(w.Hold, w.Gap, problem)
	if w.Gap > 0 && w.Hold == 0 {
		problem("gap", "found gap without hold: add hold, or remove it")
	}
}

// Texts implements [Request].
func (w *WebSocket) Texts() map[string]string {
	texts := map[string]string{"path": w.Path, "url": w.URL}
	for name, value := range w.Headers {
		texts["headers."+name] = value
	}
	for i, text := range w.Send {
		texts["send["+strconv.Itoa(i)+"]"] = text
	}
	maps.DeleteFunc(texts, func(_, text string) bool { return text == "" })
	return texts
}

// Holds is how long the WebSocket is held open.
func (w *WebSocket) Holds() time.Duration { return w.Hold }
