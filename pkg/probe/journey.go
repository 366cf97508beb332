// Package probe runs critical user journeys: their steps, their assertions, and the
// open-loop load of users. It is the only package that imports vegeta.
//
// One hit of the load is one user who walks the whole journey. Users arrive at the
// arrival rate, no matter how the system responds. A failed or slow journey is a bad
// sample. A journey that the generator itself could not send is no sample.
package probe

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/theory/jsonpath"
)

// DefaultTimeout is the default timeout of a whole journey.
const DefaultTimeout = 2 * time.Second

// Journey is the content of a journey file.
type Journey struct {
	Version     int           `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	Name        string        `yaml:"name" jsonschema:"required" jsonschema_description:"The name of the journey: the file name without .yaml."`
	Timeout     time.Duration `yaml:"timeout,omitempty" jsonschema_description:"The timeout of the whole journey (default: 2s)."`
	Connections string        `yaml:"connections,omitempty" jsonschema:"enum=reuse,enum=fresh" jsonschema_description:"reuse: share keep-alive connections between users; fresh: open new connections for each user (default: reuse). Reused connections hide a failed DNS failover; fresh connections hide a broken connection pool."`
	Steps       []Step        `yaml:"steps" jsonschema:"required" jsonschema_description:"The requests, in order. A user stops at the first step that fails."`
	Confirm     *Step         `yaml:"confirm,omitempty" jsonschema_description:"The request that looks up an acknowledged write after repair. {{.id}} is the acknowledged ID. A definite response other than the expected one means that the write is lost."`
}

// limit is the timeout of the whole journey.
func (j Journey) limit() time.Duration { return cmp.Or(j.Timeout, DefaultTimeout) }

// Step is one request and the response that it expects.
type Step struct {
	Name         string            `yaml:"name,omitempty" jsonschema_description:"The name in reports and errors (default: the path)."`
	Get          string            `yaml:"get,omitempty" jsonschema_description:"GET this path. A step has exactly one method. Paths, headers and bodies are templates: {{.seq}} is the number of the user, {{.NAME}} is a value that an earlier step captured."`
	Head         string            `yaml:"head,omitempty" jsonschema_description:"HEAD this path."`
	Post         string            `yaml:"post,omitempty" jsonschema_description:"POST to this path."`
	Put          string            `yaml:"put,omitempty" jsonschema_description:"PUT to this path."`
	Patch        string            `yaml:"patch,omitempty" jsonschema_description:"PATCH this path."`
	Delete       string            `yaml:"delete,omitempty" jsonschema_description:"DELETE this path."`
	Headers      map[string]string `yaml:"headers,omitempty" jsonschema_description:"Request headers."`
	JSON         any               `yaml:"json,omitempty" jsonschema_description:"The request body, as JSON. Strings in it are templates."`
	Body         string            `yaml:"body,omitempty" jsonschema_description:"The request body, as text. It is a template."`
	Expect       Expect            `yaml:"expect,omitempty" jsonschema_description:"The expected response (default: any status code from 200 to 399)."`
	Capture      map[string]string `yaml:"capture,omitempty" jsonschema_description:"Values of the response to capture, as name and JSONPath: {token: $.token}."`
	Acknowledges string            `yaml:"acknowledges,omitempty" jsonschema_description:"The JSONPath of the ID of the write that the response acknowledges."`
}

// Expect is the assertions of a step.
type Expect struct {
	Status   int            `yaml:"status,omitempty" jsonschema:"minimum=100,maximum=599" jsonschema_description:"The expected status code."`
	JSON     map[string]any `yaml:"json,omitempty" jsonschema_description:"Expected values, by JSONPath. The value exists matches any value."`
	Contains string         `yaml:"contains,omitempty" jsonschema_description:"Text that the response must contain."`
}

// Exists matches any value in [Expect.JSON].
const Exists = "exists"

// Request is the step's method and path.
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

// Title is the step's name, or its path.
func (s Step) Title() string {
	if s.Name != "" {
		return s.Name
	}
	_, path := s.Request()
	return path
}

// Acknowledges reports whether the journey has acknowledged writes that can be looked
// up.
func (j Journey) Acknowledges() bool {
	return j.Confirm != nil && slices.ContainsFunc(j.Steps, func(s Step) bool { return s.Acknowledges != "" })
}

// Check reports problems that involve more than one field, each with the path of the
// value.
func (j Journey) Check(problem func(path, format string, args ...any)) {
	if j.Timeout < 0 {
		problem("timeout", "timeout: found %v, expected a positive duration", j.Timeout)
	}
	if len(j.Steps) == 0 {
		problem("steps", "steps: found none, expected at least one")
	}
	known := map[string]bool{"seq": true}
	titles := map[string]bool{}
	for i, s := range j.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		s.check(path, known, problem)
		if titles[s.Title()] {
			problem(path, "%s: duplicate step name %q: set a different name", path, s.Title())
		}
		titles[s.Title()] = true
		for captured := range s.Capture {
			known[captured] = true
		}
	}
	if j.Confirm != nil {
		j.Confirm.check("confirm", map[string]bool{"id": true}, problem)
		if !j.Acknowledges() {
			problem("confirm", "confirm: no step acknowledges a write: add acknowledges: $.id to a step")
		}
	}
}

func (s Step) check(path string, known map[string]bool, problem func(path, format string, args ...any)) {
	methods := 0
	for _, p := range s.methods() {
		if p != "" {
			methods++
		}
	}
	if method, p := s.Request(); methods != 1 {
		problem(path, "%s: found %d requests, expected exactly one of get, head, post, put, patch, delete", path, methods)
	} else if !strings.HasPrefix(p, "/") {
		problem(path, "%s: found the path %q, expected a path that starts with / (the environment's entry is the base URL)", path, p)
	} else if err := CheckPath(p); err != nil {
		key := path + "." + strings.ToLower(method)
		problem(key, "%s: %v", key, err)
	}
	s.checkHeaders(path+".headers", problem)
	if s.JSON != nil && s.Body != "" {
		problem(path+".body", "%s: found both json and body, expected one of them", path)
	}
	for key, query := range s.jsonPaths() {
		if _, err := jsonpath.Parse(query); err != nil {
			problem(path+"."+key, "%s.%s: found %q, expected a JSONPath such as $.id (%v)", path, key, query, err)
		}
	}
	for key, text := range s.templates() {
		if err := checkTemplate(text, known); err != nil {
			problem(path+"."+key, "%s.%s: %v", path, key, err)
		}
	}
}

// jsonPaths are the step's JSONPaths, by key.
func (s Step) jsonPaths() map[string]string {
	queries := map[string]string{}
	for query := range s.Expect.JSON {
		queries["expect.json."+query] = query
	}
	for name, query := range s.Capture {
		queries["capture."+name] = query
	}
	if s.Acknowledges != "" {
		queries["acknowledges"] = s.Acknowledges
	}
	return queries
}

// templates are the step's templates, by key.
func (s Step) templates() map[string]string {
	method, path := s.Request()
	texts := map[string]string{strings.ToLower(method): path, "body": s.Body}
	for key, value := range s.Headers {
		texts["headers."+key] = value
	}
	eachText(s.JSON, "json", func(key, text string) { texts[key] = text })
	return texts
}

// eachText visits the strings in a value made of maps, lists and scalars.
func eachText(v any, path string, visit func(path, text string)) {
	switch v := v.(type) {
	case string:
		visit(path, v)
	case []any:
		for i, item := range v {
			eachText(item, path+"["+strconv.Itoa(i)+"]", visit)
		}
	case map[string]any:
		for key, item := range v {
			eachText(item, path+"."+key, visit)
		}
	}
}

var placeholder = regexp.MustCompile(`\{\{-?\s*\.([A-Za-z_][A-Za-z0-9_]*)`)

// checkTemplate parses a template, and refuses a name that no earlier step captures.
func checkTemplate(text string, known map[string]bool) error {
	if _, err := template.New("").Parse(text); err != nil {
		return fmt.Errorf("found %q, expected a template such as user-{{.seq}} (%w)", text, err)
	}
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		if !known[match[1]] {
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			return fmt.Errorf("{{.%s}} is unknown: no earlier step captures it (available: %s)", match[1], strings.Join(names, ", "))
		}
	}
	return nil
}
