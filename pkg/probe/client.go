package probe

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The kinds of client programs: [Client.Kind].
const (
	Browser    = "browser"     // keeps connections, and looks the name up for each new one
	Fresh      = "fresh"       // opens new connections for each user
	Pooled     = "pooled"      // shares a limited number of connections
	DNSForever = "dns-forever" // looks each name up once
	Retrier    = "retrier"     // tries a failed request again
)

// ClientKinds are the kinds of client programs.
func ClientKinds() []string { return []string{Browser, Fresh, Pooled, DNSForever, Retrier} }

// Defaults of a [Client].
const (
	DefaultAttempts = 3
	DefaultIdle     = 90 * time.Second
)

// Client is the client program of users: how they connect, and what they do about a failed
// request. The zero Client does what the journey says.
type Client struct {
	Kind string `yaml:"kind" json:"kind" jsonschema:"required,enum=browser,enum=fresh,enum=pooled,enum=dns-forever,enum=retrier" jsonschema_description:"browser: connections are kept and shared, and the name is looked up for each new one; fresh: each user opens new connections; pooled: users share a limited number of connections, and wait for one; dns-forever: as browser, but each name is looked up once and its addresses are kept, as by a JVM with an infinite DNS cache; retrier: as browser, but a failed request is tried again. It replaces the journey's connections."`
	Name string `yaml:"name,omitempty" json:"name,omitempty" jsonschema_description:"The name in reports, if there are two of a kind (default: the kind). It is none of another kind."`

	Size int           `yaml:"size,omitempty" json:"size,omitempty" jsonschema:"minimum=1" jsonschema_description:"pooled: the maximum number of connections. Required."`
	Idle time.Duration `yaml:"idle,omitempty" json:"idle,omitempty" jsonschema_description:"pooled: how long a connection may be idle before it is closed (default: 90s)."`

	Attempts int           `yaml:"attempts,omitempty" json:"attempts,omitempty" jsonschema:"minimum=2,maximum=100" jsonschema_description:"retrier: the number of attempts, the first one included (default: 3)."`
	Backoff  time.Duration `yaml:"backoff,omitempty" json:"backoff,omitempty" jsonschema_description:"retrier: the time before the second attempt; it doubles with each one (default: 0s)."`
	Timeout  time.Duration `yaml:"timeout,omitempty" json:"timeout,omitempty" jsonschema_description:"retrier: the timeout of one attempt (default: the timeout of the journey). The whole journey then takes up to the sum of all attempts and backoffs."`
}

// Short implements the short form: the kind.
func (c *Client) Short(text string) { c.Kind = text }

// Label is the name of the client in reports.
func (c Client) Label() string { return cmp.Or(c.Name, c.Kind) }

// About is what the name of the client does not say: its kind, unless that is its name, and
// its settings. It is "" if there is nothing more to say.
func (c Client) About() string {
	if c.Label() == c.Kind {
		return c.Settings()
	}
	return strings.TrimSuffix(c.Kind+", "+c.Settings(), ", ")
}

// Settings are the settings in a line: at most 50 connections; "" if there are none.
func (c Client) Settings() string {
	switch c.Kind {
	case Pooled:
		return fmt.Sprintf("at most %d connections, closed after %v without use", c.Size, cmp.Or(c.Idle, DefaultIdle))
	case Retrier:
		text := fmt.Sprintf("up to %d attempts, backoff %v", cmp.Or(c.Attempts, DefaultAttempts), c.Backoff)
		if c.Timeout > 0 {
			text += fmt.Sprintf(", timeout %v each", c.Timeout)
		}
		return text
	}
	return ""
}

// Check reports what is wrong with the settings, by key.
func (c Client) Check(problem func(key, format string, args ...any)) {
	for _, own := range []struct {
		key, kind string
		set       bool
	}{
		{"size", Pooled, c.Size != 0},
		{"idle", Pooled, c.Idle != 0},
		{"attempts", Retrier, c.Attempts != 0},
		{"backoff", Retrier, c.Backoff != 0},
		{"timeout", Retrier, c.Timeout != 0},
	} {
		if own.set && c.Kind != own.kind {
			problem(own.key, "only a %s client has it, and this one is %s: remove it", own.kind, c.Kind)
		}
	}
	if c.Kind == Pooled && c.Size == 0 {
		problem("size", "missing: set the maximum number of connections, such as {kind: pooled, size: 50}")
	}
	for key, d := range map[string]time.Duration{"idle": c.Idle, "backoff": c.Backoff, "timeout": c.Timeout} {
		if d < 0 {
			problem(key, "found %v, expected a positive duration", d)
		}
	}
	if c.Name != c.Kind && slices.Contains(ClientKinds(), c.Name) {
		problem("name", "found %s, which is another kind of client than %s: use another name", c.Name, c.Kind)
	}
	if c.endless(0) {
		problem("attempts", "found attempts that take longer than %v with their timeouts and backoffs: use fewer attempts, or a shorter backoff or timeout", maxRetrying)
	}
}

// maxRetrying is how long all attempts of a retrier may take: a run waits for its last users.
const maxRetrying = 10 * time.Minute

// endless reports whether the attempts of a retrier take longer than maxRetrying, if the
// timeout of the journey is limit; 0 if it is not known.
func (c Client) endless(limit time.Duration) bool {
	return c.retrying(limit).whole() > float64(maxRetrying)
}

// maxAttempts is the most attempts of a retrier.
const maxAttempts = 100

// Walks checks that such a client can walk a journey, and in a time that a run can wait. What
// a protocol other than HTTP does about its connections and failures is known to its own
// client libraries only.
func (c Client) Walks(j Journey) error {
	for _, kind := range j.Kinds() {
		switch {
		case c.Kind == Pooled || c.Kind == Retrier:
			return fmt.Errorf("it has steps of %s, and a %s client is for journeys of HTTP only: use browser, fresh or dns-forever%s",
				kind, c.Kind, map[bool]string{true: ", and retry: in the step"}[c.Kind == Retrier])
		case kind == "exec" && (c.Kind == Fresh || c.Kind == DNSForever):
			return fmt.Errorf("it runs a command (exec:), which connects by itself, so that a %s client would be no other than browser: use browser, or a journey without such steps", c.Kind)
		}
	}
	if c.Kind == Retrier && c.endless(j.limit()) {
		return fmt.Errorf("its attempts take longer than %v with the timeout of the journey, %v, for each: use fewer attempts, or set timeout: of the client, that of one attempt", maxRetrying, j.limit())
	}
	return nil
}

// Longest is how long a journey of such a client may take, without its pauses, if its timeout
// is limit.
func (c Client) Longest(limit time.Duration) time.Duration {
	if c.Kind != Retrier {
		return limit
	}
	return time.Duration(c.retrying(limit).whole())
}

// limit is the timeout of a whole journey of the load, without its pauses.
func (l Load) limit() time.Duration { return l.Client.Longest(l.Journey.limit()) }

// connects changes a load so that its users connect as its client does.
func (l *Load) connects() {
	switch l.Client.Kind {
	case "":
		return
	case Fresh:
		l.Journey.Connections = "fresh"
	default:
		l.Journey.Connections = "reuse"
	}
	if l.Client.Kind == DNSForever {
		l.Way.forever = &forever{of: map[string][]string{}}
	}
}

// limits are the limits of a client on its connections.
func (c Client) limits(t *http.Transport) {
	if c.Kind == Pooled {
		t.MaxConnsPerHost, t.MaxIdleConnsPerHost, t.IdleConnTimeout = c.Size, c.Size, cmp.Or(c.Idle, DefaultIdle)
	}
}

// forever are addresses that are kept for ever, by host name.
type forever struct {
	mu sync.Mutex
	of map[string][]string
}

// lookUp returns the addresses that were found first. A look-up that fails is repeated for
// the next connection.
func (f *forever) lookUp(ctx context.Context, host string, look func(ctx context.Context, host string) ([]string, error)) ([]string, error) {
	f.mu.Lock()
	kept := f.of[host]
	f.mu.Unlock()
	if kept != nil {
		return kept, nil
	}
	found, err := look(ctx, host)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[host] == nil { // else another user was first
		f.of[host] = found
	}
	return f.of[host], nil
}
