package starter_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/starter"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// serving is a server with a first page, as HOST:PORT.
func serving(t *testing.T, page http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(page)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func saying(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, body)
	}
}

// The best published port is the one with a page; what answers no HTTP is none.
func TestEntries(t *testing.T) {
	t.Parallel()
	n := 0
	d := target.Discovered{Name: "shop", Services: []target.DiscoveredService{
		{Name: "db", Published: []string{"127.0.0.1:1"}},
		{Name: "api", Published: []string{serving(t, saying("application/json", "{}"))}},
		{Name: "admin", Published: []string{serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })}},
		{Name: "web", Published: []string{serving(t, saying("text/html", "<html><title> My shop </title>"))}},
		{Name: "clock", Published: []string{serving(t, func(w http.ResponseWriter, _ *http.Request) {
			n++
			fmt.Fprintf(w, "<title>%d</title>", n)
		})}},
	}}
	var got []string
	for _, e := range starter.Entries(t.Context(), d) {
		got = append(got, fmt.Sprintf("%s %d %q", e.Service, e.Status, e.Title))
	}
	want := []string{`web 200 "My shop"`, `api 200 ""`, `clock 200 ""`, `admin 403 ""`}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("found\n%s, expected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A port that speaks TLS alone is entered by https, and not as a page of status 400. The
// certificate is trusted in a process of its own.
func TestAnEntryOverTLS(t *testing.T) {
	t.Parallel()
	const portVariable = "GAMEDAY_TEST_TLS"
	if port := os.Getenv(portVariable); port != "" {
		for _, e := range starter.Entries(t.Context(), target.Discovered{Services: []target.DiscoveredService{{Name: "web", Published: []string{port}}}}) {
			fmt.Println("entry", e) //nolint:forbidigo // for the test that has started this one
		}
		return
	}
	server := httptest.NewTLSServer(saying("text/html", "<title>Secure</title>"))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAnEntryOverTLS$")
	again.Env = append(os.Environ(), portVariable+"="+strings.TrimPrefix(server.URL, "https://"), "SSL_CERT_FILE="+file)
	output, err := again.CombinedOutput()
	if want := "entry " + server.URL + ` (web): 200 OK, "Secure"`; err != nil || !strings.Contains(string(output), want) {
		t.Errorf("%v\n%s, expected %s", err, output, want)
	}
}

func environment() starter.Environment {
	return starter.Named(target.Discovered{
		Kind: "docker", Name: "My_Shop", Settings: &docker.Config{Project: "My_Shop"},
		Services: []target.DiscoveredService{
			{Name: "pg", Image: "registry.example/library/postgres:17", Components: 2, Zones: []string{"a", "b"}},
			{Name: "cache", Image: "redis:7", Components: 1},
			{Name: "db1", Image: "mariadb:11", Components: 1},
			{Name: "db2", Image: "mariadb:11", Components: 1},
			{Name: "web", Image: "nginx", Components: 2, Roles: []string{"gameday.role=front"}},
		},
	}, "", starter.Entry{URL: "http://127.0.0.1:8080", Status: 200, Title: `The "best" shop: 100% {{.}}`, Latency: 250 * time.Millisecond})
}

// All that is written is valid, whatever the names are.
func TestFilesAreValid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := environment()
	files, err := e.Files()
	if err != nil {
		t.Fatal(err)
	}
	m := topology.Map{Nodes: []topology.Node{
		{Component: "web", Layer: 0, Target: target.Component{Service: "web"}},
		{Component: "web", Layer: 0, Target: target.Component{Service: "web"}},
		{Component: "pg", Layer: 1, Predicted: true, Why: `the only: "one"`, Target: target.Component{Service: "pg"}},
		{Component: "job", Layer: -1, Target: target.Component{Service: "job"}},
		{Component: "vault", Layer: 1, Protected: true, Target: target.Component{Service: "vault"}},
	}}
	scenarios, err := e.Scenarios(m)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range append(files, scenarios...) {
		names = append(names, f.Path)
		if wrote, err := f.Write(dir); err != nil || !wrote {
			t.Fatalf("%s: %v", f.Path, err)
		}
	}
	if want := "gameday.yaml journeys/home.yaml scenarios/pg-loss.yaml scenarios/web-loss.yaml"; strings.Join(names, " ") != want {
		t.Errorf("wrote %q, expected %q", names, want)
	}
	l := scenario.Library{Dir: dir, Kinds: fault.Specs(), Drivers: target.Drivers{docker.Driver(nil)}, Scenarios: os.DirFS(t.TempDir()), Labs: os.DirFS(t.TempDir())}
	env, err := l.Environment("my-shop")
	if err != nil {
		t.Fatal(err)
	}
	if len(env.Roles) != 3 || env.Roles["pg-primary"].Among.Service != "pg" || env.Roles["db-primary"].Command == nil || env.Roles["front"].Label == "" {
		t.Errorf("roles: %+v", env.Roles)
	}
	j, err := l.Journey("my-shop", "home")
	if err != nil || j.Steps[0].Expect.CSS["title"] != `The "best" shop: 100% {{.}}` {
		t.Errorf("%+v (%v)", j, err)
	}
	for name, want := range map[string]target.Selector{"pg-loss": {Role: "pg-primary"}, "web-loss": {Role: "front"}} {
		s, err := l.Scenario(name)
		if err != nil || s.Faults[0].Target != want {
			t.Errorf("%s: %+v (%v)", name, s.Faults, err)
		}
	}
}

// A file that is there stays as it is.
func TestFilesThatAreThereStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gameday.yaml"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	wrote, err := starter.File{Path: "gameday.yaml", Text: "other"}.Write(dir)
	if data, _ := os.ReadFile(filepath.Join(dir, "gameday.yaml")); wrote || err != nil || string(data) != "mine" {
		t.Errorf("%v %v %q", wrote, err, data)
	}
}

func TestNothingToBeginWith(t *testing.T) {
	t.Parallel()
	none := target.Driver{Kind: "none", Discover: func(context.Context) ([]target.Discovered, error) { return nil, nil }}
	if _, err := starter.Find(t.Context(), target.Drivers{{Kind: "blind"}, none}); err == nil || !strings.Contains(err.Error(), "gameday lab up checkout") {
		t.Error(err)
	}
}
