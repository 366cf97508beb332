package journeyfrom

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// MaxRecording is the size of the largest recording, in bytes.
const MaxRecording = 256 << 20

// maxEntry is the size of the largest entry of a recording, in bytes.
const maxEntry = 64 << 20

// maxBodies is how much of all recorded responses is kept in memory, in bytes.
const maxBodies = 128 << 20

// named is a header, a cookie or a parameter in a recording.
type named struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// entry is a request and its response in a recording (HAR 1.1 and 1.2), with the fields
// that Chromium adds.
type entry struct {
	Time    float64 `json:"time"` // in milliseconds
	Request struct {
		Method  string  `json:"method"`
		URL     string  `json:"url"`
		Headers []named `json:"headers"`
		Cookies []named `json:"cookies"`
		Post    *struct {
			Kind   string `json:"mimeType"`
			Text   string `json:"text"`
			Params []struct {
				named
				File string `json:"fileName"`
				Kind string `json:"contentType"`
			} `json:"params"`
		} `json:"postData"`
	} `json:"request"`
	Response struct {
		Status  int     `json:"status"`
		Headers []named `json:"headers"`
		Cookies []named `json:"cookies"`
		Content struct {
			Kind     string `json:"mimeType"`
			Text     string `json:"text"`
			Encoding string `json:"encoding"`
		} `json:"content"`
		Redirect string `json:"redirectURL"`
	} `json:"response"`
	Resource  string `json:"_resourceType"`
	FromCache any    `json:"_fromCache"`
}

// readHAR reads the entries of a recording one after the other. on is called with each.
func readHAR(in io.Reader, on func(i int, e *entry) error) error {
	limited := &bounded.Reader{From: &whole{in, MaxRecording}, Most: maxEntry}
	d := json.NewDecoder(bufio.NewReaderSize(limited, 64<<10))
	found := false
	err := object(d, "", func(key string) error {
		if key != "log" {
			return skip(d, key)
		}
		return object(d, "log", func(key string) error {
			if key != "entries" {
				limited.Next()
				return skip(d, "log."+key)
			}
			found = true
			return list(d, "log.entries", func(i int) error {
				limited.Next()
				var e entry
				if err := d.Decode(&e); err != nil {
					return wrong(d, fmt.Sprintf("log.entries[%d]", i), err)
				}
				return on(i, &e)
			})
		})
	})
	if err == nil && !found {
		return errors.New("log.entries: found none, expected the requests of a recording")
	}
	return err
}

// header are headers as net/http has them. Chromium writes several of one name in lines.
func header(all []named) http.Header {
	h := http.Header{}
	for _, one := range all {
		for value := range strings.SplitSeq(one.Value, "\n") {
			h.Add(one.Name, value)
		}
	}
	return h
}

// exchange is the entry as an exchange. room is how much of bodies can still be kept.
func (e *entry) exchange(u *url.URL, room *int64) *exchange {
	h := header(e.Request.Headers)
	x := &exchange{
		method: strings.ToUpper(e.Request.Method),
		took:   time.Duration(min(max(e.Time, 0), 3.6e6) * float64(time.Millisecond)),
	}
	x.cookies = (&http.Request{Header: h}).Cookies()
	if len(x.cookies) == 0 {
		for _, c := range e.Request.Cookies {
			x.cookies = append(x.cookies, &http.Cookie{Name: c.Name, Value: c.Value}) //nolint:gosec // G124: it was recorded, and is sent to no client
		}
	}
	x.response = e.response(u, room)
	if x.method != http.MethodGet && x.method != http.MethodHead {
		e.readBody(x, h)
	}
	x.setHeaders(h)
	return x
}

func (e *entry) response(u *url.URL, room *int64) *response {
	h := header(e.Response.Headers)
	r := &response{status: e.Response.Status, header: h, url: u, cookies: (&http.Response{Header: h}).Cookies()}
	if len(r.cookies) == 0 {
		for _, c := range e.Response.Cookies {
			r.cookies = append(r.cookies, &http.Cookie{Name: c.Name, Value: c.Value}) //nolint:gosec // G124: it was recorded, and is sent to no client
		}
	}
	if h.Get("Location") == "" && e.Response.Redirect != "" {
		h.Set("Location", e.Response.Redirect)
	}
	r.kind = mediaType(e.Response.Content.Kind)
	if r.kind == "" || r.kind == "x-unknown" {
		r.kind = mediaType(h.Get("Content-Type"))
	}
	if content := e.content(); int64(len(content)) <= min(*room, probe.MaxKept) {
		*room -= int64(len(content))
		r.body = []byte(content)
	}
	return r
}

// content is the body of the response; "" if it cannot be read.
func (e *entry) content() string {
	content := e.Response.Content
	if content.Encoding != "base64" {
		return content.Text
	}
	plain, err := base64.StdEncoding.DecodeString(content.Text)
	if err != nil {
		return ""
	}
	return string(plain)
}

func mediaType(header string) string {
	kind, _, err := mime.ParseMediaType(header)
	if err != nil {
		kind, _, _ = strings.Cut(header, ";")
	}
	if kind = strings.ToLower(strings.TrimSpace(kind)); !isPlain(kind) {
		return ""
	}
	return kind
}

// readBody reads what the request sent.
func (e *entry) readBody(x *exchange, h http.Header) {
	post := e.Request.Post
	if post == nil {
		return
	}
	kind := h.Get("Content-Type")
	if kind == "" {
		kind = post.Kind
	}
	if post.Text != "" || len(post.Params) == 0 {
		x.setBody(kind, []byte(post.Text))
		return
	}
	fields := make([]field, 0, len(post.Params))
	for _, p := range post.Params {
		f := field{name: p.Name, value: literal(p.Value)}
		if p.File != "" {
			f.value, f.file = nil, &file{name: p.File, kind: p.Kind}
			if p.Value != "" {
				f.file.content = []byte(p.Value)
			}
		}
		fields = append(fields, f)
	}
	if mediaType(kind) == "multipart/form-data" {
		x.body.multipart = fields
	} else {
		x.body.form = fields
	}
}
