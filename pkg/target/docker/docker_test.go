package docker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

func find(t *testing.T, b *enginetest.Bed, s target.Selector) []string {
	t.Helper()
	found, err := b.Env.Find(t.Context(), s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	ids := make([]string, len(found))
	for i, c := range found {
		ids[i] = c.ID
	}
	return ids
}

func same(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

func TestSelection(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t, func(o *enginetest.Options) {
		o.Roles = map[string]target.Role{
			"labelled": {Label: "role=primary"},
			"web":      {Ask: over{Port: 8080, Path: "/healthz"}.ask},
			"never":    {Ask: over{Port: 8080, Path: "/healthz", Status: 418}.ask},
			"command":  {Among: target.Selector{Zone: "b"}, Command: []string{"/gameday-lab", "help"}},
			"refusing": {Command: []string{"/gameday-lab", "no-such-command"}},
		}
		o.Protect = []target.Selector{{Zone: "b"}}
	})
	one := b.Start("no", "com.docker.compose.service=app", "gameday.zone=a", "role=primary")
	two := b.Start("no", "com.docker.compose.service=app", "gameday.zone=b")
	three := b.Start("no", "com.docker.compose.service=db", "gameday.protect=true")
	b.Start("no", "gameday.helper=x") // never a component

	for _, c := range []struct {
		s    target.Selector
		want []string
	}{
		{target.Selector{}, []string{one, two, three}},
		{target.Selector{Service: "app"}, []string{one, two}},
		{target.Selector{Service: "app", Zone: "b"}, []string{two}},
		{target.Selector{Label: "role=primary"}, []string{one}},
		{target.Selector{Label: "role"}, []string{one}},
		{target.Selector{Label: "role=secondary"}, nil},
		{target.Selector{Role: "labelled"}, []string{one}},
		{target.Selector{Role: "web"}, []string{one, two, three}},
		{target.Selector{Role: "web", Service: "db"}, []string{three}},
		{target.Selector{Role: "command"}, []string{two}},
	} {
		if got := find(t, b, c.s); !same(got, c.want) {
			t.Errorf("%s: %v, expected %v", c.s, got, c.want)
		}
	}
	for _, role := range []string{"never", "refusing"} {
		if _, err := b.Env.Find(t.Context(), target.Selector{Role: role}); !errors.Is(err, target.ErrNoRole) {
			t.Errorf("role %s: %v", role, err)
		}
	}
	if _, err := b.Env.Find(t.Context(), target.Selector{Role: "undeclared"}); err == nil || !strings.Contains(err.Error(), "labelled") {
		t.Errorf("an undeclared role: %v", err)
	}

	components, err := b.Env.Find(t.Context(), target.Selector{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range components {
		if c.Protected != (c.ID == two || c.ID == three) || !c.Up() || !c.Networks[0].Address.IsValid() {
			t.Errorf("%+v", c)
		}
	}
	// A role is asked now: who is paused does not hold it any more.
	if err := b.Client.ContainerPause(t.Context(), two); err != nil {
		t.Fatal(err)
	}
	if got := find(t, b, target.Selector{Role: "web"}); !same(got, []string{one, three}) {
		t.Errorf("web, after a pause: %v", got)
	}
}

func TestTheFence(t *testing.T) {
	t.Parallel()
	b, other := enginetest.New(t), enginetest.New(t)
	inside, outside := b.Start("no"), other.Start("no")
	if got := find(t, b, target.Selector{}); !same(got, []string{inside}) {
		t.Errorf("found %v", got)
	}
	if _, err := b.Env.Open(t.Context(), outside); err == nil || !strings.Contains(err.Error(), "outside the fence") {
		t.Errorf("opened what lies outside: %v", err)
	}
	other.Remove(outside)
	if _, err := b.Env.Open(t.Context(), outside); !errors.Is(err, target.ErrGone) {
		t.Errorf("opened what is gone: %v", err)
	}
	if _, err := docker.Open(t.Context(), &docker.Config{}, target.Options{}); err == nil {
		t.Error("opened an environment without a fence")
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	id := b.Start("no")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	events := make(chan target.Event, 100)
	watching := make(chan error, 1)
	go func() { watching <- b.Env.Watch(ctx, func(e target.Event) { events <- e }) }()
	// Until the watch is on, events are missed: pause until one is seen.
	name := strings.TrimPrefix(b.Inspect(id).Name, "/")
	b.Eventually("an event is seen", func() bool {
		_ = b.Client.ContainerPause(ctx, id)
		_ = b.Client.ContainerUnpause(ctx, id)
		select {
		case e := <-events:
			return e.Component == name && e.Action == "pause" && time.Since(e.At).Abs() < time.Minute
		case <-time.After(100 * time.Millisecond):
			return false
		}
	})
	stop()
	if err := <-watching; err != nil {
		t.Error(err)
	}
}

func TestExec(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	h := b.Open(b.Start("no"))
	execer, err := target.As[target.Execer](h)
	if err != nil {
		t.Fatal(err)
	}
	r, err := execer.Exec(t.Context(), []string{"/gameday-lab", "help"})
	if err != nil || r.ExitCode != 0 || !strings.HasPrefix(r.Output, "usage: gameday-lab ") {
		t.Errorf("%+v %v", r, err)
	}
	if r, err = execer.Exec(t.Context(), []string{"/gameday-lab", "nonsense"}); err != nil || r.ExitCode != 2 {
		t.Errorf("%+v %v", r, err)
	}
}

// A context chosen with `docker context use` reaches the engine that it names.
func TestContexts(t *testing.T) {
	b := enginetest.New(t)
	host := b.Env.Host()
	dir := t.TempDir()
	sum := sha256.Sum256([]byte("there"))
	meta := filepath.Join(dir, "contexts", "meta", hex.EncodeToString(sum[:]))
	data, err := json.Marshal(map[string]any{"Name": "there", "Endpoints": map[string]any{"docker": map[string]any{"Host": host}}})
	if err := errors.Join(err, os.MkdirAll(meta, 0o700), os.WriteFile(filepath.Join(meta, "meta.json"), data, 0o600),
		os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"currentContext": "there"}`), 0o600)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
	t.Setenv("DOCKER_HOST", "")
	for _, c := range []docker.Config{{Context: "there"}, {}, {Host: host}} {
		engine, err := docker.Connect(t.Context(), &c)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		_ = engine.Close()
	}
	pinned, err := (&docker.Config{Project: "p"}).Pin()
	if diff := cmp.Diff(&docker.Config{Project: "p", Context: "there"}, pinned); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	if _, err := docker.Connect(t.Context(), &docker.Config{Context: "nowhere"}); err == nil {
		t.Error("a context that is not there was reached")
	}
}
