package docker_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
)

// logger is what a handle can do beside the capabilities of package target.
type logger interface {
	Logs(ctx context.Context, since time.Time, lines int) (string, error)
}

func TestLogs(t *testing.T) {
	t.Parallel()
	both := frame(toStdout, "2026-11-26T23:47:36Z begins\n") + frame(toStderr, "2026-11-26T23:47:37Z complains\n")
	for name, c := range map[string]struct {
		tty    bool
		status int
		body   string
		want   string
		says   string // in the error, if there is one
	}{
		"both streams in their order": {body: both, want: "2026-11-26T23:47:36Z begins\n2026-11-26T23:47:37Z complains\n"},
		"nothing":                     {},
		"a terminal":                  {tty: true, body: "2026-11-26T23:47:36Z plain\r\n", want: "2026-11-26T23:47:36Z plain\r\n"},
		"cut within a frame":          {body: both[:len(both)-5], says: "unexpected EOF"},
		"cut within a header":         {body: both + "\x01\x00", says: "unexpected EOF"},
		"of a driver that cannot":     {status: http.StatusInternalServerError, body: `{"message":"configured logging driver does not support reading"}`, says: "does not support reading"},
		"gone":                        {status: http.StatusNotFound, body: `{"message":"No such container: db"}`, says: "is gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db", rig.Set(c.tty, "Config", "Tty")))
			e.Answer("GET /containers/db/logs", max(c.status, http.StatusOK), c.body)
			since := time.Date(2026, 11, 27, 0, 0, 0, 5, time.FixedZone("CET", 3600))
			got, err := opened[logger](t, e.open(), "db").Logs(t.Context(), since, 7)
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), "read the log of container db") || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v: expected %q", err, c.says)
			}
			if got != c.want {
				t.Errorf("%q, expected %q", got, c.want)
			}
			query, err := url.ParseQuery(e.Questions("GET", "/containers/db/logs")[0].Query)
			if err != nil || query.Get("tail") != "7" || query.Get("since") != "1795734000.000000005" || query.Get("stdout") != "1" || query.Get("stderr") != "1" || query.Get("follow") != "" {
				t.Errorf("asked for %v %v", query, err)
			}
		})
	}
}

func TestLogsOfWhatIsGone(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db"))
	h := opened[logger](t, e.open(), "db")
	e.Remove("db")
	if _, err := h.Logs(t.Context(), time.Now(), 1); err == nil || !strings.Contains(err.Error(), "read the log of container db: it is gone") {
		t.Error(err)
	}
}

// The engine has begun to answer, hence its status is 200, when an image cannot be
// had: the answer's messages say so.
func TestImageAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, says string }{
		"well":                          {`{"status":"Pulling"}` + "\n" + `{"status":"Digest: sha256:1"}`, ""},
		"nothing":                       {"", ""},
		"an error, as engines write it": {`{"status":"Pulling"}{"errorDetail":{"message":"no space left on device"},"error":"no space left on device"}`, "no space left on device"},
		"an error in detail only":       {`{"errorDetail":{"code":1,"message":"no space left on device"}}`, "no space left on device"},
		"an error without detail":       {`{"error":"toomanyrequests"}`, "toomanyrequests"},
		"a message after the error":     {`{"error":"unauthorized"}{"status":"done"}`, "unauthorized"},
		"cut":                           {`{"status":"Pulling"}{"stat`, "read the engine's answer: unexpected EOF"},
		"no JSON":                       {`<html>proxy</html>`, "read the engine's answer: invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			engine := e.open().Engine
			e.Answer("POST /images/create", http.StatusOK, c.body)
			e.Answer("POST /build", http.StatusOK, c.body)
			e.Answer("GET /images/json", http.StatusOK, `[]`)
			folder := fstest.MapFS{"Dockerfile": {Data: []byte("FROM scratch\n")}}
			for doing, err := range map[string]error{
				"pull shop/db:1":   engine.Pull(t.Context(), "shop/db:1"),
				"import shop/db:1": engine.Import(t.Context(), "shop/db:1", strings.NewReader("tar")),
				"build shop/db:1":  engine.Build(t.Context(), "shop/db:1", folder, nil, func(string) {}),
			} {
				if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.HasPrefix(err.Error(), doing+": ") || !strings.Contains(err.Error(), c.says)) {
					t.Errorf("%s: %v, expected %q", doing, err, c.says)
				}
			}
		})
	}
}

// An answer that ends before its time is no success, though all of its messages were
// whole.
func TestImageAnswerCutBetweenMessages(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	engine := e.open().Engine
	e.Handle("POST /images/create", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"status":"Pulling"}`)
	})
	if err := engine.Pull(t.Context(), "shop/db:1"); err == nil || !strings.Contains(err.Error(), "unexpected EOF") {
		t.Errorf("%v, expected that the answer was cut", err)
	}
}
