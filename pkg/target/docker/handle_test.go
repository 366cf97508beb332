package docker_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// order is something that the engine is told to do with a container.
type order struct {
	name  string
	route string // the last part of its path
	give  func(ctx context.Context, t *testing.T, env *docker.Environment) error
}

func orders() []order {
	return []order{
		{"kill", "kill", func(ctx context.Context, t *testing.T, env *docker.Environment) error {
			t.Helper()
			return opened[target.Killer](t, env, "db").Kill(ctx)
		}},
		{"stop", "stop", func(ctx context.Context, t *testing.T, env *docker.Environment) error {
			t.Helper()
			return opened[target.Stopper](t, env, "db").Stop(ctx)
		}},
		{"start", "start", func(ctx context.Context, t *testing.T, env *docker.Environment) error {
			t.Helper()
			return opened[target.Starter](t, env, "db").Start(ctx)
		}},
		{"pause", "pause", func(ctx context.Context, t *testing.T, env *docker.Environment) error {
			t.Helper()
			return opened[target.Pauser](t, env, "db").Pause(ctx)
		}},
		{"unpause", "unpause", func(ctx context.Context, t *testing.T, env *docker.Environment) error {
			t.Helper()
			return opened[target.Pauser](t, env, "db").Unpause(ctx)
		}},
	}
}

// Each order is one call, with what the engine needs for it; no answer but success is
// taken for one.
func TestOrders(t *testing.T) {
	t.Parallel()
	for _, o := range orders() {
		for name, c := range map[string]struct {
			status int
			body   string
			says   string // in the error, if there is one
			gone   bool
		}{
			"done":     {http.StatusNoContent, "", "", false},
			"gone":     {http.StatusNotFound, `{"message":"No such container: db"}`, "it is gone", true},
			"refused":  {http.StatusConflict, `{"message":"Container db is not running"}`, "is not running", false},
			"broken":   {http.StatusInternalServerError, `{"message":"cannot signal process"}`, "cannot signal process", false},
			"by proxy": {http.StatusBadGateway, "<html>bad gateway</html>", "bad gateway", false},
		} {
			t.Run(o.name+", "+name, func(t *testing.T) {
				t.Parallel()
				e := newFakeEngine(t)
				e.Add(rig.Box("db"))
				e.Answer("POST /containers/db/"+o.route, c.status, c.body)
				err := o.give(t.Context(), t, e.open())
				if (err == nil) != (c.says == "") || errors.Is(err, target.ErrGone) != c.gone {
					t.Fatalf("%v, expected %q", err, c.says)
				}
				if err != nil && (!strings.HasPrefix(err.Error(), o.name+" container db: ") || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%v, expected %q", err, c.says)
				}
				if n := len(e.Questions("POST", "/containers/db/"+o.route)); n != 1 {
					t.Errorf("the engine was told %d times", n)
				}
			})
		}
	}
}

// A container that runs is told to start: the engine answers 304 and leaves it alone.
func TestStartWhatRuns(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db"))
	e.Handle("POST /containers/db/start", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	e.Handle("POST /containers/db/stop", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	s := opened[target.Stopper](t, e.open(), "db")
	if err := errors.Join(s.Start(t.Context()), s.Stop(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestOrdersInTheEnginesWords(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db"))
	e.Answer("POST /containers/db/kill", http.StatusNoContent, "")
	e.Answer("POST /containers/db/stop", http.StatusNoContent, "")
	env := e.open()
	if err := errors.Join(opened[target.Killer](t, env, "db").Kill(t.Context()), opened[target.Stopper](t, env, "db").Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]url.Values{"kill": {"signal": {"SIGKILL"}}, "stop": {"t": {"10"}}} {
		if got := e.Questions("POST", "/containers/db/"+path)[0].Query; got != want.Encode() {
			t.Errorf("%s: %s, expected %s", path, got, want.Encode())
		}
	}
}

// An ID is cut to the engine's short form in errors.
func TestOrdersShortenIDs(t *testing.T) {
	t.Parallel()
	const id = "077a3d9b1922045bd656e83951670942a61fbdebd0d3ddca396922ebc59f07c7"
	e := newFakeEngine(t)
	e.Add(rig.Box(id))
	e.Answer("POST /containers/"+id+"/kill", http.StatusConflict, `{"message":"is not running"}`)
	err := opened[target.Killer](t, e.open(), id).Kill(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "kill container 077a3d9b1922: ") {
		t.Error(err)
	}
}

// What does not run cannot crash, and needs no helper to find that out.
func TestCrashOfWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db", rig.State("exited"), rig.Set(0, "State", "Pid")))
	c := opened[target.Crasher](t, e.open(), "db")
	if err := c.Crash(t.Context()); err == nil || err.Error() != "crash container db: it does not run" {
		t.Error(err)
	}
	e.Remove("db")
	if err := c.Crash(t.Context()); !errors.Is(err, target.ErrGone) {
		t.Errorf("%v, expected that it is gone", err)
	}
}

// A handle finds components behind the same fence as its environment.
func TestFindFromAHandle(t *testing.T) {
	t.Parallel()
	type finder interface {
		Find(ctx context.Context, selector target.Selector) ([]target.Component, error)
	}
	e := newFakeEngine(t)
	e.Add(rig.Box("db"), rig.Box("app", rig.Service("app")), rig.Box("other", rig.With("com.docker.compose.project=bank")))
	h := opened[finder](t, e.open(), "db")
	for want, selector := range map[string]target.Selector{"app db": {}, "app": {Service: "app"}} {
		if got, err := h.Find(t.Context(), selector); err != nil || ids(got) != want {
			t.Errorf("%s: %q %v, expected %q", selector, ids(got), err, want)
		}
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Answer("GET /version", http.StatusOK, `{"Version":"20.10.24+dfsg1","ApiVersion":"1.41","KernelVersion":"6.18.44","Os":"linux","Arch":"amd64","Components":[]}`)
	env := e.open()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // they are wanted for the record of a run that was cut short, too
	got := env.Versions(ctx)
	if len(got) != 4 || got["docker"] != "20.10.24+dfsg1" || got["api"] != "1.41" || got["kernel"] != "6.18.44" || got["os"] != "linux/amd64" {
		t.Errorf("%v", got)
	}
	e.Answer("GET /version", http.StatusInternalServerError, `{"message":"oops"}`)
	if got := env.Versions(t.Context()); got != nil {
		t.Errorf("%v, though the engine did not say", got)
	}
}
