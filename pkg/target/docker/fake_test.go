package docker_test

import (
	"embed"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// recorded are more answers of Docker Engine 20.10 than the rig has, shortened.
//
//go:embed testdata
var recorded embed.FS

// fakeEngine is the rig, and what only tests of its driver need.
type fakeEngine struct {
	*rig.Engine

	tb testing.TB
}

func newFakeEngine(tb testing.TB) *fakeEngine {
	tb.Helper()
	return newFakeEngineOn(tb, httptest.NewServer)
}

func newFakeEngineOn(tb testing.TB, serve func(http.Handler) *httptest.Server) *fakeEngine {
	tb.Helper()
	return &fakeEngine{rig.NewOn(tb, serve), tb}
}

// open is the environment of compose project shop on the engine.
func (e *fakeEngine) open(options ...func(*opening)) *docker.Environment {
	e.tb.Helper()
	o := opening{Config: docker.Config{Host: e.Host(), Project: "shop"}}
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
func text(o rig.Object) string {
	data, _ := json.Marshal(o)
	return string(data)
}
