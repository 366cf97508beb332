package gate_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/gate"
)

func TestHTTP(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte("all is well"))
	}))
	t.Cleanup(server.Close)
	for _, c := range []struct {
		gate gate.HTTP
		ok   bool
		why  string
	}{
		{gate.HTTP{GET: server.URL}, true, ""},
		{gate.HTTP{GET: server.URL + "/down"}, false, "answered 503, expected 200"},
		{gate.HTTP{GET: server.URL + "/down", Status: 503}, true, ""},
		{gate.HTTP{GET: server.URL, Body: "well"}, true, ""},
		{gate.HTTP{GET: server.URL, Body: "ill"}, false, `does not contain "ill"`},
		{gate.HTTP{GET: "http://user:hunter2@127.0.0.1:1/?token=hunter3"}, false, "connection refused"},
	} {
		ok, why, err := c.gate.Holds(t.Context())
		if ok != c.ok || !strings.Contains(why, c.why) || err != nil {
			t.Errorf("%v: %v, %q, %v", c.gate, ok, why, err)
		}
		if strings.Contains(why, "hunter") {
			t.Errorf("the text contains a secret: %s", why)
		}
	}
}

// The responses are those in the documentation of Prometheus' HTTP API.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"up == 1":    `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up"},"value":[1435781451.781,"1"]}]}}`,
		"up == 2":    `{"status":"success","data":{"resultType":"vector","result":[]}}`,
		"up":         `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"1"]},{"metric":{},"value":[1,"0"]}]}}`,
		"0/0":        `{"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"NaN"]}}`,
		"scalar(up)": `{"status":"success","data":{"resultType":"scalar","result":[1435781451.781,"3"]}}`,
		"up[5m]":     `{"status":"success","data":{"resultType":"matrix","result":[]}}`,
		"up ==":      `{"status":"error","errorType":"bad_data","error":"parse error"}`,
		"html":       `<html>`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answers[r.URL.Query().Get("query")]))
	}))
	t.Cleanup(server.Close)
	for query, want := range map[string]string{
		"up == 1": "ok", "up == 2": "no series", "up": "value 0", "0/0": "value NaN", "scalar(up)": "ok",
		"up[5m]": "error: ", "up ==": "error: parse error", "html": "error: ",
	} {
		ok, why, err := gate.Prometheus{URL: server.URL + "/", Query: query}.Holds(t.Context())
		switch {
		case want == "ok":
			if !ok || err != nil {
				t.Errorf("%s: %q, %v", query, why, err)
			}
		case strings.HasPrefix(want, "error: "):
			if ok || err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(want, "error: ")) {
				t.Errorf("%s: %v, %v, expected an error", query, ok, err)
			}
		case ok || err != nil || !strings.Contains(why, want):
			t.Errorf("%s: %v, %q, %v", query, ok, why, err)
		}
	}
	if _, _, err := (gate.Prometheus{URL: "http://127.0.0.1:1", Query: "up"}).Holds(t.Context()); err == nil {
		t.Error("a server that is not there is no error")
	}
}
