package probe

import (
	"errors"
	"fmt"
	"regexp"
)

// Capture is where a value stands in a response.
type Capture struct {
	JSON      string `yaml:"json,omitempty" jsonschema_description:"The JSONPath of the value."`
	Header    string `yaml:"header,omitempty" jsonschema_description:"The response header whose value it is."`
	Cookie    string `yaml:"cookie,omitempty" jsonschema_description:"The cookie whose value it is."`
	Regexp    string `yaml:"regexp,omitempty" jsonschema_description:"A regular expression (RE2): the value is its first group, or the whole match. It looks at the body, or at what header, cookie, json, css or xpath finds if there is one of them: {header: Location, regexp: /orders/(.+)}."`
	CSS       string `yaml:"css,omitempty" jsonschema_description:"The CSS selector of an HTML element: the value is its text."`
	Attribute string `yaml:"attribute,omitempty" jsonschema_description:"The attribute of the element of css whose value it is, such as value or href."`
	XPath     string `yaml:"xpath,omitempty" jsonschema_description:"The XPath of a node in HTML or XML, such as //input[@name='token']/@value."`
}

// Short implements the short form: a JSONPath.
func (c *Capture) Short(path string) { c.JSON = path }

// MarshalYAML writes the short form if it is one.
func (c Capture) MarshalYAML() (any, error) {
	if c == (Capture{JSON: c.JSON}) {
		return c.JSON, nil
	}
	type long Capture
	return long(c), nil
}

// check reports what is wrong.
func (c Capture) check() error {
	_, err := c.compile()
	return err
}

// looks reports whether it looks at the body.
func (c Capture) looks() bool { return c.Header == "" && c.Cookie == "" }

// what is what the response should have.
func (c Capture) what() string {
	switch {
	case c.within():
		inner := c
		inner.Regexp = ""
		return fmt.Sprintf("match of %q in %s", c.Regexp, inner.what())
	case c.JSON != "":
		return c.JSON
	case c.Header != "":
		return "header " + c.Header
	case c.Cookie != "":
		return "cookie " + c.Cookie
	case c.Regexp != "":
		return fmt.Sprintf("match of %q", c.Regexp)
	case c.CSS != "" && c.Attribute != "":
		return c.CSS + " with the attribute " + c.Attribute
	case c.CSS != "":
		return c.CSS
	}
	return c.XPath
}

// within reports whether the regular expression looks at what something else finds.
func (c Capture) within() bool { return c.Regexp != "" && c != (Capture{Regexp: c.Regexp}) }

// compile makes the finder of the value.
func (c Capture) compile() (finder, error) {
	if c.within() {
		inner := c
		inner.Regexp = ""
		find, err := inner.compile()
		if err != nil {
			return nil, err
		}
		return matchIn(c.Regexp, find)
	}
	set := 0
	for _, s := range []string{c.JSON, c.Header, c.Cookie, c.Regexp, c.CSS, c.XPath} {
		if s != "" {
			set++
		}
	}
	switch {
	case set != 1:
		return nil, fmt.Errorf("found %d of them, expected exactly one of json, header, cookie, regexp, css and xpath", set)
	case c.Attribute != "" && c.CSS == "":
		return nil, errors.New("found attribute without css: remove it, or add css")
	case c.JSON != "":
		return byJSONPath(c.JSON)
	case c.Header != "":
		return func(a *Answer) (found []any, _ error) {
			for _, v := range a.Header.Values(c.Header) {
				found = append(found, v)
			}
			return found, nil
		}, nil
	case c.Cookie != "":
		return func(a *Answer) ([]any, error) {
			if v, ok := a.cookie(c.Cookie); ok {
				return []any{v}, nil
			}
			return nil, nil
		}, nil
	case c.Regexp != "":
		return matchIn(c.Regexp, wholeBody)
	case c.CSS != "":
		return byCSS(c.Attribute)(c.CSS)
	}
	return byXPath(c.XPath)
}

// matchIn finds the first group of a regular expression, or all of its match, in what
// another finder finds.
func matchIn(pattern string, find finder) (finder, error) {
	p, err := compilePattern(pattern)
	if err != nil {
		return nil, err
	}
	return func(a *Answer) (matched []any, err error) {
		found, err := find(a)
		for _, v := range found {
			if groups := p.FindStringSubmatch(text(v)); groups != nil {
				matched = append(matched, groups[min(1, len(groups)-1)])
			}
		}
		return matched, err
	}, nil
}

// wholeBody finds the body.
func wholeBody(a *Answer) ([]any, error) {
	if !a.whole() {
		return nil, errTooLarge
	}
	return []any{string(a.Body)}, nil
}

// compilePattern compiles a regular expression of a journey.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	p, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("found %q, expected a regular expression (%w)", pattern, err)
	}
	return p, nil
}
