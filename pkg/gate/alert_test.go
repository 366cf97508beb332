package gate_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/gate"
)

// amAlert is an alert as Alertmanager's API v2 documents it.
func amAlert(state, labels string) string {
	return `{"annotations":{"summary":"x"},"endsAt":"2026-11-30T12:04:00.000Z","fingerprint":"375eab7b59892505","receivers":[{"name":"pager"}],` +
		`"startsAt":"2026-11-30T13:00:00.000Z","status":{"inhibitedBy":[],"silencedBy":[],"state":"` + state + `"},"updatedAt":"2026-11-30T11:00:00.000Z",` +
		`"generatorURL":"http://prometheus:9090/graph","labels":{` + labels + `}}`
}

const down = `"alertname":"CheckoutDown","severity":"page","backend":"shop"`

func TestAlerts(t *testing.T) {
	t.Parallel()
	prom := func(alerts ...string) string {
		return `{"status":"success","data":{"alerts":[` + strings.Join(alerts, ",") + `]}}`
	}
	am := func(alerts ...string) string { return "[" + strings.Join(alerts, ",") + "]" }
	promAlert := func(state, labels string) string {
		return `{"activeAt":"2026-11-30T12:00:00Z","annotations":{},"labels":{` + labels + `},"state":"` + state + `","value":"1e+00"}`
	}
	for name, c := range map[string]struct {
		body   string
		status int
		of     string
		fires  bool
		says   string // the error; "" if there is none
	}{
		"active":                {am(amAlert("active", down)), 200, "alertmanager", true, ""},
		"none":                  {am(), 200, "alertmanager", false, ""},
		"silenced":              {am(amAlert("suppressed", down)), 200, "alertmanager", false, ""},
		"not processed yet":     {am(amAlert("unprocessed", down)), 200, "alertmanager", false, ""},
		"silenced and active":   {am(amAlert("suppressed", down), amAlert("active", down)), 200, "alertmanager", true, ""},
		"of another name":       {am(amAlert("active", `"alertname":"Watchdog","severity":"page"`)), 200, "alertmanager", false, ""},
		"of another label":      {am(amAlert("active", `"alertname":"CheckoutDown","severity":"info"`)), 200, "alertmanager", false, ""},
		"by Grafana":            {am(amAlert("active", down)), 200, "grafana", true, ""},
		"firing":                {prom(promAlert("firing", down)), 200, "prometheus", true, ""},
		"pending":               {prom(promAlert("pending", down)), 200, "prometheus", false, ""},
		"no alerts":             {prom(), 200, "prometheus", false, ""},
		"rules of others":       {prom(promAlert("firing", `"alertname":"Watchdog"`)), 200, "prometheus", false, ""},
		"an error":              {`{"status":"error","errorType":"internal","error":"storage"}`, 200, "prometheus", false, "storage"},
		"a page":                {"<html>", 200, "alertmanager", false, "not from an Alertmanager"},
		"null":                  {"null", 200, "alertmanager", false, "not from an Alertmanager"},
		"an object":             {"{}", 200, "alertmanager", false, "not from an Alertmanager"},
		"another JSON":          {"{}", 200, "prometheus", false, "not from a Prometheus"},
		"status 503":            {am(), 503, "alertmanager", false, "answered 503"},
		"status 401":            {am(), 401, "grafana", false, "answered 401"},
		"too large":             {am(strings.Repeat(amAlert("active", down)+",", 5000) + amAlert("active", down)), 200, "alertmanager", false, "larger than 1 MiB"},
		"a check that succeeds": {"open incidents: 1", 200, "http", true, ""},
		"a check that fails":    {"open incidents: 0", 200, "http", false, ""},
		"a check, status 404":   {"", 404, "http", false, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		}))
		a := alertAt(c.of, server.URL)
		fires, err := a.Fires(t.Context())
		server.Close()
		if fires != c.fires || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, fires, err)
		}
		// A server that is gone is no answer, by none of them.
		if fires, err := a.Fires(t.Context()); fires || err == nil || !strings.Contains(err.Error(), "refused") {
			t.Errorf("%s: a server that is gone: %v, %v", name, fires, err)
		}
	}
}

func alertAt(of, address string) gate.Alert {
	a := gate.Alert{Name: "CheckoutDown", Labels: map[string]string{"severity": "page"}}
	switch of {
	case "alertmanager":
		a.Alertmanager = address + "/"
	case "prometheus":
		a.Prometheus = address
	case "grafana":
		a.Grafana = address + "/base/"
	case "http":
		a.HTTP, a.Labels = &gate.HTTP{GET: address, Body: "incidents: 1"}, nil
	}
	return a
}

// The token may be in a file; one that cannot be read leaves the alert unknown.
func TestGrafanaTokenOfAFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/token", []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("Authorization"))
		fmt.Fprint(w, "[]")
	}))
	t.Cleanup(server.Close)
	t.Setenv(gate.GrafanaToken, "")
	t.Setenv(gate.GrafanaToken+"_FILE", dir+"/token")
	if _, err := alertAt("grafana", server.URL).Fires(t.Context()); err != nil {
		t.Error(err)
	}
	t.Setenv(gate.GrafanaToken+"_FILE", dir+"/none")
	if _, err := alertAt("grafana", server.URL).Fires(t.Context()); err == nil || !strings.Contains(err.Error(), "read GRAFANA_TOKEN_FILE") {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"Bearer hunter2"}, sent); diff != "" {
		t.Error(diff)
	}
}

// What is requested is what the servers' APIs document.
func TestRequestsForAlerts(t *testing.T) {
	t.Setenv(gate.GrafanaToken, "hunter2")
	const query = `active=true&filter=alertname%3D%22CheckoutDown%22&filter=severity%3D%22page%22&inhibited=false&silenced=false`
	for of, want := range map[string]string{
		"alertmanager": "/api/v2/alerts?" + query + " ",
		"grafana":      "/base/api/alertmanager/grafana/api/v2/alerts?" + query + " Bearer hunter2",
		"prometheus":   "/api/v1/alerts ",
	} {
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked = append(asked, fmt.Sprint(r.URL, " ", r.Header.Get("Authorization")))
		}))
		_, _ = alertAt(of, server.URL).Fires(t.Context())
		server.Close()
		if diff := cmp.Diff([]string{want}, asked); diff != "" {
			t.Errorf("%s:\n%s", of, diff)
		}
	}
}

func TestDeclarationsOfAlerts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alert gate.Alert
		says  []string
	}{
		"right":           {gate.Alert{Alertmanager: "http://am:9093", Name: "x"}, nil},
		"no source":       {gate.Alert{Name: "x"}, []string{"found 0"}},
		"two":             {gate.Alert{Name: "x", Alertmanager: "http://am:9093", Prometheus: "http://p:9090"}, []string{"found 2"}},
		"no URL":          {gate.Alert{Name: "x", Grafana: "grafana:3000"}, []string{"grafana: expected a URL"}},
		"a wrong check":   {gate.Alert{Name: "x", HTTP: &gate.HTTP{GET: "x"}}, []string{"http.get: expected a URL"}},
		"a check, labels": {gate.Alert{Name: "x", HTTP: &gate.HTTP{GET: "http://x"}, Labels: map[string]string{"a": "b"}}, []string{"labels:"}},
	} {
		err := c.alert.Check()
		if (err == nil) != (c.says == nil) || err != nil && !slices.ContainsFunc(c.says, func(s string) bool { return strings.Contains(err.Error(), s) }) {
			t.Errorf("%s: %v", name, err)
		}
	}
	secret := gate.Alert{Name: "x", Alertmanager: "http://user:hunter2@127.0.0.1:1/?token=hunter2"}
	if _, err := secret.Fires(t.Context()); err == nil || strings.Contains(err.Error()+secret.String(), "hunter2") {
		t.Errorf("it says %v, %s", err, secret)
	}
}
