package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is what a step asks if that is not HTTP: the settings of one protocol. Its
// [Protocol] has the same key.
type Request interface {
	// Title is the name of the step in reports, if it has no name of its own.
	Title() string
	// Check reports what is wrong with the settings, by key; "" is the whole.
	Check(problem func(key, format string, args ...any))
	// Texts are the templates in the settings, by key.
	Texts() map[string]string
}

// Protocol performs one kind of step. Implementations are safe for concurrent use.
type Protocol interface {
	// Open prepares a step for a load. It must not need the system to be up.
	Open(s Step, o Opening) (Action, error)
}

// Opening is what a protocol prepares a step with.
type Opening struct {
	Way       Way
	Templates *Templates
	Timeout   time.Duration // of the whole journey
	Fresh     bool          // each user opens new connections
}

// Action is a step that is ready to be performed, by many users at once.
type Action interface {
	// Do performs the step for one user, within ctx. The answer is complete unless there
	// is an error. An error in gameday's own words is made by [Failure]; of any other, its
	// class is shown.
	Do(ctx context.Context, u *User) (Answer, error)
	// Close ends the connections that users share.
	Close() error
}

// Dialer connects as the users of a load do: by the DNS servers of their way, with a name
// looked up for every connection.
func (o Opening) Dialer() func(ctx context.Context, network, address string) (net.Conn, error) {
	return o.Way.dialer(&net.Dialer{Timeout: o.Timeout})
}

// TLS is the configuration of TLS to a host, as the way declares it.
func (o Opening) TLS(host string) (*tls.Config, error) {
	c, err := o.Way.secure()
	if err == nil && c.ServerName == "" {
		c.ServerName = host
	}
	return c, err
}

// Constant fills a template that is the same for all users.
func (o Opening) Constant(text string) (string, error) {
	t := o.Templates.Parse(text)
	if err := o.Templates.Err(); err != nil {
		return "", err
	}
	return t.render(nil)
}

// Protocols are the protocols beside HTTP, by the key of a step.
type Protocols map[string]Protocol

// Answer is what a step received.
type Answer struct {
	Code   int         // the status code of HTTP; 0 for another protocol
	Status string      // the status in the words of another protocol, such as NOT_FOUND
	Header http.Header // of HTTP, or the metadata of gRPC
	Body   []byte      // the beginning of the body, if the step looks at it; complete if Size is its length
	Size   int64       // of the whole body, in bytes
	Sent   int         // bytes of the request's body
	// Value is the answer as JSON has it, if the body is not: nil, bool, float64,
	// json.Number, string, []any or map[string]any. Valued is whether there is one.
	Value  any
	Valued bool
	// Held is how long the step was held open, and all was well. It is no part of the
	// latency, like a pause. It counts if there is an error, too.
	Held time.Duration
	// Absent is whether this is the definite answer that there is no such thing: HTTP's
	// 404 and 410, no row, no key.
	Absent bool
	// Asked is the request, if a person looks at what the user does; only HTTP has it.
	Asked *Asked
	// Hops are the redirects that HTTP followed, if a person looks.
	Hops []Hop

	cookies http.CookieJar // of the user
	url     *url.URL       // of the last request
	wanted  bool           // the status was the expected one
	parsed  parsed
}

// Asked is a request as it was sent.
type Asked struct {
	Line   string      `json:"line"` // the method and the URL, or what another protocol asks
	Header http.Header `json:"header,omitempty"`
	Body   string      `json:"body,omitempty"`
}

// Hop is a redirect, and the request that it asks for.
type Hop struct {
	Code     int    `json:"code"`
	Location string `json:"location"`
	Line     string `json:"line"` // the method and the URL that it asks for
}

// Failure is an error in gameday's own words: of one class, the same for every user. what
// must not contain anything of the server's that differs between users. found is what the
// answer had instead; only a person who tries the journey sees it.
func Failure(what, found string) error { return mismatch{ownError(what), found} }

// User is one user on the way.
type User struct {
	vars    map[string]any
	jar     http.CookieJar
	cookies bool // a jar is made when the first cookie comes
	client  http.RoundTripper
	traces  bool   // a person looks at what the user does
	hops    []Hop  // of the last request, if a person looks
	answer  Answer // that is being judged
}

// Render fills a template with the user's values.
func (u *User) Render(t *Template) (string, error) { return t.render(u.vars) }

// Build fills the templates in a value made of maps, lists and scalars.
func (u *User) Build(v Builder) (any, error) { return v(u.vars) }

// others are the step's requests that are not HTTP, by key.
func (s Step) others() map[string]Request {
	all := map[string]Request{}
	add(all, "dns", s.DNS)
	add(all, "exec", s.Exec)
	add(all, "grpc", s.GRPC)
	add(all, "redis", s.Redis)
	add(all, "sql", s.SQL)
	add(all, "tcp", s.TCP)
	add(all, "websocket", s.WebSocket)
	return all
}

// add adds a request, if there is one.
func add[T any, P interface {
	*T
	Request
}](all map[string]Request, key string, r P) {
	if r != nil {
		all[key] = r
	}
}

// otherKeys are the keys of all requests that are not HTTP, in order.
func otherKeys() []string { return slices.Sorted(maps.Keys(Requests())) }

// requests are the keys of the step's requests: there should be one.
func (s Step) requests() (keys []string) {
	for method, path := range s.methods() {
		if path != "" {
			keys = append(keys, strings.ToLower(method))
		}
	}
	keys = append(keys, slices.Collect(maps.Keys(s.others()))...)
	slices.Sort(keys)
	return keys
}

func requestKeys() []string {
	return append([]string{"get", "head", "post", "put", "patch", "delete"}, otherKeys()...)
}

// checkOther checks a request that is not HTTP.
func (s Step) checkOther(path string, problem problems) {
	for key, r := range s.others() {
		r.Check(func(inside, format string, args ...any) {
			at := path + "." + key
			if inside != "" {
				at += "." + inside
			}
			problem(at, "%s: %s", at, fmt.Sprintf(format, args...))
		})
		for name, set := range map[string]bool{
			"query": s.Query != nil, "headers": s.Headers != nil, "auth": s.Auth != nil, "json": s.JSON != nil,
			"body": s.Body != "", "form": s.Form != nil, "multipart": s.Multipart != nil, "follow": s.Follow != nil,
		} {
			if set {
				problem(path+"."+name, "%s.%s: only a request of HTTP has it, and this step is %s: remove it", path, name, key)
			}
		}
	}
}

// otherTemplates adds the templates of a request that is not HTTP.
func (s Step) otherTemplates(texts map[string]string) {
	for key, r := range s.others() {
		for inside, text := range r.Texts() {
			texts[key+"."+inside] = text
		}
	}
}

// Requests are the settings of all requests that are not HTTP, by key.
func Requests() map[string]Request {
	return map[string]Request{"dns": &DNS{}, "exec": &Exec{}, "grpc": &GRPC{}, "redis": &Redis{}, "sql": &SQL{}, "tcp": &TCP{}, "websocket": &WebSocket{}}
}
