package docker_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// Containers come and go while they are listed.
func TestGoneWhileListed(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("a"), rig.Box("b"), rig.Box("c"))
	e.Answer("GET /containers/b/json", http.StatusNotFound, `{"message":"No such container: b"}`)
	env := e.open()
	all, err := env.Find(t.Context(), target.Selector{})
	if err != nil || ids(all) != "a c" {
		t.Errorf("%s %v", ids(all), err)
	}
	for doing, err := range map[string]error{"open": open(t, env, "b"), "look": look(t, env, e, "c")} {
		if !errors.Is(err, target.ErrGone) || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("%s: %v, expected that it is gone", doing, err)
		}
	}
}

func open(t *testing.T, env *docker.Environment, id string) error {
	t.Helper()
	_, err := env.Open(t.Context(), id)
	return err
}

// look opens a container, takes it away, and looks at it.
func look(t *testing.T, env *docker.Environment, e *fakeEngine, id string) error {
	t.Helper()
	h := opened[target.Handle](t, env, id)
	e.Remove(id)
	_, err := h.Look(t.Context())
	return err
}

// An error of the engine is never an empty environment, nor that a component is gone.
func TestEngineErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"500":               {failing(http.StatusInternalServerError, `{"message":"database is locked"}`), "database is locked"},
		"409":               {failing(http.StatusConflict, `{"message":"removal in progress"}`), "removal in progress"},
		"503 of a proxy":    {failing(http.StatusServiceUnavailable, `<html>try later</html>`), "try later"},
		"no JSON":           {failing(http.StatusOK, `<html>hello</html>`), "invalid character"},
		"JSON that is cut":  {failing(http.StatusOK, `[{"Id":`), "unexpected EOF"},
		"a lost connection": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("a"), rig.Box("b"))
			env := e.open()
			e.Handle("GET /containers/b/json", c.answer)
			_, err := env.Find(t.Context(), target.Selector{})
			wants(t, err, "inspect container b: ", c.says)
			wants(t, open(t, env, "b"), "open container b: ", c.says)
			e.Handle("GET /containers/json", c.answer)
			_, err = env.Find(t.Context(), target.Selector{})
			wants(t, err, "list containers: ", c.says)
		})
	}
}

func failing(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { rig.Reply(w, status, body) }
}

// wants is an error that says what was being done, and what the engine said.
func wants(t *testing.T, err error, doing, says string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), doing) || !strings.Contains(err.Error(), says) || errors.Is(err, target.ErrGone) {
		t.Errorf("%v: expected %q and %q", err, doing, says)
	}
}

// An engine that does not answer is not waited for longer than ctx.
func TestFindWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("a"))
	env := e.open()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	e.Handle("GET /containers/a/json", func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	if _, err := env.Find(ctx, target.Selector{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, expected that time is up", err)
	}
}
