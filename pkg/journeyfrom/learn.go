package journeyfrom

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// learn adds the values of an exchange's responses.
func (s *sources) learn(e *exchange, at int) {
	from := source{at: at, written: e.method != "GET" && e.method != "HEAD"}
	for _, r := range append(slices.Clip(e.hops), e.response) {
		if r == nil {
			continue
		}
		for _, c := range r.cookies {
			from.kind, from.name, from.capture = ofCookie, c.Name, probe.Capture{Cookie: c.Name}
			s.add(c.Value, from)
		}
	}
	r := e.response
	if r == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		from.kind, from.name, from.capture = ofHeader, name, probe.Capture{Header: name}
		if name == "Location" {
			s.learnLocation(r, from)
		} else if strings.HasPrefix(name, "X-") || isName(name) {
			s.add(r.header.Get(name), from)
		}
	}
	switch {
	case len(r.body) > probe.MaxKept:
	case isJSON(r.kind):
		if v, err := decoded(r.body); err == nil {
			left := maxScalars
			s.learnJSON(v, "$", "", from, &left)
		}
	case r.kind == "text/html":
		if s.page == "" {
			s.page = string(r.body)
		}
		s.learnPage(r.body, from)
	}
}

// maxScalars is how many values of one response are looked at.
const maxScalars = 20_000

func isJSON(kind string) bool { return kind == "application/json" || strings.HasSuffix(kind, "+json") }

// decoded is a JSON document with its numbers as they are written.
func decoded(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("found more than one value")
	}
	return v, nil
}

// learnLocation adds the segments of a Location's path that are IDs.
func (s *sources) learnLocation(r *response, from source) {
	u, err := url.Parse(r.header.Get("Location"))
	if err != nil {
		return
	}
	segments := strings.Split(u.EscapedPath(), "/")
	for i, one := range segments {
		if v := segment(one); isID(v) && i > 0 {
			c := from
			c.name = singular(segments[i-1]) + "_id"
			c.capture.Regexp = regexp.QuoteMeta("/"+segments[i-1]+"/") + "([^/?#]+)"
			if i == 1 || isID(segments[i-1]) {
				c.name, c.capture.Regexp = from.name, "([^/?#]+)/?(?:[?#].*)?$"
				if i != len(segments)-1 {
					continue
				}
			}
			s.add(v, c)
		}
	}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		c := from
		c.name, c.capture.Regexp = name, "[?&]"+regexp.QuoteMeta(url.QueryEscape(name))+"=([^&#]+)"
		s.add(query.Get(name), c)
	}
}

// learnJSON adds the strings and the numbers below a value.
func (s *sources) learnJSON(v any, path, name string, from source, left *int) {
	if *left--; *left < 0 || strings.Count(path, "[") > 32 {
		return
	}
	from.kind, from.name, from.capture = ofJSON, name, probe.Capture{JSON: path}
	switch v := v.(type) {
	case string:
		s.add(v, from)
	case json.Number:
		s.add(v.String(), from)
	case []any:
		for i, item := range v {
			s.learnJSON(item, fmt.Sprintf("%s[%d]", path, i), name, from, left)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			s.learnJSON(v[key], path+member(key), key, from, left)
		}
	}
}

var shorthand = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// member is the step of a JSONPath to a key.
func member(key string) string {
	if shorthand.MatchString(key) {
		return "." + key
	}
	return "['" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(key) + "']"
}

// maxElements is how many elements of one page are looked at: for each, the page is
// searched.
const maxElements = 1000

// learnPage adds the fields of forms, and what links and meta elements say.
func (s *sources) learnPage(body []byte, from source) {
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return
	}
	left := maxElements
	for n := range root.Descendants() {
		if n.Type != html.ElementNode || n.Data != "input" && n.Data != "meta" && n.Data != "a" {
			continue
		}
		if left--; left < 0 {
			return
		}
		switch n.Data {
		case "input":
			s.learnElement(root, n, "name", "value", withKind(from, ofField))
		case "meta":
			s.learnElement(root, n, "name", "content", withKind(from, ofMeta))
		case "a":
			if from.written {
				s.learnLink(root, n, withKind(from, ofLink))
			}
		}
	}
}

func withKind(from source, kind int) source {
	from.kind = kind
	return from
}

// learnElement adds the value of an element that has a name, if a selector finds it.
func (s *sources) learnElement(root, n *html.Node, naming, valued string, from source) {
	name, value := attribute(n, naming), attribute(n, valued)
	kind := strings.ToLower(attribute(n, "type"))
	if name == "" || value == "" || n.Data == "input" && kind != "hidden" && !isName(name) || kind == "password" {
		return
	}
	own := n.Data + "[" + naming + "=" + quoted(name) + "]"
	selectors := []string{own}
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "form" {
			if id := attribute(p, "id"); id != "" {
				selectors = append(selectors, "form[id="+quoted(id)+"] "+own)
			}
			if action := attribute(p, "action"); action != "" {
				selectors = append(selectors, "form[action="+quoted(action)+"] "+own)
			}
		}
	}
	for _, text := range selectors {
		if first(root, text) == n {
			from.name, from.capture = name, probe.Capture{CSS: text, Attribute: valued}
			s.add(value, from)
			return
		}
	}
}

// learnLink adds the IDs in the address of a link, if a selector finds it.
func (s *sources) learnLink(root, n *html.Node, from source) {
	u, err := url.Parse(attribute(n, "href"))
	if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/") {
		return
	}
	path := ""
	for one := range strings.SplitSeq(strings.TrimPrefix(u.EscapedPath(), "/"), "/") {
		if selector := "a[href^=" + quoted(path+"/") + "]"; isID(segment(one)) && first(root, selector) == n {
			from.name = "id"
			from.capture = probe.Capture{CSS: selector, Attribute: "href", Regexp: "^" + regexp.QuoteMeta(path+"/") + "([^/?#]+)"}
			s.add(segment(one), from)
		}
		path += "/" + one
	}
}

// first is the first element that a selector finds.
func first(root *html.Node, selector string) *html.Node {
	compiled, err := cascadia.Compile(selector)
	if err != nil {
		return nil
	}
	return cascadia.Query(root, compiled)
}

// quoted is a text as a selector has it.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\a `, "\r", `\d `, "\f", `\c `).Replace(s) + `"`
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
