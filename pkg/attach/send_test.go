package attach_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/gameday-dev/gameday/pkg/attach"
)

// A server whose comments never end ends the delivery.
func TestCommentsWithoutEnd(t *testing.T) {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		if calls > 500 {
			w.WriteHeader(http.StatusTeapot) // it would go on for ever
			return
		}
		_, _ = w.Write([]byte("[" + strings.TrimSuffix(strings.Repeat(`{"id": 1, "body": "x"},`, 100), ",") + "]"))
	}))
	t.Cleanup(server.Close)
	t.Setenv("GITHUB_API_URL", server.URL)
	t.Setenv("GITHUB_TOKEN", token)
	if _, err := deliver(t, "github:owner/repo#7", message("r1", "x")); err == nil || !strings.Contains(err.Error(), "pages of comments") || calls > 200 {
		t.Errorf("%d calls: %v", calls, err)
	}
	calls = 0
	jira := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls++; calls > 500 {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		_, _ = w.Write([]byte(`{"total": 1000000000, "comments": [{"id": "1", "body": "x"}]}`))
	}))
	t.Cleanup(jira.Close)
	t.Setenv("JIRA_URL", jira.URL)
	t.Setenv("JIRA_TOKEN", token)
	if _, err := deliver(t, "jira:OPS-1", message("r1", "x")); err == nil || !strings.Contains(err.Error(), "pages of comments") || calls > 200 {
		t.Errorf("%d calls: %v", calls, err)
	}
}

// A server that answers 101 and goes on ends the delivery: no context would end the reading of
// what follows.
func TestASwitchOfProtocolsIsNoDelivery(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, err = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"))
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	t.Setenv("GAMEDAY_WEBHOOK_SECRET", "signing-key")
	ended := make(chan error, 1)
	go func() {
		_, err := attach.Deliver(t.Context(), "webhook:"+server.URL, message("r1", "x"))
		ended <- err
	}()
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "101 Switching Protocols") {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the delivery goes on")
	}
}

// No body, signature or token goes to another server than the one that the user has named,
// and a POST does not become a GET that delivers nothing (L18).
func TestRedirectsLeadToNoOtherServer(t *testing.T) { //nolint:paralleltest // it sets variables
	var got []string
	note := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			got = append(got, name+" "+r.Method+" "+r.URL.Path)
			_, _ = w.Write([]byte(`{"ok": true, "id": 1}`))
		}
	}
	other := httptest.NewServer(note("other"))
	t.Cleanup(other.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("/there", note("same"))
	for _, status := range []int{301, 302, 303, 307, 308} {
		mux.HandleFunc(fmt.Sprintf("/away/%d/", status), func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL+"/s3cret-path", status) })
		mux.HandleFunc(fmt.Sprintf("/here/%d/", status), func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/there", status) })
	}
	mux.HandleFunc("/loop/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{"GAMEDAY_WEBHOOK_SECRET": "key-of-webhooks", "GITHUB_TOKEN": token, "SLACK_TOKEN": token, "JIRA_TOKEN": token, "GRAFANA_TOKEN": token} {
		t.Setenv(name, value)
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		away := fmt.Sprintf("%s/away/%d", server.URL, status)
		t.Setenv("GITHUB_API_URL", away)
		t.Setenv("SLACK_API_URL", away)
		t.Setenv("JIRA_URL", away)
		t.Setenv("SLACK_WEBHOOK_URL", away+"/hook")
		for _, to := range []string{"webhook:" + away + "/hook", "github:owner/repo#7", "slack:", "slack:#ops", "jira:OPS-1"} {
			_, err := attach.Deliver(t.Context(), to, message("r1", "x"))
			if err == nil || !strings.Contains(err.Error(), "found a redirect to "+strings.TrimPrefix(other.URL, "http://")) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%d of %s: %v", status, to, err)
			}
		}
		region := attach.Region{URL: away}
		if err := region.Begin(t.Context(), time.Now(), "x", nil); err == nil {
			t.Errorf("%d: an annotation went elsewhere", status)
		}
	}
	if len(got) != 0 {
		t.Errorf("another server got %q", got)
	}
	for status, arrives := range map[int]bool{301: false, 302: false, 303: false, 307: true, 308: true} {
		got = nil
		_, err := attach.Deliver(t.Context(), fmt.Sprintf("webhook:%s/here/%d/", server.URL, status), message("r1", "x"))
		if want := fmt.Sprint([]string{"same POST /there"}); (err == nil) != arrives || arrives && fmt.Sprint(got) != want || !arrives && len(got) != 0 {
			t.Errorf("%d on the same server: %v, got %q", status, err, got)
		}
	}
	if _, err := attach.Deliver(t.Context(), "webhook:"+server.URL+"/loop/", message("r1", "x")); err == nil {
		t.Error("a redirect to itself is a delivery")
	}
}

// A delivery that fails names the host, and repeats neither the address nor the secrets of
// the request nor more than a bit of the answer; and that is plain text (M5).
func TestAFailedDeliveryTellsNoSecret(t *testing.T) { //nolint:paralleltest // it sets variables
	status := http.StatusBadRequest
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		own := r.Header.Get("Authorization") + " " + filepath.Base(r.URL.Path)
		if r.Header.Get("X-Gameday-Timestamp") != "" {
			own += " key-of-webhooks"
		}
		fmt.Fprintf(w, "\x1b[2J\x1b]0;pwn\x07 Cannot POST %s (%s) %s password=hunter2pw \u202e", r.URL.RequestURI(), r.URL.Path, own)
		_, _ = w.Write([]byte(strings.Repeat("long ", 1<<20)))
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	for name, value := range map[string]string{
		"GAMEDAY_WEBHOOK_SECRET": "key-of-webhooks", "GITHUB_TOKEN": token, "GITHUB_API_URL": server.URL, "JIRA_TOKEN": token, "JIRA_URL": server.URL, "JIRA_EMAIL": "a@b.example",
		"SLACK_TOKEN": token, "SLACK_API_URL": server.URL, "SLACK_WEBHOOK_URL": server.URL + "/services/T0PATHSECRET",
	} {
		t.Setenv(name, value)
	}
	hook := "webhook:http://user:pass-s3cret@" + host + "/hooks/T0PATHSECRET?key=QUERYSECRET"
	for _, to := range []string{hook, "github:owner/repo#7", "jira:OPS-1", "slack:", "slack:#ops", "webhook:hooks.example/T0PATHSECRET", "webook:https://hooks.example/T0PATHSECRET", "webhook:https://[bad/T0PATHSECRET"} {
		_, err := attach.Deliver(t.Context(), to, message("r1", "x"))
		if err == nil {
			t.Fatalf("%s is delivered", to)
		}
		for _, secret := range []string{"T0PATHSECRET", "QUERYSECRET", "pass-s3cret", token, "key-of-webhooks", "hunter2pw", "YUBi"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", secret, err)
			}
		}
		if len(err.Error()) > 700 || strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%d bytes: %q", len(err.Error()), err)
		}
		if to == hook && (!strings.Contains(err.Error(), "webhook:http://"+host) || !strings.Contains(err.Error(), "400 Bad Request")) {
			t.Errorf("it names no host and no status: %v", err)
		}
	}
	// The answer counts after all retries too.
	status = http.StatusNotImplemented
	if _, err := attach.Deliver(t.Context(), hook, message("r1", "x")); err == nil || !strings.Contains(err.Error(), "501") || !strings.Contains(err.Error(), "Cannot POST") {
		t.Error(err)
	}
}

// What a server names as the location is plain text too.
func TestWhereItWentIsPlainText(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte("[]"))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"id": 1, "html_url": "https://x/\x1b[2J" + strings.Repeat("a", 100_000)})
	}))
	t.Cleanup(server.Close)
	t.Setenv("GITHUB_API_URL", server.URL)
	t.Setenv("GITHUB_TOKEN", token)
	where, err := attach.Deliver(t.Context(), "github:owner/repo#7", message("r1", "x"))
	if err != nil || len(where) > 3000 || strings.ContainsFunc(where, unicode.IsControl) {
		t.Errorf("%v, %d bytes: %.60q", err, len(where), where)
	}
}

// A server that asks to come back in a year does not hold a run up.
func TestAServerMayNotAskForMuchPatience(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]time.Duration{"": 500 * time.Millisecond, "3": 3 * time.Second, "31536000": 20 * time.Second, "Thu, 31 Dec 2099 23:59:59 GMT": 20 * time.Second} {
		response := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {after}}}
		if got := attach.WaitAfter(response); got != want {
			t.Errorf("Retry-After: %s: waits %v, expected %v", after, got, want)
		}
	}
}
