package journeyfrom

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// field is a parameter, a header, or a part of a form.
type field struct {
	name  string
	value text
	file  *file // of a form with files
}

// file is a file of a form.
type file struct {
	name, kind string
	content    []byte // nil if the source does not have it
}

// body is the body of a request: at most one of its parts is set.
type body struct {
	json      any // maps, lists, text for strings, json.Number, bool and nil
	isJSON    bool
	form      []field
	multipart []field
	raw       text
	kind      string // the content type of raw
}

// auth is the Authorization header of a request.
type auth struct {
	basic          bool
	user, password text
	bearer         text
}

// exchange is one request, and its response if the source has one.
type exchange struct {
	name     string // of the step, if the source has one
	method   string
	path     []text // segments, escaped as the source has them
	query    []field
	rawQuery bool // the query has a parameter without a value
	headers  []field
	auth     *auth
	body     body
	cookies  []*http.Cookie // that were sent
	follow   int            // redirects that are part of the step
	// hasFollow is whether follow is what the source says, and not the journey's.
	hasFollow bool
	pause     time.Duration
	response  *response
	hops      []*response // the redirects before the response, in order
	comments  []string
	captures  map[string]probe.Capture
	// acknowledges is where the response has the ID of what was written; "" if nothing is.
	acknowledges string
	status       []string // expected, if there is no response
	took         time.Duration
}

// response is a recorded response.
type response struct {
	status  int
	header  http.Header
	kind    string // the media type, without parameters
	body    []byte
	url     *url.URL
	cookies []*http.Cookie // that it set
}

// comment adds a line above the step, once.
func (e *exchange) comment(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(e.comments, line) {
		e.comments = append(e.comments, line)
	}
}

// setTarget takes the path and the query from a URL.
func (e *exchange) setTarget(u *url.URL, prefix string) {
	path := u.EscapedPath()
	if cut, ok := strings.CutPrefix(path, prefix); ok && (cut == "" || cut[0] == '/') {
		path = cut
	}
	e.path = nil
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		e.path = append(e.path, literal(segment))
	}
	e.query, e.rawQuery = parameters(u.RawQuery)
}

// parameters are the parameters of a query or of a form, in order. bare is whether one
// has no equals sign.
func parameters(query string) (all []field, bare bool) {
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		bare = bare || !ok
		all = append(all, field{name: unescaped(name), value: literal(unescaped(value))})
	}
	return all, bare
}

func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// encoded are parameters as they stand in a query.
func encoded(all []field) string {
	pairs := make([]string, len(all))
	for i, f := range all {
		pairs[i] = url.QueryEscape(f.name) + "=" + f.value.inQuery()
	}
	return strings.Join(pairs, "&")
}

// unique reports whether a mapping can hold the fields: each name is there once, and is
// plain text.
func unique(all []field) bool {
	seen := map[string]bool{}
	for _, f := range all {
		if f.name == "" || seen[f.name] || !isPlain(f.name) {
			return false
		}
		seen[f.name] = true
	}
	return true
}

// slot is one value of a request that can be replaced.
type slot struct {
	where string // path, query, form, json, header, bearer, user, password, body
	name  string // of the field
	value string
	set   func(text)
	// number is whether it is a number of JSON, which only a body of text can replace.
	number bool
}

// slots are the values of the request that are literals as a whole.
func (e *exchange) slots() iter.Seq[slot] {
	return func(yield func(slot) bool) {
		for where, values := range e.texts() {
			for _, f := range values {
				value, plain := f.at.plain()
				if where == "path" {
					value = segment(value)
				}
				if plain && value != "" && !yield(slot{where: where, name: f.name, value: value, set: func(t text) { *f.at = t }}) {
					return
				}
			}
		}
		if e.body.isJSON {
			eachLeaf(&e.body.json, "", yield)
		}
	}
}

func segment(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// placed is where a text of a request stands.
type placed struct {
	name string
	at   *text
}

// texts are all texts of the request but those in JSON.
func (e *exchange) texts() iter.Seq2[string, []placed] {
	return func(yield func(string, []placed) bool) {
		var path []placed
		for i := range e.path {
			path = append(path, placed{strconv.Itoa(i), &e.path[i]})
		}
		if !yield("path", path) {
			return
		}
		for _, group := range []struct {
			where  string
			fields []field
		}{{"query", e.query}, {"header", e.headers}, {"form", e.body.form}, {"form", e.body.multipart}} {
			var all []placed
			for i := range group.fields {
				all = append(all, placed{group.fields[i].name, &group.fields[i].value})
			}
			if !yield(group.where, all) {
				return
			}
		}
		if e.auth != nil && (!yield("user", []placed{{"user", &e.auth.user}}) ||
			!yield("password", []placed{{"password", &e.auth.password}}) || !yield("bearer", []placed{{"token", &e.auth.bearer}})) {
			return
		}
		yield("body", []placed{{"", &e.body.raw}})
	}
}

// eachLeaf visits the strings and the numbers of JSON, in order.
func eachLeaf(v *any, name string, yield func(slot) bool) bool {
	switch was := (*v).(type) {
	case text:
		value, plain := was.plain()
		return !plain || value == "" || yield(slot{where: "json", name: name, value: value, set: func(t text) { *v = t }})
	case json.Number:
		return yield(slot{where: "json", name: name, value: was.String(), number: true, set: func(t text) { *v = number{t} }})
	case []any:
		for i := range was {
			if !eachLeaf(&was[i], name, yield) {
				return false
			}
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(was)) {
			item := was[key]
			more := eachLeaf(&item, key, yield)
			was[key] = item
			if !more {
				return false
			}
		}
	}
	return true
}

// number is a number of JSON that is filled in.
type number struct{ text }

// target is the path as the name of a step has it.
func (e *exchange) target() string {
	var b strings.Builder
	for _, s := range e.path {
		b.WriteString("/" + s.title())
	}
	return b.String()
}

// eachText replaces the texts in JSON.
func eachText(v *any, name string, replaced func(name string, t text) text) {
	switch was := (*v).(type) {
	case text:
		*v = replaced(name, was)
	case []any:
		for i := range was {
			eachText(&was[i], name, replaced)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(was)) {
			item := was[key]
			eachText(&item, key, replaced)
			was[key] = item
		}
	}
}

// leaves is JSON whose strings are texts.
func leaves(v any) any {
	switch v := v.(type) {
	case string:
		return text{{literal: v}}
	case []any:
		for i := range v {
			v[i] = leaves(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = leaves(v[key])
		}
	}
	return v
}
