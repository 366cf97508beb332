package journeyfrom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// maxTitle is the length of the longest name of a step, in characters.
const maxTitle = 60

// journey builds the journey, and the comments above its steps.
func (i *importer) journey() (j probe.Journey, comments map[string][]string) {
	comments = map[string][]string{}
	j = probe.Journey{Version: 1, Name: i.options.Name, Follow: i.follow, Gzip: i.gzip, Let: i.let}
	var took time.Duration
	titles := map[string]int{}
	for n, e := range i.exchanges {
		s := i.step(e)
		s.Name = i.title(e, titles)
		s.Capture = e.captures
		s.Acknowledges = e.acknowledges
		j.Steps = append(j.Steps, s)
		took += e.took
		comments[fmt.Sprintf("$.steps[%d]", n)] = e.comments
	}
	if i.confirm != nil {
		s := i.step(i.confirm)
		s.Follow, s.Expect.CSS, s.Pause = nil, nil, 0
		j.Confirm = &s
		comments["$.confirm"] = i.confirm.comments
	}
	if limit := (3 * took).Round(time.Second); limit > probe.DefaultTimeout {
		j.Timeout = min(limit, maxTimeout)
		comments["$.timeout"] = []string{"Three times what the recording took. Users who wait longer have given up."}
	}
	return j, comments
}

// maxTimeout is the longest timeout that an import sets.
const maxTimeout = time.Minute

// title is a name for a step that no other has.
func (i *importer) title(e *exchange, titles map[string]int) string {
	name := e.name
	if name == "" {
		name = e.method + " " + e.target()
	}
	name = plaintext.OneLine(i.secrets.clean(name), maxTitle)
	if titles[name]++; titles[name] > 1 {
		return name + " (" + strconv.Itoa(titles[name]) + ")"
	}
	return name
}

// step is the step of an exchange.
func (i *importer) step(e *exchange) probe.Step {
	s := probe.Step{Pause: e.pause}
	target := "/" + joined(e.path)
	switch {
	case len(e.query) == 0:
	case e.rawQuery || !unique(e.query):
		target += "?" + encoded(e.query)
	default:
		s.Query = mapping(e.query)
	}
	*map[string]*string{
		http.MethodGet: &s.Get, http.MethodHead: &s.Head, http.MethodPost: &s.Post,
		http.MethodPut: &s.Put, http.MethodPatch: &s.Patch, http.MethodDelete: &s.Delete,
	}[e.method] = target
	s.Headers = i.headers(e)
	if e.auth != nil {
		s.Auth = &probe.Auth{Bearer: e.auth.bearer.template()}
		if e.auth.basic {
			s.Auth = &probe.Auth{Basic: &probe.Basic{User: e.auth.user.template(), Password: e.auth.password.template()}}
		}
		delete(s.Headers, "Authorization")
	}
	i.setBody(e, &s)
	if len(s.Headers) == 0 {
		s.Headers = nil
	}
	if e.follow > 0 || e.hasFollow {
		s.Follow = &e.follow
	}
	s.Expect = i.expect(e)
	return s
}

func joined(segments []text) string {
	all := make([]string, len(segments))
	for n, s := range segments {
		all[n] = s.template()
	}
	return strings.Join(all, "/")
}

func mapping(all []field) map[string]string {
	m := make(map[string]string, len(all))
	for _, f := range all {
		m[f.name] = f.value.template()
	}
	return m
}

// headers are the request's headers, without those that gameday sets itself.
func (i *importer) headers(e *exchange) map[string]string {
	m := map[string]string{}
	for _, f := range e.headers {
		if name := http.CanonicalHeaderKey(f.name); name == "Content-Length" || name == "Transfer-Encoding" || name == "Trailer" {
			continue
		}
		m[http.CanonicalHeaderKey(f.name)] = f.value.template()
	}
	return m
}

// setBody sets the body of a step.
func (i *importer) setBody(e *exchange, s *probe.Step) {
	b := e.body
	kind := b.kind
	switch {
	case b.isJSON:
		if v, ok := plainJSON(b.json); ok {
			s.JSON = v
			if kind == "application/json" {
				kind = ""
			}
		} else {
			s.Body = rawJSON(b.json)
		}
	case len(b.form) > 0 && unique(b.form):
		s.Form, kind = mapping(b.form), ""
	case len(b.form) > 0:
		s.Body, kind = encoded(b.form), "application/x-www-form-urlencoded"
	case len(b.multipart) > 0:
		s.Multipart, kind = i.parts(e), ""
	default:
		s.Body = b.raw.template()
	}
	if kind != "" && (s.Body != "" || s.JSON != nil) {
		s.Headers["Content-Type"] = escaped(kind)
	}
}

// plainJSON is JSON as a journey has it. It cannot have numbers that are filled in.
func plainJSON(v any) (any, bool) {
	switch v := v.(type) {
	case text:
		return v.template(), true
	case number, nil:
		return nil, v == nil
	case json.Number:
		return jsonNumber(v)
	case []any:
		all := make([]any, len(v))
		for n, item := range v {
			one, ok := plainJSON(item)
			if !ok {
				return nil, false
			}
			all[n] = one
		}
		return all, true
	case map[string]any:
		all := make(map[string]any, len(v))
		for key, item := range v {
			one, ok := plainJSON(item)
			if !ok || !isPlain(key) {
				return nil, false
			}
			all[key] = one
		}
		return all, true
	}
	return v, true
}

// rawJSON is JSON as a body of text, in which numbers are filled in.
func rawJSON(v any) string {
	switch v := v.(type) {
	case text:
		return `"` + v.render(func(s string) string { return escaped(strings.Trim(marshaled(s), `"`)) }, func(a string) string { return "{{" + a + "}}" }) + `"`
	case number:
		return v.template()
	case []any:
		all := make([]string, len(v))
		for n, item := range v {
			all[n] = rawJSON(item)
		}
		return "[" + strings.Join(all, ",") + "]"
	case map[string]any:
		var all []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			all = append(all, escaped(marshaled(key))+":"+rawJSON(v[key]))
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	return marshaled(v)
}

func marshaled(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings, numbers, bool and nil
	return strings.TrimSpace(b.String())
}

// parts are the fields of a form with files. A file that the source does not have is made
// up.
func (i *importer) parts(e *exchange) map[string]probe.Part {
	all := map[string]probe.Part{}
	for _, f := range e.body.multipart {
		if f.name == "" || !isPlain(f.name) || f.file == nil && len(f.value) == 0 {
			i.left.out("fields of forms with files that have no plain name or no value", i.secrets.clean(f.name))
			continue
		}
		if _, twice := all[f.name]; twice {
			i.left.out("fields of forms with files that are there more than once", i.secrets.clean(f.name))
			continue
		}
		if f.file == nil {
			all[f.name] = probe.Part{Text: f.value.template()}
			continue
		}
		content := []byte(i.secrets.clean(string(f.file.content)))
		if len(content) == 0 || len(content) > maxFile {
			content = []byte("a file of gameday\n")
			e.comment("The file of the field %s is not in the source: replace what stands beside this journey.", plaintext.OneLine(i.secrets.clean(f.name), maxTitle))
		}
		name := i.options.Name + "-" + fileName(f.name) + fileExtension(f.file.name)
		if i.files == nil {
			i.files = map[string][]byte{}
		}
		for n := 2; i.files[name] != nil && !bytes.Equal(i.files[name], content); n++ {
			name = fmt.Sprintf("%s-%s-%d%s", i.options.Name, fileName(f.name), n, fileExtension(f.file.name))
		}
		i.files[name] = content
		all[f.name] = probe.Part{File: name, Type: mediaType(f.file.kind)}
	}
	return all
}

// maxFile is the size of the largest file of a form, in bytes; see package scenario.
const maxFile = 1 << 20

func fileName(field string) string { return strings.ReplaceAll(identifier(snake(field)), "_", "-") }

// fileExtension is a harmless extension of a file, or none.
func fileExtension(name string) string {
	if ext := strings.ToLower(path.Ext(name)); len(ext) > 1 && len(ext) <= 6 && identifier(ext[1:]) == ext[1:] {
		return ext
	}
	return ""
}

// expect are the assertions of a step: the status, and the title of a page.
func (i *importer) expect(e *exchange) (x probe.Expect) {
	r := e.response
	if r == nil {
		for _, s := range e.status {
			x.Status = append(x.Status, probe.Status(s))
		}
		return x
	}
	x.Status = probe.Codes(r.status)
	if r.status == http.StatusNotModified {
		x.Status = probe.Codes(http.StatusOK)
		e.comment("The browser had this response in its cache. A new user gets all of it.")
	}
	if r.kind == "text/html" && r.status == http.StatusOK {
		if title := i.stableTitle(r); title != "" {
			x.CSS = map[string]any{"title": title}
		}
	}
	return x
}
