package journeyfrom

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// marks stand in a source for what is filled in later: variables of a shell, of Postman,
// of a script. A mark survives the escaping of URLs and of JSON.
type marks []string // actions

var mark = regexp.MustCompile(`gdmark([0-9]+)gdmark`)

// add is the mark of an action.
func (m *marks) add(action string) string {
	i := slices.Index(*m, action)
	if i < 0 {
		i = len(*m)
		*m = append(*m, action)
	}
	return fmt.Sprintf("gdmark%dgdmark", i)
}

// in is a text with its marks replaced.
func (m marks) in(t text) (all text) {
	for _, p := range t {
		if p.action != "" {
			all = append(all, p)
			continue
		}
		done := 0
		for _, at := range mark.FindAllStringSubmatchIndex(p.literal, -1) {
			i, err := strconv.Atoi(p.literal[at[2]:at[3]])
			if err != nil || i >= len(m) {
				continue
			}
			all = append(append(all, literal(p.literal[done:at[0]])...), part{action: m[i]})
			done = at[1]
		}
		all = append(all, literal(p.literal[done:])...)
	}
	return all
}

// plain is a text for a message, without marks.
func (m marks) plain(s string) string { return mark.ReplaceAllString(s, "…") }

// fill replaces the marks of a request.
func (m marks) fill(e *exchange) {
	for _, values := range e.texts() {
		for _, v := range values {
			*v.at = m.in(*v.at)
		}
	}
	if e.body.isJSON {
		eachText(&e.body.json, "", func(_ string, t text) text { return m.in(t) })
	}
	e.name = m.plain(e.name)
}

// address reads the URL of a request. Its base may be a variable, which is the entry of
// the environment.
func (i *importer) address(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	if at := mark.FindStringIndex(raw); at != nil && (at[0] == 0 || strings.HasSuffix(raw[:at[0]], "//")) {
		raw = strings.TrimPrefix(raw[at[1]:], "/")
		if end := strings.IndexAny(raw, "/?"); end > 0 && strings.HasPrefix(raw, ":") {
			raw = strings.TrimPrefix(raw[end:], "/") // a port
		}
		raw = "/" + raw
	} else if !strings.Contains(raw, "://") && !strings.HasPrefix(raw, "/") {
		raw = "http://" + raw
	}
	u, err := url.Parse(strings.ReplaceAll(raw, " ", "%20"))
	switch {
	case err != nil:
		return nil, errors.New("found a URL that cannot be read")
	case u.Host != "" && u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("found the scheme %q, expected http or https", u.Scheme[:min(len(u.Scheme), 20)])
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// direct adds a request of a source without responses. Requests to other sites than the
// first one are left out.
func (i *importer) direct(e *exchange, u *url.URL) {
	if password, ok := u.User.Password(); ok && e.auth == nil {
		i.secrets.learn("password", password)
		e.auth = &auth{basic: true, user: literal(u.User.Username()), password: literal(password)}
	}
	if u.Host != "" {
		if i.entry == nil {
			i.setEntry(u)
		}
		if site(u) != site(i.entry) {
			i.left.out("requests to other sites than "+i.entry.Host+" (--entry imports another one)", u.Host)
			return
		}
	}
	if len(i.exchanges) >= maxRequests {
		i.left.out("requests after the first "+strconv.Itoa(maxRequests), "")
		return
	}
	e.setTarget(u, strings.TrimRight(i.entryPath(), "/"))
	for one := range e.slots() {
		i.secrets.learn(one.name, one.value)
	}
	i.marks.fill(e)
	i.exchanges = append(i.exchanges, e)
}
