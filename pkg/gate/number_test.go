package gate_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gameday-dev/gameday/pkg/gate"
)

// A number is the value of one series, and finite. Anything else is an error that says what
// to do, and names no secret.
func TestNumbers(t *testing.T) {
	t.Parallel()
	vector := func(values ...string) string {
		series := make([]string, len(values))
		for i, v := range values {
			series[i] = `{"metric":{"a":"b"},"value":[1,"` + v + `"]}`
		}
		return `{"status":"success","data":{"resultType":"vector","result":[` + strings.Join(series, ",") + `]}}`
	}
	for name, c := range map[string]struct {
		status int
		body   string
		want   float64
		says   string
	}{
		"one series":       {200, vector("42.5"), 42.5, ""},
		"0":                {200, vector("0"), 0, ""},
		"a negative":       {200, vector("-1e-3"), -0.001, ""},
		"a scalar":         {200, `{"status":"success","data":{"resultType":"scalar","result":[1,"7"]}}`, 7, ""},
		"none":             {200, vector(), 0, "the query returns no series: check its metric and labels, and that the server scrapes it"},
		"three":            {200, vector("1", "2", "3"), 0, "the query returns 3 series, expected 1: use sum(), max() or min(), or more labels"},
		"NaN":              {200, vector("NaN"), 0, "the value is NaN, which is not finite"},
		"an infinity":      {200, vector("+Inf"), 0, "the value is +Inf, which is not finite"},
		"beyond a float":   {200, vector("1e999"), 0, `the series has the value "1e999", expected a number`},
		"a text":           {200, vector("many"), 0, `the series has the value "many", expected a number`},
		"a range":          {200, `{"status":"success","data":{"resultType":"matrix","result":[]}}`, 0, "the query returns a matrix, expected a scalar or an instant vector"},
		"a rejected query": {400, `{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected end"}`, 0, "1:5: parse error: unexpected end"},
		"another API":      {404, `{"message":"not found"}`, 0, "status 404, and the response is not from a Prometheus server"},
		"nothing":          {200, "{}", 0, "status 200, and the response is not from a Prometheus server"},
		"a page":           {502, "<html>", 0, "status 502, and the response is not from a Prometheus server"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			got, err := gate.Prometheus{URL: server.URL, Query: "up"}.Number(t.Context())
			if got != c.want || (err == nil) != (c.says == "") || err != nil && err.Error() != c.says {
				t.Errorf("found %v, %v; expected %v, %q", got, err, c.want, c.says)
			}
		})
	}
}

// Why a server does not answer is the same text for each request.
func TestNumbersOfADeadServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	if _, err := (gate.Prometheus{URL: server.URL, Query: "up"}).Number(t.Context()); err == nil || err.Error() != "connection refused" {
		t.Error(err)
	}
	closing := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(closing.Close)
	if _, err := (gate.Prometheus{URL: closing.URL, Query: "up"}).Number(t.Context()); err == nil || err.Error() != "the server closed the connection without an answer" {
		t.Error(err)
	}
	secret := gate.Prometheus{URL: "http://user:hunter2@host.invalid:1/x?token=hunter2", Query: "up"}
	if _, err := secret.Number(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.HasPrefix(err.Error(), "look up host.invalid: ") {
		t.Error(err)
	}
	if got := secret.Server(); got != "http://host.invalid:1/x" {
		t.Error(got)
	}
}

// A server that never answers is not waited for.
func TestNumbersOfASilentServer(t *testing.T) { //nolint:paralleltest // the default client is another one meanwhile
	synctest.Test(t, func(t *testing.T) {
		was := http.DefaultClient.Transport
		http.DefaultClient.Transport = silent{}
		defer func() { http.DefaultClient.Transport = was }()
		if _, err := (gate.Prometheus{URL: "http://p", Query: "up"}).Number(t.Context()); err == nil || err.Error() != "no answer within 5s" {
			t.Error(err)
		}
	})
}
