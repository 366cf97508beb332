package journeyfrom

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// importer is one import.
type importer struct {
	options   Options
	secrets   *secrets
	exchanges []*exchange
	wanted    *url.URL // the base URL that a person gives; nil for that of the source
	entry     *url.URL // the base URL of the system in the source
	left      left
	marks     marks
	gzip      bool
	follow    int // redirects in each step
	notes     []string
	let       map[string]string
	confirm   *exchange
	confirmed string // the name of the ID that confirm looks up, of OpenAPI
	files     map[string][]byte
}

// topKeys are the keys of the object with which a text begins, as far as it goes.
func topKeys(text string) (keys []string) {
	d := json.NewDecoder(strings.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for {
		key, err := d.Token()
		name, ok := key.(string)
		if err != nil || !ok {
			return keys
		}
		keys = append(keys, name)
		var ignored json.RawMessage
		if d.Decode(&ignored) != nil {
			return keys
		}
	}
}

// readHAR reads a browser's recording.
func (i *importer) readHAR(in io.Reader) error {
	room := int64(maxBodies)
	var all []*exchange
	err := readHAR(in, func(n int, e *entry) error {
		u, err := url.Parse(e.Request.URL)
		if err != nil {
			return fmt.Errorf("log.entries[%d].request.url: found no URL", n)
		}
		i.secrets.learnEntry(e, u)
		if reason := e.noise(u); reason != "" {
			i.left.out(reason, u.Path)
			return nil
		}
		u.Fragment, u.RawFragment = "", ""
		if len(all) >= maxRequests {
			return fmt.Errorf("log.entries[%d]: found more than %d requests: record only the journey", n, maxRequests)
		}
		all = append(all, e.exchange(u, &room))
		return nil
	})
	if err != nil {
		return err
	}
	i.chooseEntry(all)
	all = slices.DeleteFunc(all, i.isForeign)
	all = i.withoutRepeats(all)
	i.checkCookies(all)
	for _, e := range all {
		e.setTarget(e.response.url, strings.TrimRight(i.entryPath(), "/"))
		if u := e.response.url.User; u != nil && e.auth == nil {
			password, _ := u.Password()
			e.auth = &auth{basic: true, user: literal(u.Username()), password: literal(password)}
		}
	}
	i.exchanges = fold(all)
	found := i.newSources()
	for n, e := range i.exchanges {
		if e.response.isRedirect() {
			i.commentRedirect(e)
		}
		found.fill(n)
	}
	i.findWrites()
	return nil
}

// maxRequests is how many requests of a recording can be steps.
const maxRequests = 500

// chooseEntry finds the base URL of the system: what a person says, or the site of the
// first page.
func (i *importer) chooseEntry(all []*exchange) {
	if len(all) == 0 {
		return
	}
	first := slices.IndexFunc(all, func(e *exchange) bool {
		return !e.response.isRedirect() && (e.response.kind == "text/html" || isJSON(e.response.kind))
	})
	i.setEntry(all[max(first, 0)].response.url)
}

// setEntry sets the base URL: to what a person says, or to the site of a URL.
func (i *importer) setEntry(u *url.URL) {
	if i.entry = i.wanted; i.entry == nil {
		i.entry = &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
}

func (i *importer) entryPath() string {
	if i.entry == nil {
		return ""
	}
	return i.entry.EscapedPath()
}

// isForeign reports whether a request goes to another site than the entry's, and says so.
func (i *importer) isForeign(e *exchange) bool {
	u := e.response.url
	if site(u) == site(i.entry) && strings.HasPrefix(u.EscapedPath(), strings.TrimRight(i.entryPath(), "/")) {
		return false
	}
	i.left.out("requests to other sites than "+i.entry.Host+" (--entry imports another one)", u.Host)
	return true
}

// commentRedirect says why a redirect is a step of its own.
func (i *importer) commentRedirect(e *exchange) {
	next := e.response.next()
	if next == nil || site(next) != site(i.entry) {
		e.comment("The response redirects to another site, which is left out.")
		return
	}
	e.comment("The redirect is not followed here: what comes next is the next step.")
}

// withoutRepeats leaves out requests that a page repeated while it waited.
func (i *importer) withoutRepeats(all []*exchange) (kept []*exchange) {
	for _, e := range all {
		if n := len(kept); n > 0 && e.method == http.MethodGet && kept[n-1].method == e.method &&
			!e.response.isRedirect() && e.response.kind != "text/html" && sameTarget(e.response.url, kept[n-1].response.url) {
			i.left.out("requests that only repeat the one before", e.response.url.Path)
			kept[n-1].comment("The page sent this request several times. If it waited for a result, add poll:.")
			kept[n-1].response = e.response
			continue
		}
		kept = append(kept, e)
	}
	return kept
}

// isVisitors reports whether a cookie is one of those that count visitors, which no system needs.
func isVisitors(cookie string) bool {
	return slices.ContainsFunc([]string{"_ga", "_gid", "_gat", "_gcl", "_fbp", "_hj", "_pk_", "__utm", "_cl", "ajs_", "amplitude", "intercom", "optimizely", "mp_"}, func(prefix string) bool {
		return strings.HasPrefix(cookie, prefix)
	})
}

// checkCookies says which cookies were there before the recording.
func (i *importer) checkCookies(all []*exchange) {
	set := map[string]bool{}
	var before []string
	for _, e := range all {
		for _, c := range e.cookies {
			if !set[c.Name] && !isVisitors(c.Name) {
				set[c.Name] = true
				before = append(before, c.Name)
			}
		}
		for _, c := range e.response.cookies {
			set[c.Name] = true
		}
	}
	if len(before) > 0 && len(all) > 0 {
		names := strings.Join(before, ", ")
		all[0].comment("No response of the recording sets these cookies: %s. If a step needs one, record again in a private window.", names)
		i.notes = append(i.notes, "no response of the recording sets the cookies "+names+": if a step needs one, record again in a private window")
	}
}

// learnEntry remembers the secrets of an entry, whether it becomes a step or not.
func (s *secrets) learnEntry(e *entry, u *url.URL) {
	if password, ok := u.User.Password(); ok {
		s.learn("password", password)
	}
	fields, _ := parameters(u.RawQuery)
	h := header(e.Request.Headers)
	x := &exchange{body: body{}}
	e.readBody(x, h)
	x.setHeaders(h)
	x.query = fields
	for one := range x.slots() {
		s.learn(one.name, one.value)
		if one.where == "password" || one.where == "bearer" {
			s.known[one.value] = one.name
		}
	}
	answered := header(e.Response.Headers)
	for _, c := range slices.Concat((&http.Request{Header: h}).Cookies(), (&http.Response{Header: answered}).Cookies()) {
		s.learnCookie(c.Name, c.Value)
	}
	for _, c := range slices.Concat(e.Request.Cookies, e.Response.Cookies) {
		s.learnCookie(c.Name, c.Value)
	}
	for _, name := range slices.Sorted(maps.Keys(answered)) {
		s.learn(name, answered.Get(name))
	}
	if content := e.content(); isJSON(mediaType(e.Response.Content.Kind)) && len(content) <= probe.MaxKept {
		if v, err := decoded([]byte(content)); err == nil {
			v = leaves(v)
			eachLeaf(&v, "", func(one slot) bool { s.learn(one.name, one.value); return true })
		}
	}
}

// learnCookie remembers the value of a cookie: it may be a session.
func (s *secrets) learnCookie(name, value string) {
	if isName(name) || len(value) >= 8 && isID(value) || len(value) >= minToken {
		s.known[value] = name
	}
}
