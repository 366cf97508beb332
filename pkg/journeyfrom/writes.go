package journeyfrom

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// written is the ID of something that a response says was written.
type written struct {
	at    int
	id    string
	place probe.Capture // in the response
}

// findWrites finds the step that writes something that a later step looks up: the last
// one. Others that may be writes get a comment.
func (i *importer) findWrites() {
	maybe := map[*exchange]string{} // where the IDs of other writes are
	for at, e := range slices.Backward(i.exchanges) {
		ids := i.idsOf(at, e)
		for _, w := range ids {
			looked := i.lookedUp(w)
			if looked == nil {
				continue
			}
			e.acknowledges = i.acknowledges(e, w)
			i.setConfirm(e, looked, w)
			e.comment("The response acknowledges a write: after the repair, confirm looks it up again.")
			return
		}
		if len(ids) > 0 && ids[0].place.JSON != "" {
			maybe[e] = ids[0].place.JSON
		}
	}
	for e, place := range maybe {
		e.comment("If this is a write that must not be lost: add acknowledges: %s, and confirm: with the request that looks it up.", i.secrets.clean(place))
	}
}

// idsOf are the IDs that a response to a write has, and that no request before had.
func (i *importer) idsOf(at int, e *exchange) (all []written) {
	r := e.response
	if r == nil || e.method == http.MethodGet || e.method == http.MethodHead || e.method == http.MethodDelete || r.status >= 400 || e.isLogin() {
		return nil
	}
	s := i.newSources()
	s.learn(e, at)
	for value, from := range s.byValue {
		for _, one := range from {
			isOne := one.kind == ofJSON && isIDName(one.name) || one.kind == ofHeader && one.capture.Header == "Location"
			if isOne && isID(value) && !isName(one.name) && len(value) < maxName && !i.sentBefore(at, value) {
				all = append(all, written{at: at, id: value, place: one.capture})
			}
		}
	}
	slices.SortFunc(all, func(a, b written) int {
		return cmp.Or(strings.Compare(a.place.Header, b.place.Header), len(a.place.JSON)-len(b.place.JSON), strings.Compare(a.place.JSON, b.place.JSON), strings.Compare(a.id, b.id))
	})
	return all
}

// isLogin reports whether a request sends a password or asks for a token.
func (e *exchange) isLogin() bool {
	for one := range e.slots() {
		if one.where != "path" && strings.Contains(strings.ToLower(one.name), "passw") {
			return true
		}
	}
	return e.body.isJSON && hasKey(e.body.json, "password")
}

func hasKey(v any, key string) bool {
	m, ok := v.(map[string]any)
	_, has := m[key]
	return ok && has
}

// sentBefore reports whether a value is in an earlier address or an earlier response.
func (i *importer) sentBefore(at int, value string) bool {
	for _, e := range i.exchanges[:at] {
		if slices.Contains(strings.Split(e.response.url.Path, "/"), value) {
			return true
		}
	}
	return slices.Contains(strings.Split(i.exchanges[at].response.url.Path, "/"), value) && i.exchanges[at].follow == 0
}

// lookedUp is the first request after a write that asks for what was written.
func (i *importer) lookedUp(w written) *exchange {
	for _, e := range i.exchanges[w.at+1:] {
		u := e.response.url
		if e.method != http.MethodGet || e.follow > 0 || e.response.status != http.StatusOK {
			continue
		}
		if slices.Contains(strings.Split(u.Path, "/"), w.id) {
			return e
		}
		for name, values := range u.Query() {
			if isIDName(name) && slices.Contains(values, w.id) {
				return e
			}
		}
	}
	return nil
}

// acknowledges is the ID as a step says it.
func (i *importer) acknowledges(e *exchange, w written) string {
	if w.place.JSON != "" {
		return w.place.JSON
	}
	return "{{." + i.capture(e, "written", w.place) + "}}"
}

// setConfirm makes the look-up of a write from the request that asked for it: with the
// session of the user, whose cookies the look-up does not have by itself.
func (i *importer) setConfirm(ack, looked *exchange, w written) {
	confirm := *looked
	confirm.captures, confirm.comments, confirm.name = nil, nil, ""
	confirm.path, confirm.query, confirm.headers = slices.Clone(looked.path), slices.Clone(looked.query), slices.Clone(looked.headers)
	segments := strings.Split(strings.TrimPrefix(looked.response.url.EscapedPath(), "/"), "/")
	prefix := len(segments) - len(confirm.path) // of the entry
	for n, original := range segments {
		if n >= prefix && segment(original) == w.id {
			confirm.path[n-prefix] = action(".id")
		}
	}
	for n, f := range confirm.query {
		if looked.response.url.Query().Get(f.name) == w.id {
			confirm.query[n].value = action(".id")
		}
	}
	sent := map[string]bool{}
	for _, c := range ack.cookies {
		sent[c.Name] = true
	}
	var header text
	for _, c := range looked.cookies {
		if !sent[c.Name] || !i.isSet(c.Name, w.at) || isVisitors(c.Name) {
			continue
		}
		name := i.capture(ack, identifier(snake(c.Name)), probe.Capture{Cookie: c.Name})
		header = withCookie(header, c.Name, action("."+name))
	}
	if len(header) > 0 {
		confirm.headers = append(confirm.headers, field{name: "Cookie", value: header})
		confirm.comment("The look-up has no cookies of its own: it uses those of the user's session.")
	}
	i.confirm = &confirm
}

// isSet reports whether a response up to a step sets a cookie.
func (i *importer) isSet(cookie string, at int) bool {
	for _, e := range i.exchanges[:at+1] {
		for _, r := range append(slices.Clip(e.hops), e.response) {
			if slices.ContainsFunc(r.cookies, func(c *http.Cookie) bool { return c.Name == cookie }) {
				return true
			}
		}
	}
	return false
}

// withCookie is a Cookie header with one more cookie.
func withCookie(header text, name string, value text) text {
	if len(header) > 0 {
		header = append(header, literal("; ")...)
	}
	return append(append(header, literal(name+"=")...), value...)
}

// jsonNumber is a number as a journey's json can hold it, exactly.
func jsonNumber(n json.Number) (any, bool) {
	if v, err := n.Int64(); err == nil {
		return v, true
	}
	if v, err := strconv.ParseUint(n.String(), 10, 64); err == nil {
		return v, true
	}
	v, err := n.Float64()
	if err != nil {
		return nil, false
	}
	data, err := json.Marshal(v)
	return v, err == nil && string(data) == n.String()
}
