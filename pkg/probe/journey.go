// Package probe walks the critical user journey: its steps, its assertions, and
// the open-loop load that sends users along it. It is the only room that knows
// vegeta.
//
// One hit of the load is one whole journey, one user. Users arrive on schedule
// whatever the system answers; a user who finds it slow or broken is a bad
// sample, and a generator that could not send is no sample at all.
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

// DefaultTimeout bounds a whole journey that declares no timeout.
const DefaultTimeout = 2 * time.Second

// Journey is what a user does, as a file declares it.
type Journey struct {
	Version     int           `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	Name        string        `yaml:"name" jsonschema:"required" jsonschema_description:"Its name; that of the file, without .yaml."`
	Timeout     time.Duration `yaml:"timeout,omitempty" jsonschema_description:"For the whole journey; 2s where it is not set."`
	Connections string        `yaml:"connections,omitempty" jsonschema:"enum=reuse,enum=fresh" jsonschema_description:"reuse (kept-alive connections, the default) or fresh (a new one for every user). Kept-alive ones hide a DNS failover, fresh ones hide a dead pool."`
	Steps       []Step        `yaml:"steps" jsonschema:"required" jsonschema_description:"The requests, in order. A user whose step fails goes no further."`
	Confirm     *Step         `yaml:"confirm,omitempty" jsonschema_description:"Looks an acknowledged write up after repair; {{.id}} is what was acknowledged. A definite answer that is not the expected one means that the write is lost."`
}

// limit bounds the whole journey.
func (j Journey) limit() time.Duration { return cmp.Or(j.Timeout, DefaultTimeout) }

// Step is one request, with what it must bring.
type Step struct {
	Name         string            `yaml:"name,omitempty" jsonschema_description:"For figures and errors; the path where it is not set."`
	Get          string            `yaml:"get,omitempty" jsonschema_description:"GET this path. A step has exactly one method. Paths, headers and bodies are templates: {{.seq}} is the user's number, {{.NAME}} what an earlier step captured."`
	Head         string            `yaml:"head,omitempty" jsonschema_description:"HEAD this path."`
	Post         string            `yaml:"post,omitempty" jsonschema_description:"POST to this path."`
	Put          string            `yaml:"put,omitempty" jsonschema_description:"PUT to this path."`
	Patch        string            `yaml:"patch,omitempty" jsonschema_description:"PATCH this path."`
	Delete       string            `yaml:"delete,omitempty" jsonschema_description:"DELETE this path."`
	Headers      map[string]string `yaml:"headers,omitempty" jsonschema_description:"Request headers."`
	JSON         any               `yaml:"json,omitempty" jsonschema_description:"The body, as JSON. Texts in it are templates."`
	Body         string            `yaml:"body,omitempty" jsonschema_description:"The body, as it is."`
	Expect       Expect            `yaml:"expect,omitempty" jsonschema_description:"What the answer must be; any status below 400 where nothing is said."`
	Capture      map[string]string `yaml:"capture,omitempty" jsonschema_description:"Names for values of the answer, by JSONPath: {token: $.token}."`
	Acknowledges string            `yaml:"acknowledges,omitempty" jsonschema_description:"JSONPath of the id of a write that this answer acknowledges."`
}

// Expect are a step's assertions.
type Expect struct {
	Status   int            `yaml:"status,omitempty" jsonschema:"minimum=100,maximum=599" jsonschema_description:"The status code."`
	JSON     map[string]any `yaml:"json,omitempty" jsonschema_description:"JSONPath to the value that must stand there, or to exists."`
	Contains string         `yaml:"contains,omitempty" jsonschema_description:"A text that the answer must contain."`
}

// Exists is the value that any value satisfies, in [Expect.JSON].
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

// Acknowledges tells whether the journey acknowledges writes that can be
// looked up.
func (j Journey) Acknowledges() bool {
	return j.Confirm != nil && slices.ContainsFunc(j.Steps, func(s Step) bool { return s.Acknowledges != "" })
}

// Check reports what the fields alone do not show to be wrong, each with the
// path of the value that is.
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
			problem(path, "%s: another step is called %q too: give each a name of its own", path, s.Title())
		}
		titles[s.Title()] = true
		for captured := range s.Capture {
			known[captured] = true
		}
	}
	if j.Confirm != nil {
		j.Confirm.check("confirm", map[string]bool{"id": true}, problem)
		if !j.Acknowledges() {
			problem("confirm", "confirm: no step acknowledges a write that could be looked up: add acknowledges: $.id to one")
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
	if _, p := s.Request(); methods != 1 {
		problem(path, "%s: found %d requests, expected exactly one of get, head, post, put, patch, delete", path, methods)
	} else if !strings.HasPrefix(p, "/") {
		problem(path, "%s: found the path %q, expected one that begins with / (the base URL is the environment's entry)", path, p)
	}
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

// jsonPaths are the step's JSONPaths by the key under which they stand.
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

// templates are the step's templated texts by the key under which they stand.
func (s Step) templates() map[string]string {
	method, path := s.Request()
	texts := map[string]string{strings.ToLower(method): path, "body": s.Body}
	for key, value := range s.Headers {
		texts["headers."+key] = value
	}
	eachText(s.JSON, "json", func(key, text string) { texts[key] = text })
	return texts
}

// eachText visits the texts in a value made of maps, lists and scalars.
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

// checkTemplate parses a template, and refuses a name that no earlier step has
// captured.
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
			return fmt.Errorf("{{.%s}} is not known here: no earlier step captures it (known: %s)", match[1], strings.Join(names, ", "))
		}
	}
	return nil
}
