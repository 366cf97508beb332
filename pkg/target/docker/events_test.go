package docker_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// streaming answers with a text, and then with nothing more until the client has had
// enough.
func streaming(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, text)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// watch watches until so many events were seen.
func watch(t *testing.T, env *docker.Environment, n int) []target.Event {
	t.Helper()
	ctx, enough := context.WithTimeout(t.Context(), patience)
	defer enough()
	var got []target.Event
	if err := env.Watch(ctx, func(e target.Event) {
		if got = append(got, e); len(got) == n {
			enough()
		}
	}); err != nil {
		t.Errorf("the end of a watch that was long enough: %v", err)
	}
	return got
}

// As Docker 20.10 tells of a container that is started, runs two commands, and is
// killed.
func TestRecordedEvents(t *testing.T) {
	t.Parallel()
	events, err := recorded.ReadFile("testdata/events.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	e := newFakeEngine(t)
	e.Handle("GET /events", streaming(string(events)))
	got := watch(t, e.open(), 3)
	second := time.Date(2026, 11, 26, 23, 48, 0, 0, time.UTC)
	want := []target.Event{
		{At: second.Add(6*time.Second + 889035966), Component: "shop-db-1", Action: "start"},
		{At: second.Add(7*time.Second + 437699961), Component: "shop-db-1", Action: "kill"},
		{At: second.Add(7*time.Second + 474262851), Component: "shop-db-1", Action: "die", Detail: "exit code 137"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	query, err := url.ParseQuery(e.Questions("GET", "/events")[0].Query)
	if err != nil {
		t.Fatal(err)
	}
	var filters map[string]map[string]bool
	decode(t, query.Get("filters"), &filters)
	if diff := cmp.Diff(map[string]map[string]bool{"type": {"container": true}, "label": {"com.docker.compose.project=shop": true}}, filters); diff != "" {
		t.Error(diff)
	}
}

func TestEventsOfComponentsOnly(t *testing.T) {
	t.Parallel()
	event := func(action, attributes string) string {
		return `{"Type":"container","Action":"` + action + `","Actor":{"ID":"1","Attributes":{` + attributes + `}},"timeNano":1}`
	}
	for name, c := range map[string]struct {
		event string
		want  string
	}{
		"paused":                     {event("pause", `"name":"db"`), "db pause "},
		"healthy":                    {event("health_status: healthy", `"name":"db"`), "db health_status: healthy "},
		"died":                       {event("die", `"name":"db","exitCode":"3"`), "db die exit code 3"},
		"died well":                  {event("die", `"name":"db","exitCode":"0"`), "db die exit code 0"},
		"out of memory":              {event("oom", `"name":"db"`), "db oom "},
		"a helper":                   {event("start", `"name":"odd_name","gameday.helper":"1"`), ""},
		"a command":                  {event("exec_create: true", `"name":"db"`), ""},
		"a command's end":            {event("exec_die", `"name":"db","exitCode":"1"`), ""},
		"a command's health check":   {event("exec_start: /bin/sh -c true", `"name":"db"`), ""},
		"a name that begins like it": {event("executed", `"name":"db"`), "db executed "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Handle("GET /events", streaming(c.event+event("last", `"name":"db"`)))
			want := []string{c.want, "db last "}
			if c.want == "" {
				want = want[1:]
			}
			var got []string
			for _, e := range watch(t, e.open(), len(want)) {
				got = append(got, e.Component+" "+e.Action+" "+e.Detail)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Events that can no longer be had are an error, and not a quiet environment.
func TestEventsThatEnd(t *testing.T) {
	t.Parallel()
	pause := `{"Type":"container","Action":"pause","Actor":{"Attributes":{"name":"db"}},"timeNano":1}`
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"the engine ends":     {failing(http.StatusOK, pause), "EOF"},
		"in the midst of one": {failing(http.StatusOK, pause[:30]), "unexpected EOF"},
		"no event":            {failing(http.StatusOK, "<html>"), "invalid character"},
		"refused":             {failing(http.StatusInternalServerError, `{"message":"too many watchers"}`), "too many watchers"},
		"no answer":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Handle("GET /events", c.answer)
			err := e.open().Watch(t.Context(), func(target.Event) {})
			if err == nil || !strings.HasPrefix(err.Error(), "watch the engine's events: ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, expected %q", err, c.says)
			}
		})
	}
}
