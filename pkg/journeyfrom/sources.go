package journeyfrom

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// kinds of sources, the most reliable first.
const (
	ofField  = iota // an input of a form
	ofMeta          // a meta element
	ofJSON          // a value of JSON
	ofHeader        // a response header
	ofCookie        // a cookie that a response sets
	ofLink          // a part of the address of a link
	ofText          // a match in the body
)

// source is where a recorded response has a value.
type source struct {
	at      int // the index of the exchange
	kind    int
	name    string
	written bool // the request was no GET: what is new in its response was made by it
	capture probe.Capture
}

// sources are the values of the responses so far.
type sources struct {
	*importer

	byValue map[string][]source
	sent    map[string]bool // values that earlier requests sent, and that no response had
	page    string          // the first page: what it has is often the same for all users
}

func (i *importer) newSources() *sources {
	return &sources{importer: i, byValue: map[string][]source{}, sent: map[string]bool{}}
}

// add adds a value, unless the place itself has a secret in its name.
func (s *sources) add(value string, from source) {
	c := from.capture
	place := c.JSON + c.CSS + c.Regexp + c.Header + c.Cookie
	if value == "" || len(value) > maxValue || !isPlain(place) || s.secrets.clean(place) != place {
		return
	}
	s.byValue[value] = append(s.byValue[value], from)
}

// maxValue is the length of the longest value that is captured, in bytes.
const maxValue = 8 << 10

// minValue is the length of the shortest value that is captured without other signs that
// it recurs, in bytes.
const minValue = 6

// words matches values that are words, which recur by chance.
var words = regexp.MustCompile(`^[A-Za-z]?[a-z]*(?:[-_ .,/][A-Za-z]?[a-z]*)*$`)

// id matches values that name one thing: numbers, UUIDs and such.
var id = regexp.MustCompile(`^(?:[0-9]+|[0-9a-fA-F]{8,}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|[\w.~-]*[0-9][\w.~-]*[0-9][\w.~-]*)$`)

// isID reports whether a value looks like the ID of one thing.
func isID(v string) bool {
	if !id.MatchString(v) {
		return false
	}
	_, err := strconv.ParseUint(v, 10, 64)
	return err == nil || len(v) >= minValue && !words.MatchString(v)
}

// find finds the source of a value that a request sends.
func (s *sources) find(one slot) (source, bool) {
	v := one.value
	if s.sent[v] || strings.Contains(strings.ToLower(one.name), "passw") {
		return source{}, false
	}
	found := slices.Clone(s.byValue[v])
	found = slices.DeleteFunc(found, func(c source) bool { return !s.fits(one, c) })
	if len(found) == 0 {
		return source{}, false
	}
	return slices.MinFunc(found, func(a, b source) int {
		return cmp.Or(unlike(a.name, one.name)-unlike(b.name, one.name), a.kind-b.kind, a.at-b.at)
	}), true
}

// fits reports whether it is no accident that a response has what a request sends.
func (s *sources) fits(one slot, c source) bool {
	same := unlike(c.name, one.name) == 0
	switch v := one.value; {
	case same && isName(one.name) && (c.kind == ofField || c.kind == ofMeta):
		return true // a form sends its own token, however short it is
	case len(v) < minValue:
		return c.written && isID(v) && c.kind <= ofHeader && (isIDName(c.name) || c.kind == ofHeader) && one.where != "header"
	case words.MatchString(v):
		return same && isName(one.name)
	case c.kind == ofJSON || c.kind == ofLink:
		return c.kind == ofJSON && isName(c.name) || !strings.Contains(s.page, v)
	}
	return true
}

// isIDName reports whether a name is that of an ID.
func isIDName(name string) bool {
	name = snake(name)
	return slices.Contains([]string{"id", "uuid", "number", "no", "ref", "reference", "key", "code"}, name[strings.LastIndexByte(name, '_')+1:])
}

// unlike is 0 for names that mean the same, else 1.
func unlike(a, b string) int {
	plain := func(s string) string { return others.ReplaceAllString(strings.ToLower(s), "") }
	if plain(a) == plain(b) {
		return 0
	}
	return 1
}

// fill replaces the values of a request that earlier responses had, and then adds what
// its own response has.
func (s *sources) fill(at int) {
	e := s.exchanges[at]
	var literals []string
	for one := range e.slots() {
		from, ok := s.find(one)
		if !ok {
			from, ok = s.search(s.exchanges[:at], one)
		}
		if !ok {
			literals = append(literals, one.value)
			continue
		}
		made := s.exchanges[from.at]
		one.set(action("." + s.capture(made, made.nameOf(from.name), from.capture)))
	}
	for _, v := range literals {
		s.sent[v] = true
	}
	s.learn(e, at)
}

// capture is the name under which a step captures a value: base, with a number if another
// step has that name.
func (i *importer) capture(e *exchange, base string, c probe.Capture) string {
	for name, was := range e.captures {
		if was == c {
			return name
		}
	}
	name := base
	for n := 2; i.isTaken(name); n++ {
		name = base + "_" + strconv.Itoa(n)
	}
	if e.captures == nil {
		e.captures = map[string]probe.Capture{}
	}
	e.captures[name] = c
	return name
}

// isTaken reports whether a name of a value is gameday's own, or that of a captured value.
func (i *importer) isTaken(name string) bool {
	return name == "id" || name == "seq" || slices.ContainsFunc(i.exchanges, func(e *exchange) bool {
		_, has := e.captures[name]
		return has
	})
}

// nameOf is a name for a value of the response, which is not just that of each ID.
func (e *exchange) nameOf(field string) string {
	base := identifier(snake(field))
	if slices.Contains([]string{"id", "uuid", "number", "location", "key", "code", "value", "content"}, base) {
		base = identifier(singular(e.collection()) + "_" + strings.Replace(base, "location", "id", 1))
	}
	return base
}

// collection is the last segment of the path that is a word.
func (e *exchange) collection() string {
	for _, t := range slices.Backward(e.path) {
		if v, plain := t.plain(); plain && words.MatchString(v) && v != "" {
			return v
		}
	}
	return "response"
}

func singular(word string) string {
	word = strings.ToLower(word)
	if stem, ok := strings.CutSuffix(word, "ies"); ok {
		return stem + "y"
	}
	if strings.HasSuffix(word, "ss") {
		return word
	}
	return strings.TrimSuffix(word, "s")
}

// before matches what names a value in a script.
var before = regexp.MustCompile(`["']?[\w.-]{2,40}["']?[ \t]*[:=][ \t]*["']$`)

// search looks for a value in the bodies of earlier responses, such as a token in a
// script of a page.
func (s *sources) search(earlier []*exchange, one slot) (source, bool) {
	v := one.value
	if len(v) < minValue || s.sent[v] || words.MatchString(v) || isName(one.name) && strings.Contains(strings.ToLower(one.name), "passw") {
		return source{}, false
	}
	if !isName(one.name) && (!isID(v) || len(v) < minToken) {
		return source{}, false
	}
	for i, e := range slices.Backward(earlier) {
		if e.response == nil || e.response.kind == "application/json" {
			continue
		}
		body := string(e.response.body)
		at := strings.Index(body, v)
		if at < 0 {
			continue
		}
		context := before.FindString(body[max(0, at-80):at])
		if context == "" || s.secrets.clean(context) != context {
			continue
		}
		quote := context[len(context)-1:]
		c := probe.Capture{Regexp: regexp.QuoteMeta(context) + "([^" + quote + "]+)"}
		if found := regexp.MustCompile(c.Regexp).FindStringSubmatch(body); found != nil && found[1] == v {
			return source{at: i, kind: ofText, name: strings.Trim(context, `"':= `), capture: c}, true
		}
	}
	return source{}, false
}

// minToken is the length of the shortest value that is looked for in scripts, in bytes.
const minToken = 16
