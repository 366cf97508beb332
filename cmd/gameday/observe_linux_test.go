package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/target"
)

// prometheus is a server that knows how many components run, and does not answer while none
// does; it answers other queries with two series.
func (toy *toy) prometheus() (address string) {
	toy.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		series := []string{`{"value":[1,"1"]}`, `{"value":[1,"2"]}`}
		if r.URL.Query().Get("query") == "running" {
			all, err := toy.env.All()
			if err != nil || len(all) != 1 || all[0].State != target.Running {
				panic(http.ErrAbortHandler)
			}
			series = []string{fmt.Sprintf(`{"value":[1,"%d"]}`, len(all))}
		}
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[`+strings.Join(series, ",")+`]}}`)
	}))
	toy.t.Cleanup(server.Close)
	return server.URL
}

// Metrics of the environment and of the scenario are in the plan, in the run and in its
// reports, which are made again with the same bytes. A server that does not answer stops
// nothing.
func TestMetricsBesideTheUsers(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	declared, err := os.ReadFile(filepath.Join(toy.dir, "gameday.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	toy.write("gameday.yaml", strings.Replace(string(declared), "staging: {", fmt.Sprintf("staging: {prometheus: %q, observe: [{name: running, prometheus: running, unit: boxes}], ", toy.prometheus()), 1))
	toy.write("scenarios/watched.yaml", scenarioFor("watched", "kill: {target: {name: db}}")+
		"observe: [{name: several, prometheus: other}, {name: dead, prometheus: {url: 'http://127.0.0.1:1', query: up}}]\n")

	code, out, text := toy.gameday("plan", "watched")
	for _, want := range []string{
		"Observe      running (boxes): running at http://127.0.0.1:", ", now 1\n",
		", no value now: the query returns 2 series, expected 1: use sum(), max() or min(), or more labels\n",
		"Observe      dead: up at http://127.0.0.1:1, no value now: connection refused\n",
	} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("plan: %d, expected %q in\n%s%s", code, want, out, text)
		}
	}
	code, out, text = toy.gameday("plan", "watched", "--json")
	var planned struct{ Observe []struct{ Name, Why string } }
	if err := json.Unmarshal([]byte(out), &planned); err != nil || code != 0 || len(planned.Observe) != 3 || planned.Observe[2].Why != "connection refused" {
		t.Errorf("plan --json: %d %v\n%s%s", code, err, out, text)
	}

	code, out, text = toy.gameday("run", "watched", "--json")
	var v struct {
		Run     string
		Metrics []struct {
			Name   string
			Phases []struct{ Name string }
			Values []struct{ Value float64 }
			Gaps   []struct{ Why string }
		}
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 1 && code != 3 || len(v.Metrics) != 3 { // inconclusive on a machine that stalls
		t.Fatalf("run: %d %+v %v\n%s", code, v, err, text)
	}
	if m := v.Metrics[0]; m.Name != "running" || len(m.Values) == 0 || len(m.Gaps) != 1 || m.Gaps[0].Why != "the server closed the connection without an answer" {
		t.Errorf("%+v", m)
	}
	if len(v.Metrics[1].Values)+len(v.Metrics[2].Values) > 0 {
		t.Errorf("%+v", v.Metrics)
	}
	if !strings.Contains(text, "metric dead has no value: connection refused") {
		t.Errorf("it is not said while the run lasts:\n%s", text)
	}
	folder := filepath.Join(toy.dir, "gameday-runs", v.Run)
	for format, name := range map[string]string{"html": "report.html", "json": "verdict.json", "md": "report.md"} {
		stored, err := os.ReadFile(filepath.Join(folder, name))
		if code, out, text := toy.gameday("report", folder, "--format", format, "--to", "-"); err != nil || code != 0 || strings.TrimSpace(out) != strings.TrimSpace(string(stored)) {
			t.Errorf("report --format %s: %d, %v, other bytes\n%s", format, code, err, text)
		}
	}
	toy.clean()
}
