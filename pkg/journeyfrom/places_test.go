package journeyfrom_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
)

// Each captured value has a name of its own, over all steps.
func TestNamesOfCaptures(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	source.WriteString("openapi: 3.0.0\ninfo: {title: a, version: b}\npaths:\n")
	schema := "{content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}}"
	for _, of := range []string{"a", "b", "c"} {
		fmt.Fprintf(&source, "  /%s/orders: {post: {responses: {'201': %s}}}\n  /%s/orders/{id}: {get: {responses: {'200': {}}}}\n", of, schema, of)
	}
	j, r := load(t, source.String(), journeyfrom.Options{})
	var names []string
	for _, s := range j.Steps {
		for name := range s.Capture {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"order_id", "order_id_2", "order_id_3"}) {
		t.Errorf("found %v\n%s", names, r.Journey)
	}
}

// The credentials of one item of a collection are not those of the next one.
func TestCredentialsOfAnItem(t *testing.T) {
	t.Parallel()
	j, r := load(t, `{"info": {"_postman_id": "1"}, "item": [
		{"name": "a", "auth": {"type": "basic", "basic": {"username": "ann", "password": "x"}}, "request": "http://a/a"},
		{"name": "b", "request": "http://a/b"}]}`, journeyfrom.Options{})
	if len(j.Steps) != 2 || j.Steps[0].Auth == nil || j.Steps[1].Auth != nil {
		t.Errorf("found\n%s", r.Journey)
	}
}

// A field that is disabled says nothing: not its variables, and not what they leave out.
func TestDisabledFields(t *testing.T) {
	t.Parallel()
	j, r := load(t, `{"info": {"_postman_id": "1"}, "item": [{"name": "a", "request": {"method": "POST", "url": "http://a/a", "body": {
		"mode": "formdata", "formdata": [{"key": "x", "value": "1"}, {"key": "y", "value": "{{$randomColor}}", "disabled": true}]}}}]}`, journeyfrom.Options{})
	if len(j.Steps[0].Multipart) != 1 || len(r.LeftOut) > 0 {
		t.Errorf("found %q\n%s", r.LeftOut, r.Journey)
	}
}

// A secret of a response is known however the recording encodes the response.
func TestSecretsInBase64(t *testing.T) {
	t.Parallel()
	const secret = "q7w8e9r0t1z2"
	text := `{"access_token": "` + secret + `"}`
	source := har(item{method: "POST", url: "http://b/t", status: 200, answerKind: "application/json", body: text},
		item{method: "GET", url: "http://a/x?q=" + secret, status: 200})
	encoded := strings.Replace(source, `"text":"{\"access_token\": \"`+secret+`\"}"`,
		`"encoding":"base64","text":"`+base64.StdEncoding.EncodeToString([]byte(text))+`"`, 1)
	if encoded == source {
		t.Fatal(source)
	}
	for _, one := range []string{source, encoded} {
		_, r := load(t, one, journeyfrom.Options{Entry: "http://a"})
		if strings.Contains(string(r.Journey), secret) || len(r.Variables) != 1 {
			t.Errorf("found\n%s", r.Journey)
		}
	}
}

// The same script gives the same journey each time.
func TestOrderOfFields(t *testing.T) {
	t.Parallel()
	const script = `import http from 'k6/http'; http.post('http://a/', {g: '1', f: '1', e: '1', d: '1', c: '1', b: '1', 'a\u0001': '1'});`
	want, _ := load(t, script, journeyfrom.Options{})
	for range 20 {
		if got, _ := load(t, script, journeyfrom.Options{}); got.Steps[0].Body != want.Steps[0].Body || got.Steps[0].Body == "" {
			t.Fatalf("found %q and %q", got.Steps[0].Body, want.Steps[0].Body)
		}
	}
}

// What a person says wrongly is an error for each format.
func TestWrongOptions(t *testing.T) {
	t.Parallel()
	for _, format := range journeyfrom.Formats() {
		_, err := journeyfrom.Import(strings.NewReader("curl http://a"), journeyfrom.Options{Name: "x", Format: format, Entry: "ftp://a"})
		if err == nil || !strings.HasPrefix(err.Error(), "--entry: ") {
			t.Errorf("%s: found %v", format, err)
		}
	}
	if _, err := journeyfrom.Import(strings.NewReader("curl http://a"), journeyfrom.Options{Name: "x", Format: "wget"}); err == nil || !strings.Contains(err.Error(), `"wget"`) {
		t.Errorf("found %v", err)
	}
}
