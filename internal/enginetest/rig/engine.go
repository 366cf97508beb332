package rig

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// Engine is a Docker engine that gives recorded answers. A test fails if it is asked for
// what was neither recorded nor prepared by the test.
type Engine struct {
	Server *httptest.Server

	tb       testing.TB
	recorded Recording
	end      chan struct{} // closed after the test

	mu       sync.Mutex
	routes   map[string]http.HandlerFunc // by method and path, without the version
	boxes    []Object                    // containers, as inspect shows them
	helpers  map[string]chan struct{}    // closed when one ends, by ID
	watchers []chan Object               // of events
	asked    []Asked
	made     int // containers
}

// Asked is one question to the engine.
type Asked struct {
	Method, Path, Query, Body string
}

// New is an engine without containers. It ends after the test.
func New(tb testing.TB, boxes ...Object) *Engine {
	tb.Helper()
	return NewOn(tb, httptest.NewServer, boxes...)
}

// NewOn is an engine on a server of another kind, such as [httptest.NewTLSServer].
func NewOn(tb testing.TB, serve func(http.Handler) *httptest.Server, boxes ...Object) *Engine {
	tb.Helper()
	e := &Engine{tb: tb, recorded: Recorded(), end: make(chan struct{}), routes: map[string]http.HandlerFunc{}, helpers: map[string]chan struct{}{}}
	e.Add(boxes...)
	e.Server = serve(e)
	tb.Cleanup(func() {
		close(e.end)
		e.Server.CloseClientConnections()
		e.Server.Close()
	})
	return e
}

// Host is where the engine listens, as DOCKER_HOST has it.
func (e *Engine) Host() string {
	address := e.Server.Listener.Addr()
	return address.Network() + "://" + address.String()
}

// Handle prepares an answer; route is a method and a path.
func (e *Engine) Handle(route string, answer http.HandlerFunc) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.routes[route] = answer
}

// Answer prepares an answer that is always the same.
func (e *Engine) Answer(route string, status int, body string) {
	e.Handle(route, func(w http.ResponseWriter, _ *http.Request) { Reply(w, status, body) })
}

// Reply writes an answer.
func Reply(w http.ResponseWriter, status int, body string) {
	kind := "application/json"
	if strings.HasPrefix(body, "<") {
		kind = "text/html"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func replyJSON(w http.ResponseWriter, status int, o any) {
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	Reply(w, status, string(data))
}

// ServeHTTP implements [http.Handler].
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	path := regexp.MustCompile(`^/v\d+\.\d+`).ReplaceAllString(r.URL.Path, "")
	e.mu.Lock()
	e.asked = append(e.asked, Asked{r.Method, path, r.URL.RawQuery, string(body)})
	prepared, ok := e.routes[r.Method+" "+path]
	e.mu.Unlock()
	for key, value := range e.recorded.Ping {
		if text, isText := value.(string); isText {
			w.Header().Set(key, text)
		}
	}
	if ok {
		prepared(w, r)
		return
	}
	if !e.serve(w, r, question{r.Method, path, body}) {
		e.tb.Errorf("the engine was asked %s %s, which was not recorded, and for which the test has no answer", r.Method, path)
		Reply(w, http.StatusNotFound, `{"message":"page not found"}`)
	}
}

// question is a request without the version of the API.
type question struct {
	method, path string
	body         []byte
}

// serve answers what was recorded, and reports whether it could.
func (e *Engine) serve(w http.ResponseWriter, r *http.Request, q question) bool {
	switch q.method + " " + q.path {
	case "HEAD /_ping", "GET /_ping":
		w.WriteHeader(http.StatusOK)
	case "GET /info":
		replyJSON(w, http.StatusOK, e.recorded.Info)
	case "GET /version":
		replyJSON(w, http.StatusOK, e.recorded.Version)
	case "GET /containers/json":
		e.list(w, r)
	case "GET /events":
		e.stream(w, r)
	case "POST /containers/create":
		e.create(w, r, q.body)
	default:
		return e.serveOne(w, r, q)
	}
	return true
}

// serveOne answers what is about one container, or one image.
func (e *Engine) serveOne(w http.ResponseWriter, r *http.Request, q question) bool {
	if strings.HasPrefix(q.path, "/images/") && strings.HasSuffix(q.path, "/json") && q.method == http.MethodGet {
		Reply(w, http.StatusOK, `{"Id":"sha256:aaaa"}`) // all images are there
		return true
	}
	id, order, _ := strings.Cut(strings.TrimPrefix(q.path, "/containers/"), "/")
	if !strings.HasPrefix(q.path, "/containers/") {
		return false
	}
	switch q.method + " " + order {
	case "GET json":
		e.Inspect(w, id)
	case "DELETE ":
		e.delete(w, id)
	case "POST wait":
		e.wait(w, r, id)
	case "POST attach":
		e.attach(w, id)
	default:
		return q.method == http.MethodPost && e.order(w, id, order, q.body)
	}
	return true
}

// Questions are the questions to a route, so far. An empty path is that of all.
func (e *Engine) Questions(method, path string) []Asked {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Asked
	for _, a := range e.asked {
		if a.Method == method && (path == "" || a.Path == path) {
			all = append(all, a)
		}
	}
	return all
}

// Orders are the orders so far, such as "POST /containers/db/kill": all that is more than a
// question, but what is about gameday's own helpers.
func (e *Engine) Orders() (all []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range e.asked {
		id, _, _ := strings.Cut(strings.TrimPrefix(a.Path, "/containers/"), "/")
		if _, helper := e.helpers[id]; !helper && a.Path != "/containers/create" && a.Method != http.MethodGet && a.Method != http.MethodHead {
			all = append(all, a.Method+" "+a.Path)
		}
	}
	return all
}

// Add puts containers on the engine.
func (e *Engine) Add(boxes ...Object) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.boxes = append(e.boxes, boxes...)
}

// Remove takes a container off the engine.
func (e *Engine) Remove(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.gone(id)
}

// Status is the status of a container, such as exited, or "" if it is not there.
func (e *Engine) Status(id string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if box := e.box(id); box != nil {
		status, _ := At(box, "State")["Status"].(string)
		return status
	}
	return ""
}

// box is the container with an ID or a name, or nil. The caller holds mu.
func (e *Engine) box(id string) Object {
	for _, box := range e.boxes {
		if box["Id"] == id || box["Name"] == "/"+id {
			return box
		}
	}
	return nil
}
