package docker_test

import (
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// recorded are answers of Docker Engine 20.10, shortened.
//
//go:embed testdata
var recorded embed.FS

// object is a JSON object.
type object = map[string]any

// fakeEngine is a Docker engine that gives recorded answers, for tests of the real
// client. An engine is asked for what the test has prepared, or the test fails.
type fakeEngine struct {
	tb     testing.TB
	server *httptest.Server

	mu     sync.Mutex
	routes map[string]http.HandlerFunc // by method and path, without the version
	boxes  []object                    // containers, as inspect shows them
	asked  []asked
}

// asked is one question to the engine.
type asked struct {
	method, path, query, body string
}

func newFakeEngine(tb testing.TB) *fakeEngine {
	tb.Helper()
	return newFakeEngineOn(tb, httptest.NewServer)
}

// newFakeEngineOn is a fake engine on a server of another kind, such as
// [httptest.NewTLSServer].
func newFakeEngineOn(tb testing.TB, serve func(http.Handler) *httptest.Server) *fakeEngine {
	tb.Helper()
	e := &fakeEngine{tb: tb, routes: map[string]http.HandlerFunc{}}
	e.server = serve(e)
	tb.Cleanup(e.server.Close)
	e.handle("HEAD /_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.41") })
	e.answer("GET /info", http.StatusOK, `{"ID": "SS5V:7QY7", "Architecture": "x86_64", "Driver": "overlay2"}`)
	e.handle("GET /containers/json", e.list)
	return e
}

// host is where the engine listens, as DOCKER_HOST has it.
func (e *fakeEngine) host() string {
	address := e.server.Listener.Addr()
	return address.Network() + "://" + address.String()
}

// open is the environment of compose project shop on the engine.
func (e *fakeEngine) open(options ...func(*opening)) *docker.Environment {
	e.tb.Helper()
	o := opening{Config: docker.Config{Host: e.host(), Project: "shop"}}
	for _, option := range options {
		option(&o)
	}
	env, err := docker.Open(e.tb.Context(), &o.Config, o.Options)
	if err != nil {
		e.tb.Fatal(err)
	}
	e.tb.Cleanup(func() { _ = env.Close() })
	return env
}

// handle prepares an answer; route is a method and a path.
func (e *fakeEngine) handle(route string, answer http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.routes[route] = answer
}

func (e *fakeEngine) answer(route string, status int, body string) {
	e.handle(route, func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) })
}

func reply(w http.ResponseWriter, status int, body string) {
	kind := "application/json"
	if strings.HasPrefix(body, "<") {
		kind = "text/html"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// ServeHTTP implements [http.Handler].
func (e *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	path := regexp.MustCompile(`^/v\d+\.\d+`).ReplaceAllString(r.URL.Path, "")
	e.mu.Lock()
	e.asked = append(e.asked, asked{r.Method, path, r.URL.RawQuery, string(body)})
	answer, ok := e.routes[r.Method+" "+path]
	e.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	if ok {
		answer(w, r)
		return
	}
	if id, inspects := strings.CutSuffix(strings.TrimPrefix(path, "/containers/"), "/json"); inspects && r.Method == http.MethodGet {
		e.inspect(w, id)
		return
	}
	e.tb.Errorf("the engine was asked %s %s, for which the test has no answer", r.Method, path)
	reply(w, http.StatusNotFound, `{"message":"page not found"}`)
}

// questions are the questions to a route, so far.
func (e *fakeEngine) questions(method, path string) []asked {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []asked
	for _, a := range e.asked {
		if a.method == method && a.path == path {
			all = append(all, a)
		}
	}
	return all
}

// add puts containers on the engine.
func (e *fakeEngine) add(boxes ...object) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.boxes = append(e.boxes, boxes...)
}

// remove takes a container off the engine.
func (e *fakeEngine) remove(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.boxes = slices.DeleteFunc(e.boxes, func(box object) bool { return box["Id"] == id })
}

// list lists the containers that have all labels of the filter, as the engine does.
func (e *fakeEngine) list(w http.ResponseWriter, r *http.Request) {
	var filters struct{ Label map[string]bool }
	if text := r.URL.Query().Get("filters"); text != "" {
		if err := json.Unmarshal([]byte(text), &filters); err != nil {
			reply(w, http.StatusBadRequest, `{"message":"invalid filter"}`)
			return
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	found := []object{}
	for _, box := range e.boxes {
		labels := at(box, "Config", "Labels")
		if !slices.ContainsFunc(keys(filters.Label), func(want string) bool { return !labelled(labels, want) }) {
			found = append(found, object{"Id": box["Id"], "Names": []any{box["Name"]}, "Labels": labels, "State": at(box, "State")["Status"]})
		}
	}
	data, _ := json.Marshal(found)
	reply(w, http.StatusOK, string(data))
}

func keys(m map[string]bool) []string {
	var all []string
	for key := range m {
		all = append(all, key)
	}
	return all
}

func labelled(labels object, want string) bool {
	key, value, hasValue := strings.Cut(want, "=")
	found, ok := labels[key]
	return ok && (!hasValue || found == value)
}

func (e *fakeEngine) inspect(w http.ResponseWriter, id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, box := range e.boxes {
		if box["Id"] == id {
			data, _ := json.Marshal(box)
			reply(w, http.StatusOK, string(data))
			return
		}
	}
	reply(w, http.StatusNotFound, fmt.Sprintf(`{"message":"No such container: %s"}`, id))
}

// opened is a handle's capability on a container.
func opened[C any](tb testing.TB, env *docker.Environment, id string) C {
	tb.Helper()
	h, err := env.Open(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	capability, err := target.As[C](h)
	if err != nil {
		tb.Fatal(err)
	}
	return capability
}

// decode decodes JSON that the engine was sent.
func decode(tb testing.TB, text string, into any) {
	tb.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		tb.Fatalf("%v: %s", err, text)
	}
}

// text is an object as JSON.
func text(o object) string {
	data, _ := json.Marshal(o)
	return string(data)
}
