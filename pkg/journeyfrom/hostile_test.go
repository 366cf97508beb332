package journeyfrom_test

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
)

// Sources of others are errors that name the place, and none of them takes the machine's
// memory or the program's stack.
func TestHostileSources(t *testing.T) {
	t.Parallel()
	deep := func(open string, n int) string { return strings.Repeat(open, n) }
	for name, c := range map[string]struct {
		format journeyfrom.Format
		source string
		want   string
	}{
		"deep recording":          {journeyfrom.HAR, `{"log": {"entries": [{"request": ` + deep("[", 1<<20), "log.entries[0]: not valid JSON near byte"},
		"deep before the entries": {journeyfrom.HAR, `{"log": {"pages": ` + deep("[", 1<<20), "log.pages: not valid JSON"},
		"cut off":                 {journeyfrom.HAR, `{"log": {"entries": [{"request": {"method": "GET"`, "log.entries[0]: not valid JSON near byte 21: the file ends too early"},
		"no entries":              {journeyfrom.HAR, `{"log": {}}`, "log.entries: found none"},
		"a list":                  {journeyfrom.HAR, `[]`, "the document: found a list, expected an object"},
		"entries are text":        {journeyfrom.HAR, `{"log": {"entries": "x"}}`, "log.entries: found a string, expected a list"},
		"status is text":          {journeyfrom.HAR, `{"log": {"entries": [{"response": {"status": "200 s3cret"}}]}}`, "log.entries[0].response.status: found a string, expected a number"},
		"only noise":              {journeyfrom.HAR, har(item{method: "OPTIONS", url: "http://a/", status: 200}), "found no request for a journey; left out: 1 × preflight"},
		"no URL":                  {journeyfrom.HAR, har(item{method: "GET", url: "http://a/%zz", status: 200}), "log.entries[0].request.url: found no URL"},
		"deep document":           {journeyfrom.OpenAPI, `{"openapi": "3.0.0", "paths": ` + deep("[", 1<<20), "read as openapi"},
		"deep YAML":               {journeyfrom.OpenAPI, "openapi: 3.0.0\npaths: " + deep("[", 1<<20), "read as openapi"},
		"other version":           {journeyfrom.OpenAPI, "openapi: 4.0.0\npaths: {}", "read as openapi"},
		"no paths":                {journeyfrom.OpenAPI, "openapi: 3.0.0\ninfo: {title: a, version: b}", "read as openapi"},
		"aliases":                 {journeyfrom.OpenAPI, "openapi: 3.0.0\na: &a [x,x,x,x,x,x,x,x,x]\n" + aliases() + "paths: {}", "read as openapi"},
		"deep command":            {journeyfrom.Curl, "curl " + deep("$(", 60_000), "read as curl"},
		"deep groups":             {journeyfrom.Curl, deep("{ ", 60_000) + "curl", "read as curl"},
		"a command in a command":  {journeyfrom.Curl, "curl http://a/$(cat /etc/passwd)", "line 1: found a command inside the command"},
		"no value":                {journeyfrom.Curl, "echo\ncurl http://a -H", "line 2: the option -H has no value"},
		"no address":              {journeyfrom.Curl, "curl -s", "line 1: curl has no URL"},
		"too long":                {journeyfrom.Curl, "curl " + deep("a", 1<<20), "expected at most 131072"},
		"deep script":             {journeyfrom.K6, "import http from 'k6/http';" + deep("[", 100_000), "read as k6"},
		"deep parentheses":        {journeyfrom.K6, deep("(", 120_000), "read as k6"},
		"deep blocks":             {journeyfrom.K6, deep("{", 120_000), "read as k6"},
		"no JavaScript":           {journeyfrom.K6, "import http from 'k6/http';\n  )", "line 2, column 3"},
		"deep collection":         {journeyfrom.Postman, deep(`{"item": [`, 100_000), "not valid JSON"},
		"deep folders":            {journeyfrom.Postman, deep(`{"item": [`, 100) + "{}" + deep(`]}`, 100), "found folders that are more than 50 deep"},
		"wrong request":           {journeyfrom.Postman, `{"item": [{"item": [{"request": {"method": 5, "url": "x"}}]}]}`, "item[0].item[0].request.method: found a number, expected a string"},
		"unknown":                 {"", "hello", "the format was not recognized"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := journeyfrom.Import(strings.NewReader(c.source), journeyfrom.Options{Name: "x", Format: c.format})
			if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 1000 {
				t.Errorf("found %.300v, expected %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Error(err)
			}
		})
	}
}

// aliases are lists of lists that a reader would write out to gigabytes.
func aliases() string {
	var b strings.Builder
	for c := 'b'; c < 'k'; c++ {
		before := "*" + string(c-1)
		b.WriteString(string(c) + ": &" + string(c) + " [" + strings.Repeat(before+",", 8) + before + "]\n")
	}
	return b.String()
}

// endless is a recording whose entries never end.
type endless struct {
	start, entry string
	at           int
	read         int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		source, at := e.entry, e.at-len(e.start)
		if at < 0 {
			source, at = e.start, e.at
		} else {
			at %= len(e.entry)
		}
		c := copy(p[n:], source[at:])
		n, e.at = n+c, e.at+c
	}
	e.read += int64(n)
	return n, nil
}

// A recording without an end is an error once it is larger than stated; images of it are
// not kept.
func TestEndlessRecordings(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 256 MiB")
	}
	t.Parallel()
	image := har(item{method: "GET", url: "http://a/a.png", status: 200, answerKind: "image/png", body: strings.Repeat("A", 1<<20)})
	image = image[strings.Index(image, `[{`)+1 : strings.LastIndex(image, `}]`)+1]
	for name, c := range map[string]struct {
		in   *endless
		want string
		most int64
	}{
		"many entries": {&endless{start: `{"log": {"entries": [`, entry: image + ","}, "expected at most 256 MiB", journeyfrom.MaxRecording + 1<<20},
		"one entry":    {&endless{start: `{"log": {"entries": [{"request": {"url": "`, entry: "aaaaaaaa"}, "log.entries[0]: too large: expected at most 64 MiB", 66 << 20},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := journeyfrom.Import(io.Reader(c.in), journeyfrom.Options{Name: "x"})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: found %.300v, expected %q", name, err, c.want)
		}
		if c.in.read > c.most {
			t.Errorf("%s: read %d bytes, expected at most %d", name, c.in.read, c.most)
		}
		t.Logf("%s: %d MiB of heap from the system", name, (after.HeapSys-before.HeapSys)>>20)
	}
}
