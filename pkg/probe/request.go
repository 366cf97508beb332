package probe

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// action matches a part of a template that is replaced by a value.
var action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// CheckPath reports what is wrong with the path of a request, which may be a template.
func CheckPath(path string) error {
	path = withoutTemplates(path)
	switch _, err := url.Parse("http://host" + path); {
	case !strings.HasPrefix(path, "/"):
		return fmt.Errorf("found %q, expected a path that starts with /", path)
	case err != nil:
		return fmt.Errorf("found %q, expected a path without line breaks and other control characters, and with %%25 for %%", path)
	case strings.Contains(path, "#"):
		return fmt.Errorf("found %q, but what follows # is never sent: remove it, or write %%23 for #", path)
	}
	return nil
}

// escaped are variables as they go into a path, or into its query: an ID with a slash, a
// space or a percent sign is that ID, and no other path.
func escaped(vars map[string]any) map[string]any {
	all := make(map[string]any, len(vars))
	for name, v := range vars {
		all[name] = strings.ReplaceAll(url.QueryEscape(text(v)), "+", "%20")
	}
	return all
}

// headerName matches the name of a header: a token of RFC 9110.
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// checkHeaders refuses headers that would not be sent, or not as they are written. It
// does not repeat their values, which may be secret.
func (s Step) checkHeaders(path string, problem func(path, format string, args ...any)) {
	seen := map[string]string{} // by the name that is sent
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		at := path + "." + name
		sent := http.CanonicalHeaderKey(name)
		switch {
		case !headerName.MatchString(name):
			problem(at, "%s: found the header %q, expected letters, digits and hyphens", path, name)
		case sent == "Content-Length" || sent == "Transfer-Encoding" || sent == "Trailer":
			problem(at, "%s: gameday sets this header itself, from the body: remove it", at)
		case seen[sent] != "":
			problem(at, "%s: found %s and %s, which are the same header: remove one", path, seen[sent], name)
		case strings.ContainsFunc(s.Headers[name], isControl):
			problem(at, "%s: found a line break or another control character, expected text on one line", at)
		}
		seen[sent] = name
	}
}

// isControl reports whether a character cannot be part of a header's value.
func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// checkBody refuses two bodies, and credentials in two places.
func (s Step) checkBody(path string, problem problems) {
	var found []string
	for key, set := range map[string]bool{"json": s.JSON != nil, "body": s.Body != "", "form": s.Form != nil, "multipart": s.Multipart != nil} {
		if set {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	if len(found) > 1 {
		problem(path+"."+found[1], "%s: found both %s, expected one of them", path, strings.Join(found, " and "))
	}
	for name, part := range s.Multipart {
		if (part.Text == "") == (part.File == "") {
			at := path + ".multipart." + name
			problem(at, "%s: expected a text, or {file: PATH}", at)
		}
	}
	if s.Auth == nil {
		return
	}
	at := path + ".auth"
	if (s.Auth.Basic == nil) == (s.Auth.Bearer == "") {
		problem(at, "%s: expected one of basic and bearer", at)
	}
	for name := range s.Headers {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			problem(at, "%s: headers has Authorization, too: remove one", at)
		}
	}
}
