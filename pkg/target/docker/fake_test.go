package docker_test

import (
	"embed"
	"encoding/binary"
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

// edit changes a recorded answer.
type edit func(object)

// box is a running container of compose project shop; its id is its name.
func box(name string, edits ...edit) object {
	o := load("testdata/container.json")
	o["Id"], o["Name"] = name, "/"+name
	delete(at(o, "State"), "Health")
	at(o, "Config")["Labels"] = object{"com.docker.compose.project": "shop", "com.docker.compose.oneoff": "False"}
	for _, change := range edits {
		change(o)
	}
	return o
}

func load(path string) object {
	data, err := recorded.ReadFile(path)
	if err != nil {
		panic(err)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		panic(err)
	}
	return o
}

// at is the object at a path of keys.
func at(o object, path ...string) object {
	for _, key := range path {
		next, ok := o[key].(object)
		if !ok {
			next = object{}
			o[key] = next
		}
		o = next
	}
	return o
}

// set sets the value at a path of keys.
func set(value any, path ...string) edit {
	return func(o object) { at(o, path[:len(path)-1]...)[path[len(path)-1]] = value }
}

// with adds labels, key=value.
func with(labels ...string) edit {
	return func(o object) {
		for _, label := range labels {
			key, value, _ := strings.Cut(label, "=")
			at(o, "Config", "Labels")[key] = value
		}
	}
}

// service makes it a container of a compose service.
func service(name string) edit { return with("com.docker.compose.service=" + name) }

// state sets flags of the state, in the engine's words.
func state(status string, flags ...string) edit {
	return func(o object) {
		s := at(o, "State")
		s["Status"], s["Running"] = status, false
		for _, flag := range flags {
			s[flag] = true
		}
	}
}

// networks replaces the networks. Each is "name address gateway", then, if it has
// them, IPv6 address and gateway; - stands for none.
func networks(all ...string) edit {
	return func(o object) {
		found := object{}
		for _, text := range all {
			f := append(strings.Fields(text), "-", "-", "-", "-")
			for i := range f {
				f[i] = strings.TrimPrefix(f[i], "-")
			}
			found[f[0]] = object{"NetworkID": "id-of-" + f[0], "IPAddress": f[1], "Gateway": f[2], "GlobalIPv6Address": f[3], "IPv6Gateway": f[4]}
		}
		at(o, "NetworkSettings")["Networks"] = found
	}
}

// execution is how a command in a container goes.
type execution struct {
	stream func(w io.Writer) // writes its output, in frames
	states []string          // answers to looks at it; the last one is repeated
}

// exec prepares the execution of a command in a container.
func (e *fakeEngine) exec(id string, x execution) {
	exec := "exec-in-" + id
	e.answer("POST /containers/"+id+"/exec", http.StatusCreated, fmt.Sprintf(`{"Id":%q}`, exec))
	e.handle("POST /exec/"+exec+"/start", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			e.tb.Errorf("hijack: %v", err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		if x.stream != nil {
			x.stream(conn)
		}
	})
	var mu sync.Mutex
	e.handle("GET /exec/"+exec+"/json", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		reply(w, http.StatusOK, x.states[0])
		if len(x.states) > 1 {
			x.states = x.states[1:]
		}
	})
}

// The states of an execution, as the engine records them.
const (
	execBegins = `{"ID":"x","Running":false,"ExitCode":null,"OpenStdout":true,"Pid":0}`
	execRuns   = `{"ID":"x","Running":true,"ExitCode":null,"OpenStdout":true,"Pid":0}`
)

func execEnds(code int) string {
	return fmt.Sprintf(`{"ID":"x","Running":false,"ExitCode":%d,"OpenStdout":true,"Pid":13276}`, code)
}

// The kinds of a frame.
const (
	toStdout   = 1
	toStderr   = 2
	fromEngine = 3
)

// frame is text as the engine writes it to an attached stream.
func frame(kind byte, text string) string {
	header := [8]byte{kind}
	binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
	return string(header[:]) + text
}

// says is an execution's stream of one frame for each text.
func says(texts ...string) func(io.Writer) {
	return func(w io.Writer) {
		for _, text := range texts {
			_, _ = io.WriteString(w, frame(toStdout, text))
		}
	}
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
