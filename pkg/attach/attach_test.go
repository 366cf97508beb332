package attach_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/report"
)

const token = "s3cret-token"

func message(run, text string) attach.Message {
	return attach.Message{Event: attach.Judged, Run: run, Line: "PROVEN db-loss: <down>", Markdown: text, Report: &report.Report{Schema: report.Schema, ID: run}}
}

func deliver(t *testing.T, to string, m attach.Message) (string, error) {
	t.Helper()
	d, err := attach.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	where, err := d.Deliver(t.Context(), m)
	if err != nil && strings.Contains(err.Error(), token) {
		t.Errorf("the error contains the token: %v", err)
	}
	return where, err
}

func TestWhatIsNoDestination(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"", "report.txt", "github:owner/repo", "github:#3", "github:a/b/../c#1", "jira:", "webhook:here", "mail:x"} {
		if _, err := attach.Parse(to); err == nil {
			t.Errorf("%q is accepted as a destination", to)
		}
	}
}

// A run has one section, however often it is attached. The rest of the file does not
// change.
func TestAFileKeepsWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{
		"none": "", "a post-mortem": "# Outage\r\n\r\nWe were down.\n\n\n", "no last line end": "# Outage", "not UTF-8": "\xff\xfe\n",
	} {
		path := filepath.Join(t.TempDir(), "post-mortem.md")
		if name != "none" {
			if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		read := func() string {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		for _, text := range []string{"first\n", "first\n", "# second\n"} {
			if _, err := deliver(t, path, message("run-1", text)); err != nil {
				t.Fatal(err)
			}
		}
		after := read()
		if !strings.HasPrefix(after, before) || strings.Count(after, "<!-- gameday run-1 -->") != 1 || strings.Contains(after, "first") || !strings.Contains(after, "# second") {
			t.Errorf("%s: %q", name, after)
		}
		// The section is still replaced if there is text below it.
		if err := os.WriteFile(path, []byte(after+"\nWhat we learnt.\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := deliver(t, path, message("run-1", "third\n")); err != nil {
			t.Fatal(err)
		}
		if got, want := read(), strings.Replace(after, "# second", "third", 1)+"\nWhat we learnt.\n"; got != want {
			t.Errorf("%s: %q, expected %q", name, got, want)
		}
		if _, err := deliver(t, path, message("run-2", "other\n")); err != nil || strings.Count(read(), "<!-- gameday ") != 2 {
			t.Errorf("%s: %v %q", name, err, read())
		}
	}
	path := filepath.Join(t.TempDir(), "broken.md")
	if err := os.WriteFile(path, []byte("<!-- gameday run-1 -->\nno end"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := deliver(t, path, message("run-1", "x\n")); err == nil || !strings.Contains(err.Error(), "not delivered") {
		t.Error(err)
	}
	if data, _ := os.ReadFile(path); string(data) != "<!-- gameday run-1 -->\nno end" {
		t.Errorf("%q", data)
	}
}

// A link to a post-mortem stays a link: the section goes into what it leads to.
func TestALinkToAFileStays(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "post-mortem.md")
	link := filepath.Join(t.TempDir(), "link.md")
	if err := errors.Join(os.WriteFile(path, []byte("# Outage\n"), 0o600), os.Chmod(path, 0o640), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	if _, err := deliver(t, link, message("run-1", "down\n")); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), "down") {
		t.Errorf("what it led to holds %q: %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v %v", info, err)
	}
}

// comments is the part of GitHub's or Jira's API for comments, with the documented
// paths, methods and headers.
type comments struct {
	t      *testing.T
	bodies []string
	calls  []string
	fail   []int // the statuses of the next responses
}

func (c *comments) take(w http.ResponseWriter, r *http.Request, auth string) (body string, ok bool) {
	c.calls = append(c.calls, r.Method)
	if r.Header.Get("Authorization") != auth {
		c.t.Errorf("%s %s: authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
	}
	if len(c.fail) > 0 {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(c.fail[0])
		c.fail = c.fail[1:]
		return "", false
	}
	if r.Method != http.MethodGet {
		if r.Header.Get("Content-Type") != "application/json" {
			c.t.Errorf("content type %q", r.Header.Get("Content-Type"))
		}
		var sent map[string]string
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || len(sent) != 1 || sent["body"] == "" {
			c.t.Errorf("%v %v", sent, err)
		}
		body = sent["body"]
	}
	return body, true
}

func TestGitHub(t *testing.T) {
	c := &comments{t: t, bodies: slices.Repeat([]string{"another comment"}, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := c.take(w, r, "Bearer "+token)
		if r.Header.Get("Accept") != "application/vnd.github+json" || r.Header.Get("X-GitHub-Api-Version") == "" {
			t.Errorf("headers %v", r.Header)
		}
		var id int
		switch {
		case !ok:
		case r.Method == http.MethodGet && r.URL.Path == "/repos/owner/repo/issues/7/comments":
			var all []map[string]any
			page, _ := map[string]int{"1": 0, "2": 100}[r.URL.Query().Get("page")], 0
			for i, b := range c.bodies {
				if i >= page && i < page+100 {
					all = append(all, map[string]any{"id": i, "body": b})
				}
			}
			_ = json.NewEncoder(w).Encode(append([]map[string]any{}, all...))
		case r.Method == http.MethodPost && r.URL.Path == "/repos/owner/repo/issues/7/comments":
			c.bodies = append(c.bodies, body)
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id": %d, "html_url": "https://github.com/owner/repo/issues/7#c"}`, len(c.bodies)-1)
		case r.Method == http.MethodPatch && func() bool {
			n, _ := fmt.Sscanf(r.URL.Path, "/repos/owner/repo/issues/comments/%d", &id)
			return n == 1
		}():
			c.bodies[id] = body
			fmt.Fprintf(w, `{"id": %d, "html_url": "https://github.com/owner/repo/issues/7#c"}`, id)
		default:
			t.Errorf("%s %s", r.Method, r.URL)
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	t.Setenv("GITHUB_API_URL", server.URL)
	if _, err := deliver(t, "github:owner/repo#7", message("run-1", "x")); err == nil || !strings.Contains(err.Error(), "GITHUB_TOKEN is not set") {
		t.Error(err)
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GITHUB_TOKEN_FILE", path)
	for _, text := range []string{"first", "second", strings.Repeat("ä", 40_000)} {
		c.fail = []int{http.StatusTooManyRequests, http.StatusBadGateway}
		if where, err := deliver(t, "github:owner/repo#7", message("run-1", text)); err != nil || where != "https://github.com/owner/repo/issues/7#c" {
			t.Fatal(where, err)
		}
	}
	if last := c.bodies[100]; len(c.bodies) != 101 || len(last) > 65536 || !strings.HasSuffix(last, "the maximum size of a comment\n") {
		t.Errorf("%d comments, the last of %d bytes", len(c.bodies), len(last))
	}
	c.fail, c.calls = []int{http.StatusUnauthorized}, nil
	if _, err := deliver(t, "github:owner/repo#7", message("run-1", "x")); err == nil || !strings.Contains(err.Error(), "not delivered: 401") || len(c.calls) != 1 {
		t.Errorf("%v after %v", err, c.calls)
	}
}

func TestJira(t *testing.T) {
	c := &comments{t: t, bodies: []string{"another comment"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := c.take(w, r, "Basic YWRhQGV4YW1wbGUuY29tOnMzY3JldC10b2tlbg==") // ada@example.com and the token
		switch {
		case !ok:
		case r.Method == http.MethodGet && r.URL.Path == "/rest/api/2/issue/OPS-1/comment":
			var all []map[string]string
			for i, b := range c.bodies {
				all = append(all, map[string]string{"id": strconv.Itoa(i), "body": b})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"startAt": 0, "total": len(all), "comments": all})
		case r.Method == http.MethodPost && r.URL.Path == "/rest/api/2/issue/OPS-1/comment":
			c.bodies = append(c.bodies, body)
			w.WriteHeader(http.StatusCreated)
		case r.Method == http.MethodPut && r.URL.Path == "/rest/api/2/issue/OPS-1/comment/1":
			c.bodies[1] = body
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	defer server.Close()
	t.Setenv("JIRA_TOKEN", token)
	if _, err := deliver(t, "jira:OPS-1", message("run-1", "x")); err == nil || !strings.Contains(err.Error(), "JIRA_URL is not set") {
		t.Error(err)
	}
	t.Setenv("JIRA_URL", server.URL+"/")
	t.Setenv("JIRA_EMAIL", "ada@example.com")
	for _, text := range []string{"first", "second"} {
		if _, err := deliver(t, "jira:OPS-1", message("run-1", text)); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.bodies) != 2 || !strings.Contains(c.bodies[1], "second") {
		t.Errorf("%q", c.bodies)
	}
	// What the system under test says is no markup (M9).
	m := message("run-1", "third {noformat} !http://evil.example/i.png!")
	m.Line = "[~ada] {noformat} !http://evil.example/i.png!"
	if _, err := deliver(t, "jira:OPS-1", m); err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(c.bodies[1], "{noformat}") {
		if i%2 == 0 && strings.ContainsAny(part, "[!{") {
			t.Errorf("%q stands outside of verbatim text: %q", part, c.bodies[1])
		}
	}
}

func TestSlack(t *testing.T) {
	var paths []string
	answer := `{"ok": true}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		var sent map[string]string
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || !strings.Contains(sent["text"], "&lt;down&gt;") {
			t.Errorf("%v %v", sent, err)
		}
		if r.URL.Path == "/api/chat.postMessage" && (sent["channel"] != "#ops" || r.Header.Get("Authorization") != "Bearer "+token) {
			t.Errorf("%v %v", sent, r.Header)
		}
		fmt.Fprint(w, answer)
	}))
	defer server.Close()
	t.Setenv("SLACK_WEBHOOK_URL", server.URL+"/services/"+token)
	t.Setenv("SLACK_API_URL", server.URL+"/api")
	t.Setenv("SLACK_TOKEN", token)
	for _, to := range []string{"slack:", "slack:#ops"} {
		if _, err := deliver(t, to, message("run-1", "x")); err != nil {
			t.Error(to, err)
		}
	}
	if !slices.Equal(paths, []string{"/services/" + token, "/api/chat.postMessage"}) {
		t.Error(paths)
	}
	answer = `{"ok": false, "error": "channel_not_found"}`
	if _, err := deliver(t, "slack:#ops", message("run-1", "x")); err == nil || !strings.Contains(err.Error(), "channel_not_found") {
		t.Error(err)
	}
	server.Close() // the server is gone, and the error must not contain the URL
	t.Setenv("SLACK_WEBHOOK_URL", "http://127.0.0.1:1/"+token)
	if _, err := deliver(t, "slack:", message("run-1", "x")); err == nil || !strings.Contains(err.Error(), "not delivered") {
		t.Error(err)
	}
}

func TestWebhook(t *testing.T) {
	var got []attach.Delivery
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		want := "sha256=" + attach.Sign("key", r.Header.Get("X-Gameday-Timestamp"), body)
		if r.Header.Get("X-Gameday-Signature-256") != want {
			t.Errorf("signature %q, expected %q", r.Header.Get("X-Gameday-Signature-256"), want)
		}
		var d attach.Delivery
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&d); err != nil {
			t.Error(err)
		}
		got = append(got, d)
	}))
	defer server.Close()
	if _, err := deliver(t, "webhook:"+server.URL, message("run-1", "x")); err == nil || !strings.Contains(err.Error(), "GAMEDAY_WEBHOOK_SECRET") {
		t.Error(err)
	}
	t.Setenv("GAMEDAY_WEBHOOK_SECRET", "key")
	if _, err := deliver(t, "webhook:"+server.URL, message("run-1", "x")); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Schema != attach.DeliverySchema || got[0].Run != "run-1" || got[0].Report.ID != "run-1" {
		t.Errorf("%+v", got)
	}
}

// The address of a webhook may be a secret, and so may be what its server answers (M5).
func TestWebhooksThatFailTellNoSecret(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"error": "wrong", "token": "s3cret"}`)
	}))
	defer server.Close()
	t.Setenv("GAMEDAY_WEBHOOK_SECRET", "key")
	for _, address := range []string{server.URL + "/hooks/s3cret?a=s3cret", strings.Replace(server.URL, "://", "://user:s3cret@", 1), "http://s3cret:x/%zz"} {
		_, err := attach.Deliver(t.Context(), "webhook:"+address, message("run-1", "x"))
		if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.HasPrefix(err.Error(), "webhook") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
