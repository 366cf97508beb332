package journeyfrom_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// Each part of a Postman request says what it says to Postman.
func TestPostman(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]func(s probe.Step) bool{
		`"http://a/b?x=1"`:                                func(s probe.Step) bool { return s.Get == "/b" && s.Query["x"] == "1" },
		`{"url": "{{host}}/b"}`:                           func(s probe.Step) bool { return s.Get == "/b" },
		`{"url": {"raw": "http://a/b?x=1"}}`:              func(s probe.Step) bool { return s.Get == "/b" && s.Query["x"] == "1" },
		`{"url": {"raw": "http://a/b?x=1", "query": []}}`: func(s probe.Step) bool { return s.Get == "/b" && len(s.Query) == 0 },
		`{"url": {"raw": "http://a/b?x=1#c", "query": [{"key": "y", "value": 2}, {"key": "z", "value": "3", "disabled": true}]}}`: func(s probe.Step) bool {
			return s.Get == "/b" && s.Query["y"] == "2" && len(s.Query) == 1
		},
		`{"url": {"raw": "http://a/:kind/:id", "variable": [{"key": "kind", "value": "o"}, {"id": "id", "value": "7"}]}}`: func(s probe.Step) bool { return s.Get == "/o/7" },
		`{"method": "delete", "url": "http://a/b"}`:         func(s probe.Step) bool { return s.Delete == "/b" },
		`{"url": "http://a/b", "header": "X-A: b\nX-C: d"}`: func(s probe.Step) bool { return s.Headers["X-A"] == "b" && s.Headers["X-C"] == "d" },
		`{"url": "http://a/b", "header": [{"key": "X-A", "value": "b"}, {"key": "X-C", "value": "d", "disabled": true}]}`: func(s probe.Step) bool {
			return s.Headers["X-A"] == "b" && len(s.Headers) == 1
		},
		`{"url": "http://a/b/{{sku}}"}`:     func(s probe.Step) bool { return s.Get == "/b/{{.sku}}" },
		`{"url": "http://a/b/{{unknown}}"}`: func(s probe.Step) bool { return s.Get == `/b/{{env "X_UNKNOWN"}}` },
		`{"url": "http://a/b?a={{$guid}}&b={{$timestamp}}&c={{$isoTimestamp}}&d={{$randomInt}}&e={{$randomCity}}"}`: func(s probe.Step) bool {
			return s.Query["a"] == "{{uuid}}" && s.Query["b"] == `{{now "unix"}}` && s.Query["c"] == "{{now}}" && s.Query["d"] == "{{random 0 1000}}" && s.Query["e"] == "{{random 8}}"
		},
		`{"method": "POST", "url": "http://a/b", "body": {"mode": "raw", "raw": "{\"a\": 1}"}}`:                                      sends(`{"a":1}`),
		`{"method": "POST", "url": "http://a/b", "body": {"mode": "raw", "raw": "hello", "options": {"raw": {"language": "text"}}}}`: func(s probe.Step) bool { return s.Body == "hello" },
		`{"method": "POST", "url": "http://a/b", "body": {"mode": "urlencoded", "urlencoded": [{"key": "a", "value": "x"}, {"key": "b", "disabled": true}]}}`: func(s probe.Step) bool {
			return s.Form["a"] == "x" && len(s.Form) == 1
		},
		`{"method": "POST", "url": "http://a/b", "body": {"mode": "formdata", "formdata": [{"key": "a", "value": "x"}, {"key": "f", "type": "file", "src": "/home/ann/cat.png"}, {"key": "b", "disabled": true}]}}`: func(s probe.Step) bool {
			return s.Multipart["a"].Text == "x" && s.Multipart["f"].File != "" && len(s.Multipart) == 2
		},
		`{"method": "POST", "url": "http://a/b", "body": {"mode": "graphql", "graphql": {"query": "{ a }"}}}`: sends(`{"query":"{ a }"}`),
		`{"url": "http://a/b", "auth": {"type": "basic", "basic": {"username": "ann", "password": "hunter2hunter"}}}`: func(s probe.Step) bool {
			return s.Auth.Basic.User == "ann" && s.Auth.Basic.Password == `{{env "X_PASSWORD"}}`
		},
		`{"url": "http://a/b", "auth": {"type": "basic", "basic": [{"key": "username", "value": "ann"}]}}`:      func(s probe.Step) bool { return s.Auth.Basic.User == "ann" },
		`{"url": "http://a/b", "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]}}`: func(s probe.Step) bool { return s.Auth.Bearer == `{{env "X_TOKEN"}}` },
		`{"url": "http://a/b", "auth": {"type": "apikey", "apikey": [{"key": "key", "value": "X-Key"}, {"key": "value", "value": "k-12345678"}]}}`: func(s probe.Step) bool {
			return s.Headers["X-Key"] == `{{env "X_KEY"}}`
		},
		`{"url": "http://a/b", "auth": {"type": "apikey", "apikey": [{"key": "key", "value": "k"}, {"key": "value", "value": "k-12345678"}, {"key": "in", "value": "query"}]}}`: func(s probe.Step) bool {
			return len(s.Headers) == 0 && len(s.Query) == 0
		},
		`{"url": "http://a/b", "auth": {"type": "noauth"}}`: func(s probe.Step) bool { return s.Auth == nil },
		`{"url": "http://a/b", "auth": {"type": "hawk"}}`:   func(s probe.Step) bool { return s.Auth == nil },
	} {
		source := `{"info": {"_postman_id": "1"}, "variable": [{"key": "host", "value": "http://a"}, {"key": "sku", "value": "A1"}],
			"item": [{"name": "a", "request": ` + request + `}]}`
		j, r := load(t, source, journeyfrom.Options{Format: journeyfrom.Postman})
		if len(j.Steps) != 1 || !want(j.Steps[0]) {
			t.Errorf("%s:\n%s", request, r.Journey)
		}
		if text := string(r.Journey); strings.Contains(text, "hunter2") || strings.Contains(text, "k-12345678") || strings.Contains(text, "/home/ann") {
			t.Errorf("%s: a secret is in the journey:\n%s", request, text)
		}
	}
}

// The kind of credentials of a folder holds for its requests, unless they have their own.
func TestInheritedCredentialsOfPostman(t *testing.T) {
	t.Parallel()
	j, r := load(t, `{"auth": {"type": "bearer", "bearer": {"token": "{{all}}"}}, "item": [
		{"name": "a", "request": {"url": "http://a/a"}},
		{"name": "folder", "auth": {"type": "bearer", "bearer": {"token": "{{folder}}"}}, "item": [
			{"name": "b", "request": {"url": "http://a/b"}},
			{"name": "c", "request": {"url": "http://a/c", "auth": {"type": "noauth"}}},
			{"name": "d", "disabled": true, "request": {"url": "http://a/d"}}]},
		{"name": "e", "request": {"method": "PROPFIND", "url": "http://a/e"}},
		{"name": "f", "request": {"url": "http://a/f"}}]}`, journeyfrom.Options{Format: journeyfrom.Postman})
	var found []string
	for _, s := range j.Steps {
		bearer := "none"
		if s.Auth != nil {
			bearer = s.Auth.Bearer
		}
		found = append(found, s.Get+" "+bearer)
	}
	const want = `/a {{env "X_ALL"}}, /b {{env "X_FOLDER"}}, /c none, /f {{env "X_ALL"}}`
	if got := strings.Join(found, ", "); got != want {
		t.Errorf("found %s, expected %s\n%s", got, want, r.Journey)
	}
}

// A script that sets a variable is named where it stood, and the variable is no constant.
func TestScriptsOfPostman(t *testing.T) {
	t.Parallel()
	_, r := load(t, `{"variable": [{"key": "cart", "value": "old"}], "item": [
		{"name": "a", "event": [{"listen": "test", "script": {"exec": ["const j = pm.response.json();", "pm.collectionVariables.set('cart', j.id)"]}}, {"listen": "prerequest", "script": {"exec": ""}}],
		 "request": {"url": "http://a/a"}},
		{"name": "b", "request": {"url": "http://a/b/{{cart}}"}}]}`, journeyfrom.Options{Format: journeyfrom.Postman})
	text := string(r.Journey)
	if !strings.Contains(text, "A script of Postman sets cart here.") || strings.Contains(text, "old") {
		t.Errorf("found:\n%s", text)
	}
}
