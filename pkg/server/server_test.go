package server_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/scenario"
	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/store"
)

// noRunner runs nothing: no job of these tests gets as far as a run.
type noRunner struct{}

func (noRunner) Run(context.Context, store.Job, func(daemon.Live)) daemon.Result {
	return daemon.Result{Verdict: "disproved"}
}
func (noRunner) Steady(context.Context, store.Job, time.Duration) error             { return nil }
func (noRunner) Tell(context.Context, store.Job, []scenario.Notice, string, string) {}

// site is a server under test.
type site struct {
	*server.Server
	t       testing.TB
	handler http.Handler
	tokens  map[store.Role]string
	runs    string
}

func newSite(tb testing.TB, config server.Config) *site {
	tb.Helper()
	if config.Listen == "" {
		config.Listen = "127.0.0.1:8420"
	}
	s, err := store.Open(tb.Context(), filepath.Join(tb.TempDir(), "serve.db"))
	if err != nil {
		tb.Fatal(err)
	}
	runs := tb.TempDir()
	log := slog.New(slog.DiscardHandler)
	d := &daemon.Daemon{
		Store: s, Runner: noRunner{}, Instance: "test", Spool: tb.TempDir(), Log: log, Now: time.Now, Hub: &daemon.Hub{},
		Schedules: func() ([]scenario.Schedule, error) {
			return []scenario.Schedule{
				{Name: "frozen", Cron: "0 10 * * 2", Scenario: "app-loss", Environment: "staging", Blackout: []scenario.Blackout{{ICal: "freezes.ics", Calendar: []byte("<html>")}}},
				{Name: "weekly", Cron: "0 10 * * 2", Scenario: "app-loss", Environment: "staging"},
			}, nil
		},
	}
	if err := d.Prepare(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	site := &site{t: tb, tokens: map[store.Role]string{}, runs: runs, Server: &server.Server{
		Config: config, Daemon: d, Log: log, Runs: runs,
		Known: func(what, environment string) (string, error) {
			if what != "app-loss" {
				return "", errors.New("there is no scenario " + what)
			}
			return "staging", nil
		},
		Environment: func(name string) error {
			if name != "staging" && name != "lab/checkout" {
				return fmt.Errorf("found environment %q, expected one of lab/checkout, staging", name)
			}
			return nil
		},
		Names:    func() ([]string, []string, error) { return []string{"app-loss"}, []string{"staging"}, nil },
		Register: func() (register.Register, error) { return register.Register{}, nil },
	}}
	if site.handler, err = site.Handler(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	for _, role := range []store.Role{store.View, store.Operate} {
		if site.tokens[role], err = s.NewToken(tb.Context(), store.Token{Name: string(role), Kind: store.Named, Role: role, Created: time.Now()}); err != nil {
			tb.Fatal(err)
		}
	}
	tb.Cleanup(func() {
		if err := errors.Join(site.Close(), s.Close()); err != nil {
			tb.Error(err)
		}
	})
	return site
}

// ask sends a request with a role's token, from this machine.
func (s *site) ask(role store.Role, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.t.Context(), method, "http://127.0.0.1:8420"+path, strings.NewReader(body))
	if token := s.tokens[role]; token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	switch {
	case strings.HasPrefix(path, "/api/") && body != "":
		r.Header.Set("Content-Type", "application/json")
	case body != "":
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// rules is the role that each route requires, written down a second time. The test
// fails for a route that is missing here, and for one that requires less.
func rules() map[string]store.Role {
	return map[string]store.Role{
		"GET /{$}": store.View, "GET /jobs/{id}": store.View, "GET /history": store.View, "GET /trends": store.View, "GET /spofs": store.View,
		"GET /runs/{id}/{file}": store.View, "GET /audit": store.Operate, "GET /live": store.View, "GET /metrics": store.View,
		"GET /static/": store.Anyone, "GET /healthz": store.Anyone, "GET /readyz": store.Anyone,
		"GET /login": store.Anyone, "POST /login": store.Anyone, "POST /logout": store.Anyone,
		"POST /jobs": store.Operate, "POST /jobs/{id}/approve": store.Operate, "POST /jobs/{id}/stop": store.Operate,
		"POST /jobs/{id}/notes": store.Operate, "POST /jobs/{id}/recovered": store.Operate, "POST /api/v1/runs/{id}/recovered": store.Operate, "POST /api/v1/runs/{id}/notes": store.Operate,
		"POST /stop": store.Operate, "POST /holds": store.Operate, "POST /holds/release": store.Operate,
		"GET /api/v1/jobs": store.View, "GET /api/v1/jobs/{id}": store.View, "GET /api/v1/jobs/{id}/verdict": store.View,
		"POST /api/v1/jobs": store.Operate, "POST /api/v1/jobs/{id}/approve": store.Operate, "POST /api/v1/jobs/{id}/stop": store.Operate,
		"POST /api/v1/stop": store.Operate, "POST /api/v1/holds": store.Operate, "DELETE /api/v1/holds": store.Operate,
		"GET /api/v1/holds": store.View, "GET /api/v1/schedules": store.View, "GET /api/v1/runs": store.View, "GET /api/v1/runs/{id}": store.View,
		"GET /api/v1/audit": store.Operate, "GET /api/openapi.json": store.View, "GET /api/openapi.yaml": store.View,
		"GET /api/openapi-3.0.json": store.View, "GET /api/openapi-3.0.yaml": store.View,
	}
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// Every route with every role: a request without the required role is refused and
// changes nothing. Requests that change something require a token even on this machine.
func TestEveryRouteHasItsRule(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	far := newSite(t, server.Config{Listen: "0.0.0.0:8420", Proxied: true})
	want := rules()
	for pattern := range s.Rules() {
		if want[pattern] == "" {
			t.Errorf("%s has no rule in this test", pattern)
		}
	}
	for pattern, role := range want {
		if got := s.Rules()[pattern]; got != role {
			t.Errorf("%s requires %q, expected %q", pattern, got, role)
		}
		method, path, _ := strings.Cut(pattern, " ")
		if pattern == "GET /live" {
			continue // it does not end; see TestLive
		}
		path = placeholder.ReplaceAllStringFunc(strings.ReplaceAll(path, "{$}", ""), func(string) string { return "7" })
		for _, asker := range []store.Role{store.Anyone, store.View, store.Operate} {
			refused := func(site *site, has store.Role) {
				status := site.ask(asker, method, path, "").Code
				denied := status == http.StatusUnauthorized || status == http.StatusForbidden || status == http.StatusSeeOther && method == http.MethodGet
				if denied == has.Covers(role) && path != "/login" {
					t.Errorf("%s, which needs %s, by %s (%s): %d", pattern, role, asker, site.Listen, status)
				}
			}
			here := asker
			if asker == store.Anyone {
				here = store.View // clients on this machine may view
			}
			refused(s, here)
			refused(far, asker)
		}
		if method != http.MethodGet && role == store.Anyone && path != "/login" && path != "/logout" {
			t.Errorf("%s changes something and requires no token", pattern)
		}
	}
	document := map[string]any{}
	if err := json.Unmarshal(s.ask(store.View, "GET", "/api/openapi.json", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	paths, _ := document["paths"].(map[string]any)
	for path, operations := range paths {
		for method := range operations.(map[string]any) { //nolint:forcetypeassert // or the test fails
			if want[strings.ToUpper(method)+" "+path] == "" {
				t.Errorf("%s %s is documented, and has no rule", method, path)
			}
		}
	}
}

func TestNobodyFromElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{Hosts: []string{"gameday.example"}})
	for name, c := range map[string]struct {
		got  *httptest.ResponseRecorder
		want int
	}{
		"DNS rebinding":            {s.ask(store.Anyone, "GET", "/", "", "Host", "evil.example"), http.StatusMisdirectedRequest},
		"its own name":             {s.ask(store.Anyone, "GET", "/", "", "Host", "gameday.example"), http.StatusOK},
		"its own name and port":    {s.ask(store.Anyone, "GET", "/", "", "Host", "GAMEDAY.example:8420"), http.StatusOK},
		"a form of another site":   {s.ask(store.Operate, "POST", "/stop", "", "Origin", "http://evil.example"), http.StatusForbidden},
		"a fetch of another site":  {s.ask(store.Operate, "POST", "/api/v1/stop", "", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden},
		"a form of its own":        {s.ask(store.Operate, "POST", "/stop", "", "Sec-Fetch-Site", "same-origin"), http.StatusSeeOther},
		"a token in the address":   {s.ask(store.Anyone, "POST", "/api/v1/stop?token="+s.tokens[store.Operate], ""), http.StatusUnauthorized},
		"an unknown token":         {s.ask(store.Anyone, "GET", "/api/v1/jobs", "", "Authorization", "Bearer gd_x"), http.StatusUnauthorized},
		"a body that is too large": {s.ask(store.Operate, "POST", "/api/v1/holds", `{"environment":"`+strings.Repeat("a", 2<<20)+`"}`), http.StatusRequestEntityTooLarge},
	} {
		if c.got.Code != c.want {
			t.Errorf("%s: %d, expected %d: %s", name, c.got.Code, c.want, c.got.Body)
		}
	}
	h := s.ask(store.Anyone, "GET", "/", "").Header()
	if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("pages may do: %s", csp)
	}
	for _, config := range []server.Config{{Listen: "0.0.0.0:8420"}, {Listen: ":8420"}, {Listen: "192.0.2.1:8420"}, {Listen: "127.0.0.1"}} {
		if config.Check() == nil {
			t.Errorf("%s without TLS is allowed", config.Listen)
		}
	}
	for _, config := range []server.Config{{Listen: "127.0.0.1:0"}, {Listen: "[::1]:8420"}, {Listen: "localhost:8420"}, {Listen: "0.0.0.0:8420", Proxied: true}} {
		if err := config.Check(); err != nil {
			t.Error(err)
		}
	}
}

// A login link works once and redirects to this site only. A session ends at logout.
func TestLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	link, err := s.LoginLink(t.Context(), "127.0.0.1:8420")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	once := u.Query().Get("once")
	if w := s.ask(store.Anyone, "GET", u.RequestURI(), ""); w.Code != http.StatusOK || len(w.Result().Cookies()) != 0 {
		t.Errorf("opening the link has spent it: %d", w.Code)
	}
	form := url.Values{"token": {once}, "next": {"https://evil.example"}}.Encode()
	w := s.ask(store.Anyone, "POST", "/login", form)
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" || len(cookies) != 1 {
		t.Fatalf("%d to %s, %v", w.Code, w.Header().Get("Location"), cookies)
	}
	if c := cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", c)
	}
	cookie := cookies[0].Name + "=" + cookies[0].Value
	if w := s.ask(store.Anyone, "GET", "/audit", "", "Cookie", cookie); w.Code != http.StatusOK {
		t.Errorf("logged in, and refused: %d", w.Code)
	}
	if w := s.ask(store.Anyone, "POST", "/login", form); w.Code != http.StatusUnauthorized {
		t.Errorf("the link works twice: %d", w.Code)
	}
	if w := s.ask(store.Anyone, "GET", "/audit", "", "Authorization", "Bearer "+cookies[0].Value); w.Code == http.StatusOK {
		t.Error("a session's cookie works as a token")
	}
	if w := s.ask(store.Anyone, "POST", "/logout", "", "Cookie", cookie); w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
	if w := s.ask(store.Anyone, "GET", "/audit", "", "Cookie", cookie); w.Code == http.StatusOK {
		t.Error("logged out, and still accepted")
	}
	log := s.ask(store.Operate, "GET", "/api/v1/audit", "").Body.String()
	for _, secret := range []string{once, cookies[0].Value, s.tokens[store.Operate]} {
		if strings.Contains(log, secret) {
			t.Errorf("a secret is in the audit log: %s", log)
		}
	}
	if !strings.Contains(log, "POST /login: as login link (operate)") || !strings.Contains(log, "Unauthorized") {
		t.Errorf("the audit log lacks an action: %s", log)
	}
}

// The actions by API and by form, with their responses.
func TestActs(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	for _, c := range []struct {
		method, path, body string
		want               int
		says               string
	}{
		{"POST", "/api/v1/jobs", `{"scenario":"app-loss"}`, http.StatusAccepted, `"state":"queued"`},
		{"POST", "/api/v1/jobs", `{"scenario":"../../etc/passwd"}`, http.StatusUnprocessableEntity, "not a scenario name"},
		{"POST", "/api/v1/jobs", `{"scenario":"db-loss"}`, http.StatusUnprocessableEntity, "there is no scenario db-loss"},
		{"POST", "/api/v1/jobs", `{"scenario":"app-loss","environment":"--out"}`, http.StatusUnprocessableEntity, "not an environment name"},
		{"POST", "/api/v1/jobs", `{"scenario":"app-loss","extra":1}`, http.StatusUnprocessableEntity, "unexpected property"},
		{"POST", "/api/v1/jobs", `{`, http.StatusBadRequest, ""},
		{"POST", "/api/v1/jobs/1/approve", "", http.StatusConflict, "not allowed in its current state"},
		{"POST", "/api/v1/jobs/99/stop", "", http.StatusNotFound, "not found"},
		{"POST", "/api/v1/jobs/1/stop", "", http.StatusOK, `"stopped":1`},
		{"POST", "/api/v1/jobs/1/stop", "", http.StatusConflict, "has already ended"},
		{"POST", "/api/v1/holds", `{"environment":"staging","why":"incident 7","until":"2h"}`, http.StatusOK, `"who":"operate"`},
		{"POST", "/api/v1/holds", `{"environment":"staging","why":" "}`, http.StatusUnprocessableEntity, "expected a reason"},
		{"POST", "/api/v1/holds", `{"environment":"staging","why":"x","until":"yesterday"}`, http.StatusUnprocessableEntity, "expected a time in the future"},
		{"GET", "/api/v1/holds", "", http.StatusOK, "incident 7"},
		{"GET", "/", "", http.StatusOK, "incident 7"},
		{"DELETE", "/api/v1/holds?environment=staging", "", http.StatusNoContent, ""},
		{"DELETE", "/api/v1/holds?environment=staging", "", http.StatusNotFound, "not found"},
		{"GET", "/api/v1/jobs?state=refused", "", http.StatusOK, "stopped by operate before it started"},
		{"GET", "/api/v1/jobs?state=nonsense", "", http.StatusUnprocessableEntity, ""},
		{"GET", "/api/v1/jobs/1/verdict", "", http.StatusNotFound, ""},
		{"GET", "/api/v1/schedules", "", http.StatusOK, `"next":null,"error":"schedule frozen: calendar freezes.ics: found no BEGIN:VCALENDAR`},
		{"GET", "/api/v1/schedules", "", http.StatusOK, `"name":"weekly"`},
		{"GET", "/", "", http.StatusOK, "<strong>cannot run</strong>: schedule frozen: calendar freezes.ics: found no BEGIN:VCALENDAR"},
		{"GET", "/", "", http.StatusOK, `<th scope="row">weekly</th><td>app-loss</td><td>staging</td><td><time`},
		{"GET", "/api/v1/runs", "", http.StatusOK, "[]"},
		{"GET", "/api/v1/runs/nothing", "", http.StatusNotFound, ""},
		{"POST", "/holds", "environment=staging&why=%3Cscript%3E", http.StatusSeeOther, ""},
		{"GET", "/", "", http.StatusOK, "&lt;script&gt;"},
		{"POST", "/holds/release", "environment=staging", http.StatusSeeOther, ""},
		{"POST", "/jobs", "scenario=app-loss", http.StatusSeeOther, ""},
		{"GET", "/jobs/2", "", http.StatusOK, "cancel</button>"},
		{"GET", "/jobs/1", "", http.StatusOK, "</html>"},
		{"GET", "/audit", "", http.StatusOK, "POST /holds: staging, &lt;script&gt;"},
		{"GET", "/jobs/none", "", http.StatusNotFound, ""},
		{"POST", "/stop", "", http.StatusSeeOther, ""},
		{"GET", "/runs/x/report.html", "", http.StatusNotFound, ""},
		{"GET", "/runs/..%2F..%2Fetc/passwd", "", http.StatusNotFound, ""},
		{"GET", "/metrics", "", http.StatusOK, "gameday_store_up 1"},
	} {
		w := s.ask(store.Operate, c.method, c.path, c.body)
		if w.Code != c.want || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s %s: %d, expected %d and %q: %s", c.method, c.path, c.body, w.Code, c.want, c.says, w.Body)
		}
	}
}

// Only report files of runs are served, no link leads out of their folder, and no pipe is
// waited for (L16).
func TestFilesOfRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	dir := filepath.Join(s.runs, "20261126T000000Z-x-0000")
	if err := errors.Join(os.MkdirAll(dir, 0o700),
		os.WriteFile(filepath.Join(dir, "report.html"), []byte("<p>proven"), 0o600),
		os.WriteFile(filepath.Join(dir, "events.jsonl"), []byte("{}"), 0o600),
		syscall.Mkfifo(filepath.Join(dir, "junit.xml"), 0o600),
		os.Symlink("/etc/passwd", filepath.Join(dir, "report.md"))); err != nil {
		t.Fatal(err)
	}
	base := "/runs/" + filepath.Base(dir)
	if w := s.ask(store.View, "GET", base+"/report.html", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "proven") || !strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for _, path := range []string{base + "/events.jsonl", base + "/report.md", base + "/junit.xml", "/runs/.../report.html", "/runs/../runs/report.html"} {
		if w := s.ask(store.View, "GET", path, ""); w.Code == http.StatusOK {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}

// The dashboard uses only metrics that exist.
func TestTheDashboardAsksForWhatIsThere(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../deploy/grafana-dashboard.json")
	if err != nil || !json.Valid(data) {
		t.Fatal("the dashboard is not JSON", err)
	}
	asked := regexp.MustCompile(`gameday_\w+`).FindAllString(string(data), -1)
	for _, name := range asked {
		if !server.Metrics()[name] {
			t.Errorf("there is no metric %s: %v", name, server.Metrics())
		}
	}
	if len(asked) < 8 {
		t.Errorf("it uses only %v", asked)
	}
}

// A store that cannot be reached is a 503 that names the store.
func TestTheStoreIsAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	if err := s.Daemon.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/readyz", "/", "/api/v1/jobs"} {
		if w := s.ask(store.Anyone, "GET", path, ""); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "store") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := s.ask(store.Anyone, "GET", "/healthz", ""); w.Code != http.StatusOK {
		t.Errorf("healthz of a live process: %d", w.Code)
	}
	if w := s.ask(store.Anyone, "GET", "/metrics", ""); !strings.Contains(w.Body.String(), "gameday_store_up 0") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// Ten thousand requests of rubbish: no 5xx, and the server stays up.
func TestRubbish(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	patterns := slices.Sorted(func(yield func(string) bool) {
		for p := range rules() {
			if p != "GET /live" && !yield(p) {
				return
			}
		}
	})
	random := rand.New(rand.NewPCG(1, 2))
	rubbish := []string{"", "{}", "[]", "null", "{\"scenario\":", `{"scenario":1}`, `{"environment":{"a":[1,2]}}`, "\x00\xff", "%%%", "a=%zz", strings.Repeat("[", 5000), `{"why":"` + strings.Repeat("é", 600) + `"}`, "-1", "99999999999999999999", "../..", "%2e%2e", "'; DROP TABLE gameday_jobs; --", "\u202e", "1e999"}
	pick := func() string { return rubbish[random.IntN(len(rubbish))] }
	var group sync.WaitGroup
	work := make(chan func(), 8)
	for range 4 {
		group.Go(func() {
			for do := range work {
				do()
			}
		})
	}
	for range 10_000 {
		method, path, _ := strings.Cut(patterns[random.IntN(len(patterns))], " ")
		if random.IntN(4) == 0 {
			method = []string{"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"}[random.IntN(7)]
		}
		path = placeholder.ReplaceAllStringFunc(path, func(string) string { return url.PathEscape(pick()) })
		query, body := "", pick()
		if random.IntN(2) == 0 {
			query = "?" + url.QueryEscape(pick()) + "=" + url.QueryEscape(pick()) + "&limit=" + url.QueryEscape(pick()) + "&state=" + url.QueryEscape(pick())
		}
		headers := []string{"Content-Type", []string{"application/json", "text/plain", "multipart/form-data; boundary=x", "\x01"}[random.IntN(4)], "Accept", pick(), "Cookie", "gameday=" + url.QueryEscape(pick()), "X-Forwarded-For", pick()}
		role := []store.Role{store.Anyone, store.View, store.Operate}[random.IntN(3)]
		work <- func() {
			if w := s.ask(role, method, path+query, body, headers...); w.Code >= http.StatusInternalServerError {
				t.Errorf("%s %s %q as %s: %d %s", method, path+query, body, role, w.Code, w.Body)
			}
		}
	}
	close(work)
	group.Wait()
	if w := s.ask(store.View, "GET", "/readyz", ""); w.Code != http.StatusOK {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

// serve serves until end is called.
func (s *site) serve() (address string, end func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	addresses, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.Serve(ctx, func(address string) { addresses <- address }) }()
	select {
	case address = <-addresses:
	case err := <-ended:
		s.t.Fatal(err)
	}
	return address, func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	}
}

// With TLS, cookies are restricted to this host and to TLS.
func TestTLS(t *testing.T) {
	t.Parallel()
	donor := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(donor.Close)
	s := newSite(t, server.Config{Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: donor.TLS.Certificates, MinVersion: tls.VersionTLS12}})
	address, end := s.serve()
	t.Cleanup(end)
	client := donor.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	link, err := s.LoginLink(t.Context(), address)
	if err != nil || !strings.HasPrefix(link, "https://") {
		t.Fatal(link, err)
	}
	_, once, _ := strings.Cut(link, "once=")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+"/login", strings.NewReader("token="+once))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if c := answer.Cookies(); len(c) != 1 || !strings.HasPrefix(c[0].Name, "__Host-gameday-") || !c[0].Secure || answer.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
}

// browsers is how many listen at the same time in [TestLive].
const browsers = 200

// audience are browsers that listen, and what each has heard.
type audience struct {
	mu    sync.Mutex
	heard [browsers]int
	news  chan struct{} // somebody has heard something
}

// hears counts what one of them hears until ctx ends.
func (a *audience) hears(ctx context.Context, i int, client *http.Client, address string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "data: ") {
			continue
		}
		a.mu.Lock()
		a.heard[i]++
		a.mu.Unlock()
		select {
		case a.news <- struct{}{}:
		default:
		}
	}
	return nil
}

// least is what the one has heard who has heard least.
func (a *audience) least() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Min(a.heard[:])
}

// until tells them something, again and again, until everybody has heard so much. The
// next thing is told when all have heard the last, or some who do not listen yet have
// not within a moment.
func (a *audience) until(ctx context.Context, t *testing.T, much int, tell func()) {
	t.Helper()
	for least := a.least(); least < much; least = a.least() {
		tell()
		moment := time.After(200 * time.Millisecond)
		for waiting := true; waiting && a.least() <= least; {
			select {
			case <-a.news:
			case <-moment:
				waiting = false
			case <-ctx.Done():
				t.Fatalf("somebody has heard %d things only, expected %d", a.least(), much)
			}
		}
	}
}

// Two hundred browsers listen while much happens; when they have gone nothing of them
// is left, and what they took is not more at the end than early on.
func TestLive(t *testing.T) { //nolint:paralleltest // it counts what there is in the process
	much := 200
	if os.Getenv("GAMEDAY_LONG_TESTS") != "" {
		much = 2000
	}
	s := newSite(t, server.Config{Listen: "127.0.0.1:0"})
	before := goleak.IgnoreCurrent()
	address, end := s.serve()
	client := &http.Client{Transport: &http.Transport{}}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var group sync.WaitGroup
	all := &audience{news: make(chan struct{}, 1)}
	for i := range browsers {
		group.Go(func() {
			if err := all.hears(ctx, i, client, "http://"+address+"/live"); err != nil {
				t.Error(err)
			}
		})
	}
	tell := func() {
		s.Daemon.Hub.Publish(daemon.Live{Kind: daemon.Line, Job: 1, Text: strings.Repeat("x", 100)})
	}
	all.until(ctx, t, much/3, tell)
	early := inUse()
	all.until(ctx, t, much, tell)
	late := inUse()
	cancel()
	group.Wait()
	client.CloseIdleConnections()
	end()
	goleak.VerifyNone(t, before)
	t.Logf("%d listeners heard at least %d things each; %d KiB in use early on, %d KiB late", browsers, all.least(), early>>10, late>>10)
	if late > early+early/4+(2<<20) {
		t.Errorf("memory grew from %d to %d bytes", early, late)
	}
}

// inUse is the amount of reachable memory.
func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestLinksLeadToTheServer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config  server.Config
		address string
		want    string
	}{
		{server.Config{}, "127.0.0.1:8420", "http://127.0.0.1:8420/login?once="},
		{server.Config{Listen: "0.0.0.0:8420", Proxied: true}, "[::]:8420", "http://127.0.0.1:8420/login?once="},
		{server.Config{Listen: "0.0.0.0:8420", Proxied: true, Hosts: []string{"gameday.example"}}, "[::]:8420", "https://gameday.example/login?once="},
		{server.Config{Listen: "0.0.0.0:443", TLS: &tls.Config{MinVersion: tls.VersionTLS12}, Hosts: []string{"gameday.example"}}, "0.0.0.0:443", "https://gameday.example:443/login?once="},
	} {
		link, err := newSite(t, c.config).LoginLink(t.Context(), c.address)
		if err != nil || !strings.HasPrefix(link, c.want) {
			t.Errorf("%s, %v, expected %s", link, err, c.want)
		}
	}
}
