package probe_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/probe"
)

// A regular expression can look at what a header, a cookie, JSON or an element has.
func TestCaptureWithinAValue(t *testing.T) {
	t.Parallel()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.Header().Set("Location", "https://shop.example/orders/77001?new=1")
		http.SetCookie(w, &http.Cookie{Name: "cart", Value: "v1.c-17.x"})
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"self": "/api/users/u-9/"}`))
	}))
	defer server.Close()
	j := probe.Journey{Version: 1, Name: "x", Steps: []probe.Step{
		{Get: "/first", Capture: map[string]probe.Capture{
			"order": {Header: "Location", Regexp: "/orders/([^/?]+)"},
			"cart":  {Cookie: "cart", Regexp: `c-[0-9]+`},
			"user":  {JSON: "$.self", Regexp: "users/([^/]+)"},
		}},
		{Get: "/{{.order}}/{{.cart}}/{{.user}}"},
		{Get: "/last", Capture: map[string]probe.Capture{"none": {Header: "Location", Regexp: "/carts/(.+)"}}},
	}}
	j.Check(func(path, format string, args ...any) { t.Errorf(format, args...) })
	load := probe.Load{Journey: j, Way: probe.Way{Entry: server.URL}, Rate: probe.Rate{Users: 1, Per: time.Second}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var failed string
	if err := load.Run(ctx, func(v probe.Visit) { stop(); failed = v.Sample.Error }); err != nil {
		t.Fatal(err)
	}
	if len(asked) < 2 || asked[1] != "/77001/c-17/u-9" {
		t.Errorf("asked for %q", asked)
	}
	if failed != `/last: the response has no match of "/carts/(.+)" in header Location` {
		t.Errorf("found %q", failed)
	}
}
