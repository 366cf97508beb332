package journeyfrom

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// maxParts is how many parts of a form are read.
const maxParts = 200

// setBody reads a body by its content type.
func (e *exchange) setBody(kind string, data []byte) {
	if len(data) == 0 {
		return
	}
	media, params, err := mime.ParseMediaType(kind)
	switch {
	case err != nil:
	case isJSON(media):
		if v, err := decoded(data); err == nil && v != nil {
			e.body = body{json: leaves(v), isJSON: true, kind: media}
			return
		}
	case media == "application/x-www-form-urlencoded":
		if fields, bare := parameters(string(data)); !bare && len(fields) > 0 {
			e.body = body{form: fields}
			return
		}
	case media == "multipart/form-data":
		if fields, err := parts(data, params["boundary"]); err == nil && len(fields) > 0 {
			e.body = body{multipart: fields}
			return
		}
	}
	e.body = body{raw: literal(string(data)), kind: kind}
}

// parts reads a form with files.
func parts(data []byte, boundary string) (fields []field, err error) {
	r := multipart.NewReader(bytes.NewReader(data), boundary)
	for len(fields) < maxParts {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		f := field{name: p.FormName(), value: literal(string(content))}
		if name := p.FileName(); name != "" {
			f.value, f.file = nil, &file{name: name, kind: p.Header.Get("Content-Type"), content: content}
		}
		fields = append(fields, f)
	}
	return nil, errors.New("found too many parts")
}

// browser matches headers that a browser or a proxy adds by itself.
var browser = regexp.MustCompile(`(?i)^(?::.*|accept-(?:encoding|language|charset)|cache-control|connection|content-(?:length|type|encoding)|` +
	`cookie|dnt|expect|forwarded|host|if-.*|keep-alive|origin|pragma|priority|proxy-.*|purpose|range|referer|save-data|sec-.*|te|trailer|` +
	`transfer-encoding|upgrade(?:-.*)?|user-agent|via|x-client-data|x-forwarded-.*|x-real-ip|x-request-id|x-correlation-id|x-amzn-.*|` +
	`traceparent|tracestate|baggage|sentry-trace|x-datadog-.*|x-b3-.*|b3|newrelic|x-newrelic-.*|postman-token|device-memory|dpr|downlink|rtt|viewport-width)$`)

// setHeaders takes the headers that matter to the system.
func (e *exchange) setHeaders(h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		value := h.Get(name)
		switch {
		case strings.EqualFold(name, "Authorization"):
			e.setAuth(value)
		case strings.EqualFold(name, "Accept"):
			if accept, _, _ := strings.Cut(value, ","); isJSON(mediaType(accept)) {
				e.headers = append(e.headers, field{name: "Accept", value: literal(mediaType(accept))})
			}
		case browser.MatchString(name) || !headerName.MatchString(name):
		default:
			e.headers = append(e.headers, field{name: name, value: literal(value)})
		}
	}
}

var headerName = regexp.MustCompile(`^[\w!#$%&'*+.^|~-]+$`)

// setAuth takes the Authorization header.
func (e *exchange) setAuth(value string) {
	scheme, rest, _ := strings.Cut(value, " ")
	switch strings.ToLower(scheme) {
	case "bearer":
		e.auth = &auth{bearer: literal(rest)}
		return
	case "basic":
		if plain, err := base64.StdEncoding.DecodeString(rest); err == nil {
			if user, password, ok := strings.Cut(string(plain), ":"); ok {
				e.auth = &auth{basic: true, user: literal(user), password: literal(password)}
				return
			}
		}
	}
	if value != "" {
		e.headers = append(e.headers, field{name: "Authorization", value: literal(value)})
	}
}
