package main_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// secret is part of every secret of the tests, and of nothing else.
const secret = "s3cret"

// leaky is a server that is full of secrets, and the files of a user whose journeys and
// scenario are.
func leaky(t *testing.T, kind, settings string) (dir string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/raw": // a header line without a colon
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nSet-Cookie session-"+secret+"-raw\r\n\r\n")
				_ = conn.Close()
			}
			return
		case r.Method == http.MethodPost && (r.Header.Get("Authorization") != "Bearer "+secret+"-auth" || r.Header.Get("Cookie") == ""):
			t.Errorf("the secrets were not sent: %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: secret + "-set"})
		fmt.Fprintf(w, `{"token": "%s-captured", "id": "a\u0001b"}`, secret)
	}))
	t.Cleanup(server.Close)
	dir = t.TempDir()
	for name, text := range map[string]string{
		"gameday.yaml": `version: 1
environments:
  test:
    %[2]s: %[3]s
    entry: %[4]s
    redact: ["-p\\S+", "card \\S+", "MYOWN-\\S+"]
    notify: [{to: "webhook:http://user:%[1]s-hook@127.0.0.1:1/x/%[1]s-path"}]
    observe: [{name: MYOWN-%[1]s, prometheus: {url: "http://user:%[1]s-metric@127.0.0.1:1/x?token=%[1]s-url", query: 'up{password="%[1]s-query"}'}}]
`,
		"journeys/secret.yaml": `version: 1
name: secret
steps:
  - name: login
    post: /login?password=%[1]s-query
    headers: {Authorization: "Bearer %[1]s-auth", Cookie: "a=%[1]s-cookie"}
    json: {password: "%[1]s-body"}
    expect: {contains: "password: %[1]s-expected"}
    capture: {token: $.token}
`,
		"journeys/paths.yaml": `version: 1
name: paths
steps:
  - get: "/ok?api_key=%[1]s-path&password=%[1]s-path"
  - {name: "n MYOWN-%[1]s token=%[1]s-name", get: /}
  - {name: item, get: /, capture: {token: $.token, id: $.id}}
  - {get: "/item/{{.id}}?session={{.token}}"}
`,
		"journeys/raw.yaml": "version: 1\nname: raw\nsteps: [{get: /raw}]\n",
		"scenarios/leaky.yaml": `version: 1
name: leaky
title: "with password=%[1]s-title, Authorization: Negotiate %[1]s, MYOWN-%[1]s-title"
environment: test
suspect: {component: "db MYOWN-%[1]s", because: "--password %[1]s"}
objective: {rto: 1s, hold: 1s, good: 1%%, within: 2s}
load:
  - {journey: paths, rate: 20/s}
  - {journey: raw, rate: 20/s}
  - {journey: secret, rate: 20/s, critical: true}
faults:
  - command: {inject: [sh, -c, "echo mysql -p%[1]s-arg; echo card 4111%[1]s; echo Authorization: Bearer %[1]s-out; exit 1"], undo: [echo, "-p%[1]s-undo", --token, "%[1]s-flag"]}
timing: {baseline: 1s, watch: 2s, repair: 3s}
`,
	} {
		text = strings.NewReplacer("%[1]s", secret, "%[2]s", kind, "%[3]s", settings, "%%", "%",
			"%[4]s", server.URL).Replace(text)
		writeFile(t, dir, name, text)
	}
	return dir
}

// holdsNone searches all that a run has left, and all that it has said.
func holdsNone(t *testing.T, dir, said string) {
	t.Helper()
	searched, errored := 0, false
	err := filepath.WalkDir(filepath.Join(dir, "gameday-runs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		searched++
		data, err := os.ReadFile(path)
		if at := bytes.Index(data, []byte(secret)); at >= 0 {
			t.Errorf("%s holds a secret: …%q…", filepath.Base(path), data[max(0, at-60):min(len(data), at+40)])
		}
		errored = errored || filepath.Base(path) == "report.md" && bytes.Contains(data, []byte("| error |"))
		return err
	})
	if err != nil || searched < 10 || !errored {
		t.Errorf("searched %d files, with errors of users: %t, %v", searched, errored, err)
	}
	if strings.Contains(said, secret) {
		t.Errorf("it says a secret:\n%s", said)
	}
}

// A game day that is full of secrets leaves none, and says none (M5).
func TestSecretsReachNoFile(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	b.Start("no", "gameday.tier=app")
	l := &labTest{t: t, state: t.TempDir(), dir: leaky(t, "docker", fmt.Sprintf("{labels: [%q]}", b.Label))}
	out := l.gameday("run", "leaky", "--logs", "10", "--set", "abort_when=[]")
	if out := l.gameday("history"); out.code != 0 {
		t.Error(out)
	}
	holdsNone(t, l.dir, out.stdout+out.stderr)
}
