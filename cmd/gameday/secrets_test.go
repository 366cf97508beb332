package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest"
)

// TestSecretsReachNoFile plays a game day that is full of secrets, and searches all
// that it leaves and says.
func TestSecretsReachNoFile(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	b.Start("no", "gameday.tier=app")
	const secret = "s3cret"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+secret+"-auth" || r.Header.Get("Cookie") == "" {
			t.Errorf("the secrets were not sent: %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: secret + "-set"})
		fmt.Fprintf(w, `{"token": "%s-captured"}`, secret)
	}))
	defer server.Close()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gameday.yaml": fmt.Sprintf(`version: 1
environments:
  test:
    docker: {labels: ["%s"]}
    entry: %s
    redact: ["-p\\S+", "card \\S+"]
    notify: [{to: "webhook:http://user:%s-hook@127.0.0.1:1/x"}]
`, b.Label, server.URL, secret),
		"journeys/secret.yaml": fmt.Sprintf(`version: 1
name: secret
steps:
  - name: login
    post: /login?password=%[1]s-query
    headers: {Authorization: "Bearer %[1]s-auth", Cookie: "a=%[1]s-cookie"}
    json: {password: "%[1]s-body"}
    expect: {contains: "password: %[1]s-expected"}
    capture: {token: $.token}
`, secret),
		"scenarios/leaky.yaml": fmt.Sprintf(`version: 1
name: leaky
title: "with password=%[1]s-title"
environment: test
objective: {rto: 1s, hold: 1s, good: 1%%, within: 2s}
load: [{journey: secret, rate: 20/s, critical: true}]
faults:
  - command: {inject: [sh, -c, "echo mysql -p%[1]s-arg; echo card 4111%[1]s; echo Authorization: Bearer %[1]s-out; exit 1"], undo: [echo, "-p%[1]s-undo"]}
timing: {baseline: 1s, watch: 2s, repair: 3s}
`, secret),
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	l := &labTest{t: t, state: t.TempDir(), dir: dir}
	out := l.gameday("run", "leaky", "--logs", "10", "--set", "abort_when=[]")
	runs, err := filepath.Glob(filepath.Join(dir, "gameday-runs", "*", "samples.bin"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("%v %v\n%v", runs, err, out)
	}
	if out := l.gameday("history"); out.code != 0 {
		t.Error(out)
	}
	searched := 0
	err = filepath.WalkDir(filepath.Join(dir, "gameday-runs"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		searched++
		data, err := os.ReadFile(path)
		if at := bytes.Index(data, []byte(secret)); at >= 0 {
			t.Errorf("%s holds a secret: …%q…", filepath.Base(path), data[max(0, at-60):min(len(data), at+40)])
		}
		return err
	})
	if err != nil || searched < 10 {
		t.Errorf("searched %d files, %v", searched, err)
	}
	if text := out.stdout + out.stderr; strings.Contains(text, secret) {
		t.Errorf("it says a secret:\n%s", text)
	}
}
