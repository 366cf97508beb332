package probe

import (
	"cmp"
	"net/http"
	"time"
)

// Step is one request and the response that it expects.
type Step struct {
	Name    string `yaml:"name,omitempty" jsonschema_description:"The name in reports and errors (default: the path, or what the step asks)."`
	Include string `yaml:"include,omitempty" jsonschema_description:"The steps of another journey, by its name, in place of this one: a login that journeys share. Such a step has no other key."`

	Get    string `yaml:"get,omitempty" jsonschema_description:"GET this path. A step has exactly one request. Paths, headers and bodies are templates: {{.seq}} is the number of the user, {{.NAME}} is a value that an earlier step captured."`
	Head   string `yaml:"head,omitempty" jsonschema_description:"HEAD this path."`
	Post   string `yaml:"post,omitempty" jsonschema_description:"POST to this path."`
	Put    string `yaml:"put,omitempty" jsonschema_description:"PUT to this path."`
	Patch  string `yaml:"patch,omitempty" jsonschema_description:"PATCH this path."`
	Delete string `yaml:"delete,omitempty" jsonschema_description:"DELETE this path."`

	DNS       *DNS       `yaml:"dns,omitempty" jsonschema_description:"Ask a DNS server, instead of a request of HTTP."`
	Exec      *Exec      `yaml:"exec,omitempty" jsonschema_description:"Run a command on the machine that users come from."`
	Redis     *Redis     `yaml:"redis,omitempty" jsonschema_description:"Send a command to Redis."`
	SQL       *SQL       `yaml:"sql,omitempty" jsonschema_description:"Send a statement to PostgreSQL, MySQL or MariaDB."`
	GRPC      *GRPC      `yaml:"grpc,omitempty" jsonschema_description:"Call a method of gRPC."`
	TCP       *TCP       `yaml:"tcp,omitempty" jsonschema_description:"Connect by TCP, send a text and receive the answer."`
	WebSocket *WebSocket `yaml:"websocket,omitempty" jsonschema_description:"Open a WebSocket, send messages and receive some, and hold it open."`

	Query     map[string]string `yaml:"query,omitempty" jsonschema_description:"Parameters that are added to the path's query, as templates. They are escaped."`
	Headers   map[string]string `yaml:"headers,omitempty" jsonschema_description:"Request headers."`
	Auth      *Auth             `yaml:"auth,omitempty" jsonschema_description:"The Authorization header."`
	JSON      any               `yaml:"json,omitempty" jsonschema_description:"The request body, as JSON. Strings in it are templates."`
	Body      string            `yaml:"body,omitempty" jsonschema_description:"The request body, as text. It is a template."`
	Form      map[string]string `yaml:"form,omitempty" jsonschema_description:"The request body, as a browser sends a form (application/x-www-form-urlencoded). Values are templates."`
	Multipart map[string]Part   `yaml:"multipart,omitempty" jsonschema_description:"The request body, as a browser sends a form with files (multipart/form-data): a text, which is a template, or {file: PATH}."`
	Follow    *int              `yaml:"follow,omitempty" jsonschema:"minimum=0,maximum=20" jsonschema_description:"How many redirects the user follows, each part of the step (default: the journey's)."`

	Expect       Expect             `yaml:"expect,omitempty" jsonschema_description:"The expected response (default: any status code from 200 to 399)."`
	Capture      map[string]Capture `yaml:"capture,omitempty" jsonschema_description:"Values of the response to capture, by name: a JSONPath such as {token: $.token}, or one of {header: NAME}, {cookie: NAME}, {regexp: PATTERN}, {css: SELECTOR, attribute: NAME}, {xpath: EXPRESSION}."`
	Acknowledges string             `yaml:"acknowledges,omitempty" jsonschema_description:"The ID of the write that the response acknowledges: its JSONPath, or a template such as {{.order}} if the user chose the ID."`

	Pause time.Duration `yaml:"pause,omitempty" jsonschema_description:"How long the user waits before the step. It is not part of the latency."`
	Retry *Retry        `yaml:"retry,omitempty" jsonschema_description:"Repeat the step if it fails, as the product's own client does."`
	Poll  *Poll         `yaml:"poll,omitempty" jsonschema_description:"Repeat the step until a later result is there, such as an order that becomes paid."`
}

// Auth is an Authorization header.
type Auth struct {
	Basic  *Basic `yaml:"basic,omitempty" jsonschema_description:"A user and a password."`
	Bearer string `yaml:"bearer,omitempty" jsonschema_description:"A token, as a template."`
}

// Basic is HTTP basic authentication.
type Basic struct {
	User     string `yaml:"user" jsonschema:"required" jsonschema_description:"The user, as a template."`
	Password string `yaml:"password" jsonschema_description:"The password, as a template."`
}

// Part is a field of a form with files.
type Part struct {
	Text string `yaml:"text,omitempty" jsonschema_description:"The value, as a template."`
	File string `yaml:"file,omitempty" jsonschema_description:"A file beside the journey, of at most 1 MiB."`
	Type string `yaml:"type,omitempty" jsonschema_description:"The content type (default: by the file's name)."`

	Content []byte `yaml:"-" json:"content,omitempty"` // of the file
}

// Short implements the short form: the text.
func (p *Part) Short(text string) { p.Text = text }

// Retry repeats a failed step.
type Retry struct {
	Attempts int           `yaml:"attempts" jsonschema:"required,minimum=2,maximum=100" jsonschema_description:"The number of attempts, the first one included."`
	Backoff  time.Duration `yaml:"backoff,omitempty" jsonschema_description:"The time before the second attempt; it doubles with each one (default: 0s)."`
}

// Poll repeats a step until a result is there.
type Poll struct {
	Every  time.Duration `yaml:"every" jsonschema:"required" jsonschema_description:"The time between two requests."`
	Within time.Duration `yaml:"within" jsonschema:"required" jsonschema_description:"The time until the result must be there. It is part of the latency, and of the journey's timeout."`
	Until  Expect        `yaml:"until,omitempty" jsonschema_description:"What the result must be. Each response before it must hold to the step's expect."`
}

// Request is the step's method and path; both are empty if it is no HTTP request.
func (s Step) Request() (method, path string) {
	for method, path := range s.methods() {
		if path != "" {
			return method, path
		}
	}
	return "", ""
}

func (s Step) methods() map[string]string {
	return map[string]string{
		http.MethodGet: s.Get, http.MethodHead: s.Head, http.MethodPost: s.Post,
		http.MethodPut: s.Put, http.MethodPatch: s.Patch, http.MethodDelete: s.Delete,
	}
}

// Title is the step's name, or its path, or what it asks.
func (s Step) Title() string {
	if s.Name != "" {
		return s.Name
	}
	_, path := s.Request()
	for _, other := range s.others() {
		path = cmp.Or(path, other.Title())
	}
	return cmp.Or(path, s.Include)
}
