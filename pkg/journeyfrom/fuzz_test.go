package journeyfrom_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
)

// fuzz expects each source to become a journey that reads as it was made, or an error
// about the source.
func fuzz(f *testing.F, format journeyfrom.Format, seeds ...string) {
	f.Helper()
	data, err := os.ReadFile("testdata/" + string(format) + ".source")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := journeyfrom.Import(bytes.NewReader(data), journeyfrom.Options{Name: "fuzz", Format: format})
		switch {
		case err != nil && strings.Contains(err.Error(), "the journey that was made"):
			t.Fatal(err)
		case err != nil && strings.ContainsAny(err.Error(), "\x00\x1b"):
			t.Fatalf("%q", err)
		case err == nil && (r.Steps == 0 || len(r.Journey) == 0):
			t.Fatal("no steps")
		}
	})
}

func FuzzHAR(f *testing.F) {
	fuzz(f, journeyfrom.HAR, har(
		item{method: "POST", url: "http://a/l?x", kind: "multipart/form-data; boundary=b", sent: "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\nx\r\n--b--\r\n", status: 303, answered: []nv{{"Location", "/o/77001?n=1"}}},
		item{method: "GET", url: "http://a/o/77001?n=1", status: 200, answerKind: "text/html", body: "<title>{{x}}</title><form id=a><input name=token value=abcdef1234></form>"},
		item{method: "PUT", url: "http://a/o/77001/%7B%7B", headers: []nv{{"Authorization", "Basic YTpi"}}, kind: "application/json", sent: `{"t": ["abcdef1234", 1e400, "${x}", "\u0000"]}`, status: 200},
	))
}

func FuzzOpenAPI(f *testing.F) {
	fuzz(f, journeyfrom.OpenAPI, `{"openapi": "3.0.0", "paths": {"/a/{b}": {"parameters": [{"in": "path", "name": "b"}, null], "post": {"security": [{"k": []}], "requestBody": {"content": {"multipart/form-data": {"example": {"a": [1]}}}}}}}}`)
}

func FuzzCurl(f *testing.F) {
	fuzz(f, journeyfrom.Curl, "curl -XPUT -Hx:y -d@f --data-urlencode a=b -F 'f=@x;type=a/b' -b a=b -u :$P a/{{b}}?${C:-d}", "curl -T x --url= http://[::1]:1 -G -I")
}

func FuzzK6(f *testing.F) {
	fuzz(f, journeyfrom.K6, "const a={b:['c',1e3,'\\u0041'],d:`x${__ENV.E}y`};http.request('PUT',a.d,JSON.stringify(a),{headers:a,redirects:3});sleep(2)")
}

func FuzzPostman(f *testing.F) {
	fuzz(f, journeyfrom.Postman, `{"item": [{"request": "{{a}}:1/b"}, {"item": [{"request": {"method": "PUT", "header": "A: b", "url": {"raw": "http://x/:y", "variable": [{"key": "y"}]}, "auth": {"type": "apikey", "apikey": {"key": "a", "value": "b"}}, "body": {"mode": "formdata", "formdata": [{"key": "f", "type": "file"}]}}}]}]}`)
}
