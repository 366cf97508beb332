package attach_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/attach"
)

// The requests are those in the documentation of Grafana's HTTP API.
func TestGrafana(t *testing.T) {
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.Header.Get("Authorization") != "Bearer "+token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		got = append(got, fmt.Sprintf("%s %s %v", r.Method, r.URL.Path, body))
		_, _ = w.Write([]byte(`{"message":"Annotation added","id":1}`))
	}))
	t.Cleanup(server.Close)
	t.Setenv("GRAFANA_TOKEN", token)
	at := time.UnixMilli(1507037197339)
	region := attach.Region{URL: server.URL + "/"}
	if err := region.End(t.Context(), at); err != nil || len(got) != 0 {
		t.Errorf("a region that has not started was ended: %v %v", got, err)
	}
	if err := region.Begin(t.Context(), at, "kill db", []string{"gameday"}); err != nil {
		t.Fatal(err)
	}
	if err := region.End(t.Context(), at.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	want := []string{"POST /api/annotations map[tags:[gameday] text:kill db time:1.507037197339e+12]", "PATCH /api/annotations/1 map[timeEnd:1.507037198339e+12]"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
	t.Setenv("GRAFANA_TOKEN", "another")
	if err := region.Begin(t.Context(), at, "", nil); err == nil {
		t.Error("a refusal is no error")
	}
}
