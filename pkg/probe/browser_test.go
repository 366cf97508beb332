package probe_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/record/recordtest"
)

// wiki is a site whose login is a form with a hidden token, a redirect and a cookie.
func wiki(t *testing.T) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s1", Path: "/"})
		_, _ = io.WriteString(w, `<html><head><title>Log in</title></head><body><form><input type="hidden" name="token" value="t&amp;1+\"></form></body></html>`)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("session")
		if err != nil || c.Value != "s1" || r.FormValue("token") != `t&1+\` || r.FormValue("name") != "user 0" {
			http.Error(w, "no session", http.StatusForbidden)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s2", Path: "/"})
		http.Redirect(w, r, "/hop", http.StatusFound)
	})
	mux.HandleFunc("/hop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/home", http.StatusSeeOther) })
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("GET /home", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err != nil || c.Value != "s2" {
			http.Error(w, "no session", http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, `<html><body><h1 id="who">Hello <b>user 0</b></h1></body></html>`)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// atOnce is a seed whose first user comes within a millisecond, at 1/m.
const atOnce = 29531

// walkOnce is one user on the way of a journey.
func walkOnce(t *testing.T, j probe.Journey, way probe.Way) probe.Visit {
	t.Helper()
	j.Name, j.Users = "j", nil
	if j.Timeout == 0 {
		j.Timeout = 5 * time.Second
	}
	var met probe.Visit
	l := probe.Load{Journey: j, Way: way, Rate: probe.Rate{Users: 1, Per: time.Minute}, Seed: atOnce}
	walking, stop := contextOf(t)
	if err := l.Run(walking, func(v probe.Visit) {
		if v.Sample.Seq == 0 {
			met = v
		}
		stop()
	}); err != nil || met.Sample.Journey == "" {
		t.Fatalf("no user came back: %v", err)
	}
	return met
}

func loginSteps() []probe.Step {
	return []probe.Step{
		{Name: "form", Get: "/login", Capture: map[string]probe.Capture{"token": {CSS: "input[name=token]", Attribute: "value"}}},
		{
			Name: "login", Post: "/login", Form: map[string]string{"name": "user {{.seq}}", "token": "{{.token}}"},
			Expect: probe.Expect{Status: probe.Codes(200), CSS: map[string]any{"#who": "Hello user 0"}},
		},
	}
}

// A person who tries a journey sees each redirect, also of a user who was redirected too
// often.
func TestRedirectsThatAPersonSees(t *testing.T) {
	t.Parallel()
	server := wiki(t)
	hop := func(code int, path string) probe.Hop {
		return probe.Hop{Code: code, Location: path, Line: "GET " + server.URL + path}
	}
	for name, c := range map[string]struct {
		journey probe.Journey
		want    []probe.Hop
	}{
		"followed": {probe.Journey{Follow: 10, Steps: loginSteps()}, []probe.Hop{hop(302, "/hop"), hop(303, "/home")}},
		"too many": {probe.Journey{Follow: 1, Steps: loginSteps()}, []probe.Hop{hop(302, "/hop"), hop(303, "/home")}},
		"none":     {probe.Journey{Steps: loginSteps()}, nil},
	} {
		c.journey.Name, c.journey.Timeout = "j", 5*time.Second
		l := probe.Load{Journey: c.journey, Way: probe.Way{Entry: server.URL}, Rate: perSecond(10)}
		if err := l.Try(t.Context(), 1, func(tried probe.Tried) {
			if diff := cmp.Diff(c.want, tried.Steps[len(tried.Steps)-1].Hops); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}

func TestALoginWithAForm(t *testing.T) {
	t.Parallel()
	server := wiki(t)
	way := probe.Way{Entry: server.URL}
	for name, c := range map[string]struct {
		journey probe.Journey
		want    string
	}{
		"as a browser does":        {probe.Journey{Follow: 10, Steps: loginSteps()}, ""},
		"with fresh connections":   {probe.Journey{Follow: 10, Connections: "fresh", Steps: loginSteps()}, ""},
		"too few redirects":        {probe.Journey{Follow: 1, Steps: loginSteps()}, "login: more than 1 redirects"},
		"no redirects":             {probe.Journey{Steps: loginSteps()}, "login: status 302, expected 200"},
		"no cookies":               {probe.Journey{Follow: 10, Cookies: "off", Steps: loginSteps()}, "login: status 403, expected 200"},
		"redirects without an end": {probe.Journey{Follow: 5, Steps: []probe.Step{{Name: "loop", Get: "/loop"}}}, "loop: more than 5 redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if v := walkOnce(t, c.journey, way); v.Sample.Error != c.want {
				t.Errorf("found %q, expected %q", v.Sample.Error, c.want)
			}
		})
	}
}

// A user without a redirect keeps cookies too, and sends them only to the paths that they
// are for.
func TestCookiesAreOfTheUser(t *testing.T) {
	t.Parallel()
	var got []string
	mux := http.NewServeMux()
	mux.HandleFunc("/set", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "all", Value: "1", Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "admin", Value: "2", Path: "/admin"})
		http.SetCookie(w, &http.Cookie{Name: "other", Value: "3", Domain: "example.org"})
	})
	mux.HandleFunc("/look", func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Cookie")) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	v := walkOnce(t, probe.Journey{Steps: []probe.Step{
		{Name: "before", Get: "/look?before"},
		{Name: "set", Get: "/set", Capture: map[string]probe.Capture{"c": {Cookie: "admin"}}},
		{Name: "after", Get: "/look", Headers: map[string]string{"X-C": "{{.c}}"}},
	}}, probe.Way{Entry: server.URL})
	server.Close()
	if v.Sample.Error != "" || len(got) < 2 || got[0] != "" || got[1] != "all=1" {
		t.Errorf("%q, cookies %q", v.Sample.Error, got)
	}
}

// Every form of an expectation, held and not held.
func TestEveryExpectation(t *testing.T) {
	t.Parallel()
	type want = map[string]any // short in a table
	const (
		page = `<html><head><title>Main Page</title></head><body><ul><li class="a">one</li><li>two</li></ul><a href="/next">next</a></body></html>`
		feed = `<?xml version="1.0"?><feed><entry id="7"><title>First</title></entry><entry id="8"/></feed>`
		data = `{"state": "paid", "total": 12.5, "big": 9007199254740993, "items": [1, 2, 3], "at": {"n": "12"}, "none": null}`
	)
	for name, c := range map[string]struct {
		body   string
		expect probe.Expect
		want   string
	}{
		"class":                    {data, probe.Expect{Status: probe.Statuses{"2xx"}}, ""},
		"another class":            {data, probe.Expect{Status: probe.Statuses{"4xx", "503"}}, "status 200, expected 4xx or 503"},
		"one of several":           {data, probe.Expect{Status: probe.Codes(201, 200)}, ""},
		"header":                   {data, probe.Expect{Headers: want{"x-kind": "test"}}, ""},
		"header exists":            {data, probe.Expect{Headers: want{"X-Kind": "exists"}}, ""},
		"header matches":           {data, probe.Expect{Headers: want{"X-Kind": want{"matches": "^t"}}}, ""},
		"another header":           {data, probe.Expect{Headers: want{"X-Kind": "prod"}}, "header X-Kind is not the expected value"},
		"no header":                {data, probe.Expect{Headers: want{"X-Else": "exists"}}, "the response has no header X-Else"},
		"contains all":             {data, probe.Expect{Contains: probe.Texts{"paid", "items"}}, ""},
		"contains one":             {data, probe.Expect{Contains: probe.Texts{"paid", "unpaid"}}, `the response does not contain "unpaid"`},
		"matches":                  {data, probe.Expect{Matches: probe.Texts{`"total": \d+`}}, ""},
		"does not match":           {data, probe.Expect{Matches: probe.Texts{`^\d+$`}}, "the response does not match"},
		"gte":                      {data, probe.Expect{JSON: want{"$.total": want{"gte": 12.5, "lte": 13}}}, ""},
		"not gte":                  {data, probe.Expect{JSON: want{"$.total": want{"gte": 12.51}}}, "$.total is not the expected value"},
		"gte to the last digit":    {data, probe.Expect{JSON: want{"$.big": want{"gte": uint64(9007199254740994)}}}, "$.big is not the expected value"},
		"to the last digit":        {data, probe.Expect{JSON: want{"$.big": uint64(9007199254740992)}}, "$.big is not the expected value"},
		"a number of another form": {data, probe.Expect{JSON: want{"$.total": 125e-1}}, ""},
		"gte of a text":            {data, probe.Expect{JSON: want{"$.at.n": want{"gte": 12}}}, ""},
		"gte of no number":         {data, probe.Expect{JSON: want{"$.state": want{"gte": 0}}}, "$.state is not"},
		"gte of null":              {data, probe.Expect{JSON: want{"$.none": want{"gte": 0}}}, "$.none is not"},
		"json matches":             {data, probe.Expect{JSON: want{"$.state": want{"matches": "^pa"}}}, ""},
		"json does not match":      {data, probe.Expect{JSON: want{"$.state": want{"matches": "^un"}}}, "$.state is not"},
		"length":                   {data, probe.Expect{JSON: want{"$.items": want{"length": 3}}}, ""},
		"length of a text":         {data, probe.Expect{JSON: want{"$.state": want{"length": want{"gte": 5}}}}, "$.state is not"},
		"contains in a list":       {data, probe.Expect{JSON: want{"$.items": want{"contains": 2}}}, ""},
		"not":                      {data, probe.Expect{JSON: want{"$.state": want{"not": "paid"}}}, "$.state is not"},
		"a mapping":                {data, probe.Expect{JSON: want{"$.at": want{"n": "12"}}}, ""},
		"css":                      {page, probe.Expect{CSS: want{"title": "Main Page", "li": "one", "li + li": "two"}}, ""},
		"another css":              {page, probe.Expect{CSS: want{"title": "Login"}}, "title is not the expected value"},
		"no css":                   {page, probe.Expect{CSS: want{"h1": "exists"}}, "the response has no h1"},
		"xpath":                    {page, probe.Expect{XPath: want{"//a/@href": "/next", "count(//li)": 2}}, ""},
		"no xpath":                 {page, probe.Expect{XPath: want{"//h1": "exists"}}, "the response has no //h1"},
		"xml":                      {feed, probe.Expect{XPath: want{"/feed/entry[1]/@id": want{"gte": 7}, "//title": "First"}}, ""},
		"css of xml":               {feed, probe.Expect{CSS: want{"title": "exists"}}, "the response is XML"},
		"json of html":             {page, probe.Expect{JSON: want{"$.a": "exists"}}, "the response is not JSON"},
		"size":                     {"12345", probe.Expect{Size: 5}, ""},
		"another size":             {"12345", probe.Expect{Size: want{"gte": 6}}, "the size of the response is not the expected one"},
		"within":                   {data, probe.Expect{Within: time.Nanosecond}, "slower than 1ns"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Kind", "test")
				w.Header()["Content-Type"] = nil
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			v := walkOnce(t, probe.Journey{Steps: []probe.Step{{Name: "s", Get: "/", Expect: c.expect}}}, probe.Way{Entry: server.URL})
			if (v.Sample.Error == "") != (c.want == "") || !strings.Contains(v.Sample.Error, c.want) {
				t.Errorf("found %q, expected %q", v.Sample.Error, c.want)
			}
		})
	}
}

// Every form of a body and of credentials, as a server reads it.
func TestEveryBody(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		step probe.Step
		want string
	}{
		"form":  {probe.Step{Form: map[string]string{"a b": "1&{{.seq}}", "c": "é"}}, "application/x-www-form-urlencoded|a+b=1%260&c=%C3%A9|"},
		"json":  {probe.Step{JSON: map[string]any{"n": 1, "s": "u{{.seq}}"}}, `application/json|{"n":1,"s":"u0"}|`},
		"body":  {probe.Step{Body: "plain {{.seq}}"}, "|plain 0|"},
		"query": {probe.Step{Query: map[string]string{"q": "a b&{{.seq}}"}}, "||q=a+b%260"},
		"basic": {probe.Step{Auth: &probe.Auth{Basic: &probe.Basic{User: "u", Password: `{{env "PW"}}`}}}, "||Basic dTpzM2NyZXQ="},
		"token": {probe.Step{Auth: &probe.Auth{Bearer: `{{env "PW"}}`}}, "||Bearer s3cret"},
		"files": {probe.Step{Multipart: map[string]probe.Part{"a": {Text: "t{{.seq}}"}, "f": {File: "x/pic.png", Content: []byte("\x89PNG")}}}, "multipart|a=t0 f=pic.png:image/png:4|"},
		"functions": {
			probe.Step{Body: `{{sha256 "a"}} {{base64 "a"}} {{urlquery "a b"}} {{len uuid}} {{len (random 8)}} {{len (now "2006")}}`},
			"|ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb YQ== a+b 36 8 4|",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 1000)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				kind, rest := r.Header.Get("Content-Type"), r.URL.RawQuery+r.Header.Get("Authorization")
				if strings.HasPrefix(kind, "multipart/form-data") {
					_ = r.ParseMultipartForm(1 << 20)
					f := r.MultipartForm.File["f"][0]
					got <- fmt.Sprintf("multipart|a=%s f=%s:%s:%d|", r.FormValue("a"), f.Filename, f.Header.Get("Content-Type"), f.Size)
					return
				}
				body, _ := io.ReadAll(r.Body)
				got <- kind + "|" + string(body) + "|" + rest
			}))
			t.Cleanup(server.Close)
			c.step.Name, c.step.Post = "s", "/"
			v := walkOnce(t, probe.Journey{Steps: []probe.Step{c.step}}, probe.Way{Entry: server.URL, Environ: map[string]string{"PW": "s3cret"}})
			if found := <-got; found != c.want || v.Sample.Error != "" {
				t.Errorf("found %q (%s), expected %q", found, v.Sample.Error, c.want)
			}
		})
	}
}

// Every place of a value, found and not found.
func TestEveryCapture(t *testing.T) {
	t.Parallel()
	const page = `<html><body><input name="t" value="v1"><p>p1</p> id=42; {"x": 1}</body></html>`
	for name, c := range map[string]struct {
		capture probe.Capture
		want    string // what is captured, or the error
	}{
		"header":         {probe.Capture{Header: "x-id"}, "h1"},
		"cookie":         {probe.Capture{Cookie: "sid"}, "c1"},
		"group":          {probe.Capture{Regexp: `id=(\d+)`}, "42"},
		"whole match":    {probe.Capture{Regexp: `id=\d+`}, "id=42"},
		"attribute":      {probe.Capture{CSS: "input[name=t]", Attribute: "value"}, "v1"},
		"text":           {probe.Capture{CSS: "p"}, "p1"},
		"xpath":          {probe.Capture{XPath: "//input/@value"}, "v1"},
		"no header":      {probe.Capture{Header: "X-Else"}, "s: the response has no header X-Else"},
		"no cookie":      {probe.Capture{Cookie: "else"}, "s: the response has no cookie else"},
		"no match":       {probe.Capture{Regexp: "else"}, `s: the response has no match of "else"`},
		"no attribute":   {probe.Capture{CSS: "p", Attribute: "class"}, "s: the response has no p with the attribute class"},
		"no node":        {probe.Capture{XPath: "//h1"}, "s: the response has no //h1"},
		"json of a page": {probe.Capture{JSON: "$.x"}, "s: the response is not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 1000)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/next" {
					got <- r.Header.Get("X-Got")
					return
				}
				w.Header().Set("X-Id", "h1")
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: "c1"})
				_, _ = io.WriteString(w, page)
			}))
			t.Cleanup(server.Close)
			v := walkOnce(t, probe.Journey{Steps: []probe.Step{
				{Name: "s", Get: "/", Capture: map[string]probe.Capture{"v": c.capture}},
				{Name: "n", Get: "/next", Headers: map[string]string{"X-Got": "{{.v}}"}},
			}}, probe.Way{Entry: server.URL})
			found := v.Sample.Error
			if found == "" {
				found = <-got
			}
			if found != c.want {
				t.Errorf("found %q, expected %q", found, c.want)
			}
		})
	}
}

// What is compressed is looked at as it is meant, and a bomb ends.
func TestCompressedResponses(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 1<<20)
	for name, c := range map[string]struct {
		serve func(w http.ResponseWriter)
		want  string
	}{
		"compressed": {func(w http.ResponseWriter) {
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"ok": true}`)
			_ = z.Close()
		}, ""},
		"not what it says": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"ok": true}`) }, "s: the response is not the gzip"},
		"cut off": {func(w http.ResponseWriter) {
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"ok": true}`)
			_ = z.Flush()
		}, "s: connection closed"},
		"a bomb": {func(w http.ResponseWriter) {
			z := gzip.NewWriter(w)
			for range 100 {
				if _, err := z.Write(zeros); err != nil {
					return
				}
			}
			_ = z.Close()
		}, "s: the response is larger than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept-Encoding") != "gzip" {
					w.WriteHeader(http.StatusNotAcceptable)
					return
				}
				w.Header().Set("Content-Encoding", "gzip")
				c.serve(w)
			}))
			t.Cleanup(server.Close)
			expect := probe.Expect{JSON: map[string]any{"$.ok": true}}
			v := walkOnce(t, probe.Journey{Gzip: true, Timeout: 30 * time.Second, Steps: []probe.Step{{Name: "s", Get: "/", Expect: expect}}}, probe.Way{Entry: server.URL})
			if (v.Sample.Error == "") != (c.want == "") || !strings.HasPrefix(v.Sample.Error, c.want) {
				t.Errorf("found %q, expected %q", v.Sample.Error, c.want)
			}
		})
	}
}

// An order belongs to the user who made it: its look-up needs what the user captured. The
// user chose its ID.
func TestALookUpWithWhatTheUserCaptured(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"token": "t-1"}`) })
	mux.HandleFunc("PUT /orders/{id}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	mux.HandleFunc("GET /orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer t-1" || !strings.HasPrefix(r.PathValue("id"), "order-") {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	j := probe.Journey{
		Name: "j",
		Let:  map[string]string{"order": "order-{{uuid}}"},
		Steps: []probe.Step{
			{Name: "login", Post: "/login", Capture: map[string]probe.Capture{"token": {JSON: "$.token"}}},
			{Name: "order", Put: "/orders/{{.order}}", Acknowledges: "{{.order}}"},
		},
		Confirm: &probe.Step{Get: "/orders/{{.id}}", Auth: &probe.Auth{Bearer: "{{.token}}"}},
	}
	v := walkOnce(t, j, probe.Way{Entry: server.URL})
	if v.Ack == nil || !strings.HasPrefix(v.Ack.ID, "order-") || v.Ack.Vars["token"] != "t-1" || len(v.Ack.Vars) != 1 {
		t.Fatalf("%q, acknowledged %+v", v.Sample.Error, v.Ack)
	}
	acks := []record.Ack{*v.Ack, {ID: "order-2", Vars: map[string]string{"token": "other"}}}
	if err := (probe.Load{Journey: j, Way: probe.Way{Entry: server.URL}}).Confirm(t.Context(), record.AckedOf(acks), nil); err != nil {
		t.Fatal(err)
	}
	if acks[0].Presence != probe.Present || acks[1].Presence != probe.Unconfirmed {
		t.Errorf("%+v", acks)
	}
	dir := t.TempDir()
	recordtest.WriteAcks(t, dir, acks)
	if stored, err := recordtest.Acks(dir); err != nil || len(stored) != 2 || stored[0].Vars != nil {
		t.Errorf("the file contains what the user captured: %+v (%v)", stored, err)
	}
}
