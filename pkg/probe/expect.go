package probe

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theory/jsonpath"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// Expect is the assertions of a step.
type Expect struct {
	Status   Statuses       `yaml:"status,omitempty" jsonschema_description:"The expected status: a code (200), a class (2xx), or a list of them. Other protocols have words: NOT_FOUND, NXDOMAIN, EXIT_1."`
	Headers  map[string]any `yaml:"headers,omitempty" jsonschema_description:"Expected response headers: a text, exists, or conditions such as {matches: ^text/}."`
	Contains Texts          `yaml:"contains,omitempty" jsonschema_description:"Text that the response must contain, or a list of texts."`
	Matches  Texts          `yaml:"matches,omitempty" jsonschema_description:"Regular expression (RE2) that must match in the response, or a list of them."`
	JSON     map[string]any `yaml:"json,omitempty" jsonschema_description:"Expected values, by JSONPath: a value, exists, or conditions: equals, not, gte, lte, matches, contains, length."`
	CSS      map[string]any `yaml:"css,omitempty" jsonschema_description:"Expected texts of HTML elements, by CSS selector: a text, exists, or conditions."`
	XPath    map[string]any `yaml:"xpath,omitempty" jsonschema_description:"Expected texts of HTML or XML nodes, by XPath 1.0: a text, exists, or conditions."`
	Size     any            `yaml:"size,omitempty" jsonschema_description:"The expected size of the response's body in bytes: a number, or conditions such as {gte: 1000}."`
	Within   time.Duration  `yaml:"within,omitempty" jsonschema_description:"The maximum latency of the step."`
}

// Texts are one or more texts.
type Texts []string

// Several implements the short form: the only text.
func (Texts) Several() {}

// MarshalYAML writes the short form if it is one.
func (t Texts) MarshalYAML() (any, error) { return shortest([]string(t)), nil }

// Statuses are one or more expected statuses.
type Statuses []Status

// Several implements the short form: the only status.
func (Statuses) Several() {}

// MarshalYAML writes the short form if it is one.
func (s Statuses) MarshalYAML() (any, error) { return shortest([]Status(s)), nil }

// shortest is a list, or its only item.
func shortest[T any](list []T) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// Status is an expected status: 200, 2xx, or NOT_FOUND.
type Status string

var _ encoding.TextUnmarshaler = (*Status)(nil)

var statusForm = regexp.MustCompile(`^([1-5][0-9][0-9]|[1-5]xx|[A-Z][A-Z0-9_]+)$`)

// MarshalYAML writes a code as a number.
func (s Status) MarshalYAML() (any, error) {
	if code, err := strconv.Atoi(string(s)); err == nil {
		return code, nil
	}
	return string(s), nil
}

// UnmarshalText parses a status.
func (s *Status) UnmarshalText(data []byte) error {
	if !statusForm.Match(data) {
		return errors.New("expected a status code such as 200, or a class such as 2xx")
	}
	*s = Status(data)
	return nil
}

// Codes are expected status codes.
func Codes(codes ...int) Statuses {
	all := make(Statuses, len(codes))
	for i, code := range codes {
		all[i] = Status(strconv.Itoa(code))
	}
	return all
}

// match reports whether a status is one of those expected.
func (s Statuses) match(a *Answer) bool {
	code := strconv.Itoa(a.Code)
	return slices.ContainsFunc(s, func(want Status) bool {
		class, isClass := strings.CutSuffix(string(want), "xx")
		return string(want) == code || string(want) == a.Status && a.Status != "" || isClass && a.Code > 0 && code[:1] == class
	})
}

// String is the list in words.
func (s Statuses) String() string {
	words := make([]string, len(s))
	for i, status := range s {
		words[i] = string(status)
	}
	return strings.Join(words, " or ")
}

// served reports whether a status code is a success to vegeta, and to a step that expects
// no other.
func served(code int) bool { return code >= http.StatusOK && code < http.StatusBadRequest }

// fine reports whether an answer is a success to a step that expects no status.
func (a *Answer) fine() bool {
	if a.Code != 0 {
		return served(a.Code)
	}
	return a.Status == "" || a.Status == "OK" || a.Status == "NOERROR"
}

// status is the answer's status in words.
func (a *Answer) status() string {
	if a.Code != 0 {
		return "status " + strconv.Itoa(a.Code)
	}
	return "status " + a.Status
}

// checks are compiled assertions: the first one that fails is the error.
type checks []func(a *Answer) error

// check reports what is wrong with the assertions.
func (e Expect) check(path string, problem problems) {
	if _, key, err := e.compile(); err != nil {
		problem(path+"."+key, "%s.%s: %v", path, key, err)
	}
	if e.Within < 0 {
		problem(path+".within", "%s.within: found %v, expected a positive duration", path, e.Within)
	}
}

// looks reports whether an assertion looks at the body.
func (e Expect) looks() bool {
	return len(e.Contains)+len(e.Matches)+len(e.JSON)+len(e.CSS)+len(e.XPath) > 0
}

// compile turns the assertions into checks. With an error comes the key that it is about.
func (e Expect) compile() (all checks, key string, err error) {
	all = append(all, e.checkStatus)
	headers, key, err := e.compileHeaders()
	if err != nil {
		return nil, key, err
	}
	all = append(all, headers...)
	if e.Size != nil {
		m, err := newMatcher(e.Size)
		if err != nil {
			return nil, "size", err
		}
		all = append(all, func(a *Answer) error {
			if !m(a.Size) {
				return Failure("the size of the response is not the expected one", strconv.FormatInt(a.Size, 10)+" bytes")
			}
			return nil
		})
	}
	for _, text := range e.Contains {
		all = append(all, func(a *Answer) error { return checkContains(a, text) })
	}
	for i, text := range e.Matches {
		p, err := compilePattern(text)
		if err != nil {
			return nil, index("matches", i, len(e.Matches)), err
		}
		all = append(all, func(a *Answer) error { return checkMatches(a, p) })
	}
	found, key, err := e.compileFound()
	return append(all, found...), key, err
}

// compileHeaders compiles the assertions about headers.
func (e Expect) compileHeaders() (all checks, key string, err error) {
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		key := "headers." + name
		m, err := newMatcher(e.Headers[name])
		if err != nil {
			return nil, key, err
		}
		all = append(all, func(a *Answer) error { return checkHeader(a, name, m) })
	}
	return all, "", nil
}

// compileFound compiles the assertions about values in the response.
func (e Expect) compileFound() (all checks, key string, err error) {
	for _, kind := range []struct {
		key     string
		wanted  map[string]any
		compile func(text string) (finder, error)
	}{{"json", e.JSON, byJSONPath}, {"css", e.CSS, byCSS("")}, {"xpath", e.XPath, byXPath}} {
		for _, text := range slices.Sorted(maps.Keys(kind.wanted)) {
			key := kind.key + "." + text
			find, err := kind.compile(text)
			if err != nil {
				return nil, key, err
			}
			m, err := newMatcher(kind.wanted[text])
			if err != nil {
				return nil, key, err
			}
			all = append(all, func(a *Answer) error { return checkFound(a, text, find, m) })
		}
	}
	return all, "", nil
}

// index is the path of an item, or of the only one, which may be without a list.
func index(key string, i, n int) string {
	if n == 1 {
		return key
	}
	return fmt.Sprintf("%s[%d]", key, i)
}

// hold runs the checks.
func (c checks) hold(a *Answer) error {
	for _, check := range c {
		if err := check(a); err != nil {
			return err
		}
	}
	return nil
}

func (e Expect) checkStatus(a *Answer) error {
	switch {
	case len(e.Status) > 0 && !e.Status.match(a):
		return ownError(a.status() + ", expected " + e.Status.String())
	case len(e.Status) == 0 && !a.fine():
		return ownError(a.status())
	}
	a.wanted = true
	return nil
}

func checkHeader(a *Answer, name string, m matcher) error {
	values := a.Header.Values(name)
	if len(values) == 0 {
		return ownError("the response has no header " + name)
	}
	if !slices.ContainsFunc(values, func(v string) bool { return m(v) }) {
		return Failure("header "+name+" is not the expected value", shownValue(values[0]))
	}
	return nil
}

func checkContains(a *Answer, text string) error {
	if bytes.Contains(a.Body, []byte(text)) {
		return nil
	}
	if !a.whole() {
		return errTooLarge
	}
	return Failure(fmt.Sprintf("the response does not contain %q", text), shownValue(string(a.Body)))
}

func checkMatches(a *Answer, p *regexp.Regexp) error {
	if p.Match(a.Body) {
		return nil
	}
	if !a.whole() {
		return errTooLarge
	}
	return Failure(fmt.Sprintf("the response does not match %q", p), shownValue(string(a.Body)))
}

func checkFound(a *Answer, what string, find finder, m matcher) error {
	found, err := find(a)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return missing(what)
	}
	if !m(found[0]) {
		return Failure(what+" is not the expected value", shownValue(text(found[0])))
	}
	return nil
}

func missing(what string) error { return ownError("the response has no " + what) }

// maxShown is how much of what was found is shown, in characters.
const maxShown = 160

// shownValue is what was found, in one line of limited length.
func shownValue(found string) string { return plaintext.OneLine(found, maxShown) }

// byJSONPath finds values of a JSON answer.
func byJSONPath(query string) (finder, error) {
	p, err := jsonpath.Parse(query)
	if err != nil {
		return nil, fmt.Errorf("found %q, expected a JSONPath such as $.id (%w)", query, err)
	}
	return func(a *Answer) ([]any, error) {
		v, err := a.json()
		if err != nil {
			return nil, err
		}
		return p.Select(v), nil
	}, nil
}
