package journeyfrom_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// load imports a source and reads the journey as gameday does.
func load(t *testing.T, source string, o journeyfrom.Options) (probe.Journey, journeyfrom.Result) {
	t.Helper()
	o.Name = "x"
	r, err := journeyfrom.Import(strings.NewReader(source), o)
	if err != nil {
		t.Fatal(err)
	}
	j, err := scenario.LoadJourney("x.yaml", r.Journey, func(path string) ([]byte, error) { return r.Files[path], nil })
	if err != nil {
		t.Fatalf("%v\n%s", err, r.Journey)
	}
	return j, r
}

// Each option of curl says what it says to curl.
func TestCurl(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]func(s probe.Step) bool{
		"curl a.example":          func(s probe.Step) bool { return s.Get == "/" },
		"curl -I a/b":             func(s probe.Step) bool { return s.Head == "/b" },
		"curl -X DELETE a/b":      func(s probe.Step) bool { return s.Delete == "/b" },
		"curl -XPATCH a/b -d x=1": func(s probe.Step) bool { return s.Patch == "/b" && s.Form["x"] == "1" },
		"curl a -d x=1 -d y=2":    func(s probe.Step) bool { return s.Post == "/" && s.Form["x"]+s.Form["y"] == "12" },
		"curl a -d x=1 -d x=2":    func(s probe.Step) bool { return s.Body == "x=1&x=2" && s.Headers["Content-Type"] != "" },
		"curl -G a/b?z=0 -d x=1 --data-urlencode 'y=a b'":  func(s probe.Step) bool { return s.Get == "/b" && s.Query["z"]+s.Query["x"]+s.Query["y"] == "01a b" },
		`curl a --json '{"a": [1, "{{x}}"]}'`:              func(s probe.Step) bool { return s.JSON != nil && s.Headers["Accept"] == "application/json" },
		"curl a -H 'content-type: text/plain' -d hello":    func(s probe.Step) bool { return s.Body == "hello" && s.Headers["Content-Type"] == "text/plain" },
		"curl a -F x=1 -F 'f=@a.txt;type=text/plain'":      func(s probe.Step) bool { return s.Multipart["x"].Text == "1" && s.Multipart["f"].Type == "text/plain" },
		"curl -u ann:$PW a":                                func(s probe.Step) bool { return s.Auth.Basic.Password == `{{env "PW"}}` },
		"curl -u ann:hunter2hunter a":                      func(s probe.Step) bool { return s.Auth.Basic.Password == `{{env "X_PASSWORD"}}` },
		"curl -L a":                                        func(s probe.Step) bool { return *s.Follow == 10 },
		"curl --url a/b --max-time 5 -o /dev/null":         func(s probe.Step) bool { return s.Get == "/b" },
		"curl -sSfkLb a=b a/c":                             func(s probe.Step) bool { return s.Get == "/c" && s.Headers["Cookie"] == `a={{env "X_A"}}` },
		"curl \\\n  -H $'X-A: it\\'s' \\\n 'http://a:1/b'": func(s probe.Step) bool { return s.Get == "/b" && s.Headers["X-A"] == "it's" },
		"curl \"${BASE}/a/$ID/b?x=$ID\"":                   func(s probe.Step) bool { return s.Get == `/a/{{env "ID"}}/b` && s.Query["x"] == `{{env "ID"}}` },
		"TOKEN=x; sudo -E true && curl a | jq .":           func(s probe.Step) bool { return s.Get == "/" },
		"curl 'a/$x/${y}'":                                 func(s probe.Step) bool { return s.Get == `/$x/{{"$"}}{y}` || s.Get == "/$x/$%7By%7D" },
	} {
		j, r := load(t, command, journeyfrom.Options{Format: journeyfrom.Curl})
		if len(j.Steps) != 1 || !want(j.Steps[0]) {
			t.Errorf("%s:\n%s", command, r.Journey)
		}
	}
}

// A value that a response had, and that a later request sends, is captured; what only
// looks like it is not.
func TestRecurringValues(t *testing.T) {
	t.Parallel()
	page := func(body string) item {
		return item{method: "GET", url: "http://a/", status: 200, answerKind: "text/html", body: "<title>A</title>" + body}
	}
	answer := func(method, body string) item {
		return item{method: method, url: "http://a/api", status: 200, answerKind: "application/json", body: body}
	}
	form := func(sent string) item {
		return item{method: "POST", url: "http://a/f", kind: "application/x-www-form-urlencoded", sent: sent, status: 200}
	}
	for name, c := range map[string]struct {
		first, second item
		want          probe.Capture
	}{
		"hidden input":       {page("<input type=hidden name=nonce value=abc-12345>"), form("nonce=abc-12345"), probe.Capture{CSS: `input[name="nonce"]`, Attribute: "value"}},
		"escaped input":      {page("<input type=hidden name=nonce value='a&amp;b+\\12345'>"), form("nonce=a%26b%2B%5C12345"), probe.Capture{CSS: `input[name="nonce"]`, Attribute: "value"}},
		"meta":               {page("<meta name=csrf-token content=abc-12345>"), item{method: "GET", url: "http://a/x", headers: []nv{{"X-CSRF-Token", "abc-12345"}}, status: 200}, probe.Capture{CSS: `meta[name="csrf-token"]`, Attribute: "content"}},
		"JSON":               {answer("GET", `{"a": [{"b c": "abc-12345"}]}`), item{method: "GET", url: "http://a/x/abc-12345", status: 200}, probe.Capture{JSON: "$.a[0]['b c']"}},
		"number":             {answer("GET", `{"n": 12345678901234567890}`), item{method: "GET", url: "http://a/x?n=12345678901234567890", status: 200}, probe.Capture{JSON: "$.n"}},
		"short ID of a POST": {answer("POST", `{"id": 17}`), item{method: "GET", url: "http://a/x/17", status: 200}, probe.Capture{JSON: "$.id"}},
		"short ID of a GET":  {answer("GET", `{"id": 17}`), item{method: "GET", url: "http://a/x/17", status: 200}, probe.Capture{}},
		"a word":             {answer("GET", `{"kind": "standard"}`), form("shipping=standard"), probe.Capture{}},
		"of the first page":  {page("<a href=/p/sku-12345>"), item{method: "GET", url: "http://a/p/sku-12345", status: 200}, probe.Capture{}},
		"header":             {item{method: "GET", url: "http://a/", status: 200, answered: []nv{{"X-Auth-Token", "abc-12345"}}}, item{method: "GET", url: "http://a/x", headers: []nv{{"X-Auth-Token", "abc-12345"}}, status: 200}, probe.Capture{Header: "X-Auth-Token"}},
		"cookie":             {item{method: "GET", url: "http://a/", status: 200, answered: []nv{{"Set-Cookie", "xsrf=abc-12345"}}}, item{method: "GET", url: "http://a/x", headers: []nv{{"X-Xsrf", "abc-12345"}}, status: 200}, probe.Capture{Cookie: "xsrf"}},
		"location":           {item{method: "POST", url: "http://a/o", status: 201, answered: []nv{{"Location", "/o/77"}}}, item{method: "GET", url: "http://a/o/77/x", status: 200}, probe.Capture{Header: "Location", Regexp: "/o/([^/?#]+)"}},
		"script":             {page(`<script>token = "abcdef-1234567890"</script>`), form("token=abcdef-1234567890"), probe.Capture{Regexp: `token = "([^"]+)`}},
		// MediaWiki's token of visitors who are not logged in.
		"a short token": {page(`<input type=hidden name=wpEditToken value="+\">`), form("wpEditToken=%2B%5C"), probe.Capture{CSS: `input[name="wpEditToken"]`, Attribute: "value"}},
		"another field": {page("<input type=hidden name=wpEditToken value=a1>"), form("token=a1"), probe.Capture{}},
		"a short value": {page("<input type=hidden name=page value=12>"), form("page=12"), probe.Capture{}},
		"a password":    {page("<input type=hidden name=password value=abc-12345>"), form("password=abc-12345"), probe.Capture{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j, r := load(t, har(c.first, c.second), journeyfrom.Options{})
			var found probe.Capture
			for _, one := range j.Steps[0].Capture {
				found = one
			}
			if found != c.want || len(j.Steps[0].Capture) > 1 {
				t.Errorf("found %+v, expected %+v\n%s", found, c.want, r.Journey)
			}
		})
	}
}

// Redirects are part of the step, unless they lead to another site.
func TestRedirects(t *testing.T) {
	t.Parallel()
	to := func(url, location string) item {
		return item{method: "GET", url: url, status: 302, answered: []nv{{"Location", location}}}
	}
	ok := func(url string) item {
		return item{method: "GET", url: url, status: 200, answerKind: "text/html", body: "<title>A</title>"}
	}
	j, _ := load(t, har(to("http://a/", "/b"), item{method: "GET", url: "http://a/x.png", status: 200}, to("http://a/b", "https://a/c#d"), ok("https://a/c")), journeyfrom.Options{})
	if len(j.Steps) != 1 || *j.Steps[0].Follow != 2 || j.Steps[0].Expect.Status[0] != "200" {
		t.Errorf("found %+v", j.Steps)
	}
	j, r := load(t, har(ok("http://a/"), to("http://a/sso", "http://sso/x"), to("http://sso/x", "http://a/back"), ok("http://a/back")), journeyfrom.Options{})
	if len(j.Steps) != 3 || j.Steps[1].Follow != nil || j.Steps[1].Expect.Status[0] != "302" || !strings.Contains(string(r.Journey), "redirects to another site") {
		t.Errorf("found %s", r.Journey)
	}
}
