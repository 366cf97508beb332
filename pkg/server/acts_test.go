package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/store"
)

// A hold on a name that no environment has is refused, with the names that there are: it
// would hold nothing (M4).
func TestAHoldHoldsSomething(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	hold := func(environment string) []*httptest.ResponseRecorder {
		return []*httptest.ResponseRecorder{
			s.ask(store.Operate, "POST", "/api/v1/holds", `{"environment":"`+environment+`","why":"incident"}`),
			s.ask(store.Operate, "POST", "/holds", url.Values{"environment": {environment}, "why": {"incident"}}.Encode()),
		}
	}
	refused := func(environment, says string) {
		t.Helper()
		for _, w := range hold(environment) {
			if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), says) {
				t.Errorf("%s: %d %s", environment, w.Code, w.Body)
			}
		}
		if all, err := s.Daemon.Store.Holds(t.Context(), s.Daemon.Now()); err != nil || len(all) != 0 {
			t.Errorf("%+v %v", all, err)
		}
	}
	held := func(environment string) {
		t.Helper()
		for _, w := range hold(environment) {
			if w.Code != http.StatusOK && w.Code != http.StatusSeeOther {
				t.Errorf("%s: %d %s", environment, w.Code, w.Body)
			}
		}
		if err := s.Daemon.Store.Release(t.Context(), environment); err != nil {
			t.Error(err)
		}
	}
	refused("nobodys-env", "expected one of lab/checkout, staging")
	held("staging")
	held("lab/checkout")
	// A job uses what gameday.yaml no longer names.
	if _, err := s.Daemon.Store.Add(t.Context(), store.Job{What: "app-loss", Environment: "former", State: store.Queued, Expires: s.Daemon.Now()}); err != nil {
		t.Fatal(err)
	}
	held("former")
	// In an incident, gameday.yaml may be broken: what schedules use can be held anyway.
	s.Environment = func(string) error { return errors.New("gameday.yaml:3: unknown key") }
	held("staging")
	refused("other", "unknown key")
}

// An order that has arrived is carried out, also if the client disconnects meanwhile.
func TestAnOrderIsCarriedOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	for path, body := range map[string]string{"/holds": "environment=lab/checkout&why=incident", "/jobs": "scenario=app-loss"} {
		ctx, cancel := context.WithCancel(t.Context())
		s.Environment = func(string) error { cancel(); return nil }
		s.Known = func(string, string) (string, error) { cancel(); return "lab/checkout", nil }
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:8420"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+s.tokens[store.Operate])
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if ctx.Err() == nil {
			t.Errorf("%s: the client is still there", path)
		}
	}
}

// The description of the API is written once, however many ask for it at the same time.
func TestManyReadTheDescription(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			ending := []string{".json", ".yaml", "-3.0.json", "-3.0.yaml"}[i%4]
			if w := s.ask(store.View, "GET", "/api/openapi"+ending, ""); w.Code != http.StatusOK || w.Body.Len() < 1000 || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/openapi+") {
				t.Errorf("%s: %d, %d bytes, %v", ending, w.Code, w.Body.Len(), w.Header())
			}
		})
	}
	group.Wait()
}

// A reason is one line of a bounded length, as it is shown to people.
func TestTheReasonOfAHold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		" incident 7\n": "incident 7", "": "", " \t": "", strings.Repeat("é", 251): "", strings.Repeat("é", 250): strings.Repeat("é", 250), "a\x1b[2Jb\x00": `a\x1b[2Jb\x00`,
	} {
		if got, err := server.ParseReason(text); got != want || (err != nil) != (want == "") {
			t.Errorf("%.20q becomes %q, %v", text, got, err)
		}
	}
}

// No file of a run may act on this site: a browser shows XML as a page, with the forms
// that it holds.
func TestFilesOfRunsCannotAct(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	dir := filepath.Join(s.runs, "20261126T000000Z-x-0000")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Files() {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(`<x><form xmlns="http://www.w3.org/1999/xhtml" action="/stop" method="post"/></x>`), 0o600); err != nil {
			t.Fatal(err)
		}
		w := s.ask(store.View, "GET", "/runs/"+filepath.Base(dir)+"/"+f.Name, "")
		if csp := w.Header().Get("Content-Security-Policy"); w.Code != http.StatusOK || !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "form-action 'none'") || strings.Contains(csp, "allow-scripts") {
			t.Errorf("%s: %d %s", f.Name, w.Code, csp)
		}
	}
}

// Pages of other sites, and of other ports of this machine, can link to a page. They
// cannot fetch one, nor open a stream.
func TestOtherSitesCannotFetch(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	for _, c := range []struct {
		method, path, site, mode string
		want                     int
	}{
		{"GET", "/", "cross-site", "navigate", http.StatusOK},
		{"GET", "/", "same-origin", "cors", http.StatusOK},
		{"GET", "/", "none", "navigate", http.StatusOK},
		{"GET", "/metrics", "", "", http.StatusOK},
		{"GET", "/live", "cross-site", "cors", http.StatusForbidden},
		{"GET", "/live", "same-site", "cors", http.StatusForbidden},
		{"GET", "/api/v1/jobs", "same-site", "no-cors", http.StatusForbidden},
		{"HEAD", "/metrics", "cross-site", "no-cors", http.StatusForbidden},
		{"POST", "/stop", "same-site", "navigate", http.StatusForbidden},
		{"DELETE", "/api/v1/holds?environment=staging", "cross-site", "cors", http.StatusForbidden},
	} {
		w := s.ask(store.Operate, c.method, c.path, "", "Sec-Fetch-Site", c.site, "Sec-Fetch-Mode", c.mode)
		if w.Code != c.want || w.Header().Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%+v: %d", c, w.Code)
		}
	}
}
