package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/store"
)

// far is a server that needs a token to look at anything.
func far(t *testing.T) *site {
	t.Helper()
	return newSite(t, server.Config{Listen: "0.0.0.0:8420", Proxied: true, Version: "v9.8.7"})
}

// auditLog is the whole audit log.
func (s *site) auditLog() []store.Entry {
	s.t.Helper()
	s.EndMinute()
	all, err := s.Daemon.Store.AuditLog(s.t.Context(), 10_000)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// Without a role that may view the pages, no answer says what troubles the daemon, nor
// what stands in its files (M6).
func TestStrangersSeeNoTrouble(t *testing.T) {
	t.Parallel()
	s := far(t)
	const secret = "gameday.yaml:6:154: unknown key"
	s.Daemon.Schedules = func() ([]scenario.Schedule, error) {
		return nil, errors.New(secret + ` "bogus" in http://bob:hunter2@entry.example`)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Daemon.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for tick := time.NewTicker(5 * time.Millisecond); s.Daemon.Trouble()["schedules"] == ""; {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("the daemon has no trouble")
		}
	}
	for pattern := range rules() {
		method, path, _ := strings.Cut(pattern, " ")
		path = placeholder.ReplaceAllStringFunc(strings.ReplaceAll(path, "{$}", ""), func(string) string { return "7" })
		for what, headers := range map[string][]string{"no token": nil, "an unknown token": {"Authorization", "Bearer gd_x"}, "an unknown session": {"Cookie", "__Host-gameday=gd_x"}} {
			w := s.ask(store.Anyone, method, path, "", headers...)
			for _, hidden := range []string{secret, "hunter2", "schedules", "v9.8.7"} {
				if strings.Contains(w.Body.String(), hidden) || strings.Contains(fmt.Sprint(w.Header()), hidden) {
					t.Errorf("%s with %s says %q: %d %s", pattern, what, hidden, w.Code, w.Body)
				}
			}
		}
	}
	if w := s.ask(store.Anyone, "GET", "/readyz", ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "not ready") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.ask(store.View, "GET", "/", ""); !strings.Contains(w.Body.String(), secret) || strings.Contains(w.Body.String(), "hunter2") {
		t.Errorf("a person who may view sees: %s", w.Body)
	}
	if w := s.ask(store.View, "GET", "/readyz", ""); !strings.Contains(w.Body.String(), "schedules") {
		t.Errorf("a person who may view reads: %s", w.Body)
	}
}

// A client without a token fills neither the audit log nor the log, however often it asks
// and however long its texts are; and it keeps no person from logging in (M7).
func TestAttemptsAreCounted(t *testing.T) {
	t.Parallel()
	s := far(t)
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	long := strings.Repeat("A", 60_000)
	seen := map[int]int{}
	for i := range 500 {
		seen[s.ask(store.Anyone, "POST", "/jobs/"+long+"/approve", "", "X-Forwarded-For", fmt.Sprintf("192.0.2.%d", i%3)).Code]++
		seen[s.ask(store.Anyone, "POST", "/login", "token="+long).Code]++
		seen[s.ask(store.Anyone, "POST", "/logout", "").Code]++
		seen[s.ask(store.Anyone, "DELETE", "/api/v1/holds?environment="+long, "", "Authorization", "Bearer gd_"+long).Code]++
	}
	if w := s.ask(store.Anyone, "POST", "/login", "token="+s.tokens[store.Operate]); w.Code != http.StatusSeeOther {
		t.Errorf("a person cannot log in meanwhile: %d", w.Code)
	}
	if seen[http.StatusUnauthorized] == 0 || seen[http.StatusTooManyRequests] < 100 {
		t.Errorf("the answers are %v", seen)
	}
	all := s.auditLog()
	if len(all) != 3 || !strings.Contains(all[0].What, "1999 more refused requests") || !strings.Contains(all[0].From, "other addresses") || all[0].Who != "unknown clients" {
		t.Errorf("%d entries: %+.200v", len(all), all)
	}
	if len(all) == 3 && (all[1].What != "POST /login: as operate (operate)" || all[2].Outcome != "Unauthorized" || !strings.HasPrefix(all[2].What, "POST /jobs/AAA")) {
		t.Errorf("%+.200v", all[1:])
	}
	for _, e := range all {
		if n := len(e.Who + e.From + e.What + e.Outcome); n > 3000 {
			t.Errorf("an entry has %d bytes", n)
		}
	}
	if log.Len() > 10_000 {
		t.Errorf("the log has %d bytes", log.Len())
	}
}

// A person's refused requests are kept, but not without end: the page of another site may
// have the browser send them.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	s := far(t)
	for range 200 {
		if w := s.ask(store.Operate, "POST", "/stop", "", "Sec-Fetch-Site", "same-site"); w.Code != http.StatusForbidden {
			t.Fatal(w.Code)
		}
	}
	s.ask(store.Operate, "POST", "/stop", "")
	all := s.auditLog()
	if len(all) != 32 || !strings.Contains(all[0].What, "170 more refused requests") || all[0].Who != "operate" || all[1].Outcome != "done" || all[2].Outcome != "Forbidden" {
		t.Errorf("%d entries: %+v", len(all), all[:min(len(all), 3)])
	}
}

// Each minute has its own first entries, and one for the rest.
func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var kept []string
		c := server.NewCrowd("unknown clients", 1)
		for i := range 7 {
			who := []string{"a", "b"}[i%2]
			c.Add(store.Entry{Who: who, From: who, What: fmt.Sprint("POST /", i)}, func(e store.Entry) {
				mu.Lock()
				defer mu.Unlock()
				kept = append(kept, e.Who+" from "+e.From+": "+e.What)
			})
			<-time.After(25 * time.Second)
		}
		<-time.After(2 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		want := []string{
			"a from a: POST /0", "unknown clients from a and 1 other addresses: 2 more refused requests within a minute, the last: POST /2",
			"b from b: POST /3", "unknown clients from b and 1 other addresses: 2 more refused requests within a minute, the last: POST /5",
			"a from a: POST /6",
		}
		if strings.Join(kept, "\n") != strings.Join(want, "\n") {
			t.Errorf("kept:\n%s", strings.Join(kept, "\n"))
		}
	})
}

// Errors that clients cause fill no log.
func TestErrorsOfRequestsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	if err := s.Daemon.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		s.ask(store.Anyone, "GET", "/api/v1/jobs", "")
	}
	if lines := strings.Count(log.String(), "\n"); lines == 0 || lines > 70 {
		t.Errorf("the log has %d lines", lines)
	}
	// A probe learns that the process is alive, whatever token it sends.
	if w := s.ask(store.View, "GET", "/healthz", ""); w.Code != http.StatusOK {
		t.Errorf("healthz: %d", w.Code)
	}
}

// Behind a proxy, the address is the one that the proxy has added, whatever the client
// sent before it, in the same line or in others (L9).
func TestTheProxyNamesTheClient(t *testing.T) {
	t.Parallel()
	for want, lines := range map[string][]string{
		"192.0.2.7":   {"9.9.9.9", "192.0.2.7"},
		"192.0.2.8":   {"9.9.9.9, 192.0.2.8"},
		"192.0.2.9":   {"9.9.9.9, 8.8.8.8", "7.7.7.7,192.0.2.9"},
		"2001:db8::1": {"9.9.9.9", " 2001:DB8::1 "},
		"192.0.2.1":   {"9.9.9.9", "<script>"}, // the peer itself
	} {
		s := far(t)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:8420/stop", nil)
		r.Header.Set("Authorization", "Bearer "+s.tokens[store.Operate])
		for _, line := range lines {
			r.Header.Add("X-Forwarded-For", line)
		}
		s.handler.ServeHTTP(httptest.NewRecorder(), r)
		if all := s.auditLog(); len(all) != 1 || all[0].From != want {
			t.Errorf("%q: %+v, expected %s", lines, all, want)
		}
	}
}

// A redirect to the plain form of a path has done nothing yet.
func TestARedirectIsNotDone(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	if w := s.ask(store.Operate, "POST", "/./stop", ""); w.Code != http.StatusTemporaryRedirect && w.Code != http.StatusMovedPermanently {
		t.Fatal(w.Code)
	}
	s.ask(store.Operate, "POST", "/stop", "")
	if all := s.auditLog(); len(all) != 2 || all[0].Outcome != "done" || all[1].Outcome == "done" {
		t.Errorf("%+v", all)
	}
}

// A client that disconnects in the middle of a request is no error to log.
func TestADisconnectIsNotLogged(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	var log bytes.Buffer
	s.Log = slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/api/v1/jobs", "/history", "/"} {
		s.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8420"+path, nil))
	}
	if log.Len() > 0 {
		t.Errorf("the log says %s", log.String())
	}
}

// An action whose handler panics is in the audit log too, and not as done.
func TestAPanicIsAccountedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	s.Known = func(string, string) (string, error) { panic("a bug") }
	func() {
		defer func() { _ = recover() }()
		s.ask(store.Operate, "POST", "/jobs", "scenario=app-loss")
	}()
	if all := s.auditLog(); len(all) != 1 || !strings.Contains(all[0].Outcome, "panicked") {
		t.Errorf("%+v", all)
	}
}
