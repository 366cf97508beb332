package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/report"
)

// issueSite is as much of GitHub as issues of one repository need.
type issueSite struct {
	mu     sync.Mutex
	issues []*siteIssue
}

// siteIssue is an issue as GitHub shows it.
type siteIssue struct {
	Number   int      `json:"number"`
	State    string   `json:"state"`
	Body     string   `json:"body"`
	URL      string   `json:"html_url"`
	comments []string // texts
}

// open adds an issue.
func (s *issueSite) open(body string) *siteIssue {
	n := len(s.issues) + 1
	s.issues = append(s.issues, &siteIssue{Number: n, State: "open", Body: body, URL: fmt.Sprintf("https://github.com/o/r/issues/%d", n)})
	return s.issues[n-1]
}

// is are the states of all issues, and how many comments they have.
func (s *issueSite) is() (states []string, comments int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.issues {
		states, comments = append(states, i.State), comments+len(i.comments)
	}
	return states, comments
}

func (s *issueSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent struct{ Body, State string }
	_ = json.NewDecoder(r.Body).Decode(&sent)
	one := &siteIssue{}
	if n, err := strconv.Atoi(r.PathValue("n")); err == nil && n <= len(s.issues) {
		one = s.issues[n-1]
	}
	var out any
	switch r.Pattern {
	case "GET /repos/o/r/issues":
		out = s.issues
	case "GET /search/issues":
		out = map[string]any{"items": []any{}}
	case "POST /repos/o/r/issues":
		out = s.open(sent.Body)
	case "PATCH /repos/o/r/issues/{n}":
		one.State, out = sent.State, one
	case "GET /repos/o/r/issues/{n}/comments":
		all := []any{}
		for n, text := range one.comments {
			all = append(all, map[string]any{"id": n, "body": text})
		}
		out = all
	case "POST /repos/o/r/issues/{n}/comments":
		one.comments = append(one.comments, sent.Body)
		out = map[string]any{"id": len(one.comments) - 1}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// newIssueSite serves an empty repository.
func newIssueSite(t *testing.T) (*issueSite, string) {
	t.Helper()
	site, mux := &issueSite{issues: []*siteIssue{}}, http.NewServeMux()
	for _, pattern := range []string{
		"GET /repos/o/r/issues", "GET /search/issues", "POST /repos/o/r/issues", "PATCH /repos/o/r/issues/{n}",
		"GET /repos/o/r/issues/{n}/comments", "POST /repos/o/r/issues/{n}/comments",
	} {
		mux.Handle(pattern, site)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return site, server.URL
}

// tracks makes findings of the toy environment issues of a site.
func (toy *toy) tracks(more string) {
	toy.t.Helper()
	config, err := os.ReadFile(filepath.Join(toy.dir, "gameday.yaml"))
	if err != nil {
		toy.t.Fatal(err)
	}
	writeFile(toy.t, toy.dir, "gameday.yaml", strings.TrimSuffix(string(config), "}\n")+", notify: [{to: 'github-issues:o/r', on: [finding]}]}\n"+more)
}

// What a run finds becomes an issue, by notify: of the environment; several processes at once
// attach it, and there is one issue; the register and the reports show it; a run that disproves a
// finding closes its issue.
func TestFindingsBecomeIssues(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	site, url := newIssueSite(t)
	toy.tracks("")
	writeFile(t, toy.dir, "spofs.yaml", "version: 1\nspofs: [{component: db, environment: staging, decision: fix, owner: Ann, plan: a standby, review: 2099-01-01}]\n")
	gameday := func(args ...string) (int, string, string) {
		cmd := toy.command(args...)
		cmd.Env = append(cmd.Env, "GITHUB_API_URL="+url, "GITHUB_TOKEN=s3cret-token")
		var out, problems strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &problems
		_ = cmd.Run() // the code says how it went
		return cmd.ProcessState.ExitCode(), out.String(), problems.String()
	}
	if code, out, text := gameday("run", "db-loss", "--set", "suspect.component=db"); code != 1 || strings.Contains(text, "warning") || len(site.issues) != 1 {
		t.Fatalf("%d, %d issues\n%s%s", code, len(site.issues), out, text)
	}
	site.mu.Lock()
	site.issues = []*siteIssue{} // as if it had never got there
	site.mu.Unlock()
	var processes sync.WaitGroup
	for range 4 {
		processes.Go(func() {
			if code, out, text := gameday("attach", "last", "--to", "github-issues:o/r"); code != 0 || !strings.Contains(out, "https://github.com/o/r/issues/1 (open)") {
				t.Errorf("%d\n%s%s", code, out, text)
			}
		})
	}
	processes.Wait()
	if states, comments := site.is(); !slices.Equal(states, []string{"open"}) || comments != 0 {
		t.Errorf("issues %v, %d comments", states, comments)
	}
	if _, out, _ := gameday("spofs", "list"); !strings.Contains(out, "https://github.com/o/r/issues/1 (open)") {
		t.Errorf("the register does not show the issue:\n%s", out)
	}
	pages, _ := filepath.Glob(filepath.Join(toy.dir, "gameday-runs", "*", "report.html"))
	if page, err := os.ReadFile(pages[0]); err != nil || !strings.Contains(string(page), "https://github.com/o/r/issues/1") {
		t.Errorf("the report does not show the issue: %v", err)
	}
	// A stored run disproves another finding, whose issue is open.
	dir := filepath.Join(toy.dir, "gameday-runs", "old")
	if err := os.CopyFS(dir, os.DirFS("../../pkg/run/testdata/stored/v1/run")); err != nil {
		t.Fatal(err)
	}
	stored, err := report.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	site.mu.Lock()
	site.issues = nil
	disproved := site.open("<!-- gameday-finding " + report.FindingsOf(stored)[0].Key + " -->\nopened by hand")
	site.mu.Unlock()
	if code, out, text := gameday("attach", dir, "--to", "github-issues:o/r"); code != 0 || !strings.Contains(out, "https://github.com/o/r/issues/1 (closed)") {
		t.Errorf("%d\n%s%s", code, out, text)
	}
	if disproved.State != "closed" || len(disproved.comments) != 1 || !strings.Contains(disproved.comments[0], "disproves the finding") {
		t.Errorf("%+v", disproved)
	}
	toy.clean()
}

// Two daemons of two machines find the same on their schedules, at the same moment: one issue is
// left open, and later runs comment on it.
func TestTwoDaemonsOpenOneIssue(t *testing.T) {
	t.Parallel()
	site, url := newIssueSite(t)
	var all []*served
	for range 2 {
		toy := newToy(t)
		toy.tracks("schedules: [{name: often, cron: '@every 10s', scenario: db-loss, environment: staging}]\n")
		address := "127.0.0.1:" + enginetest.FreePort(t)
		serve := toy.command("serve", "--listen", address, "--store", filepath.Join(toy.dir, "s.db"))
		serve.Env = append(serve.Env, "GITHUB_API_URL="+url, "GITHUB_TOKEN=s3cret-token")
		if err := serve.Start(); err != nil {
			t.Fatal(err)
		}
		s := &served{l: &labTest{t: t}, cmd: serve, address: "http://" + address}
		t.Cleanup(func() { s.end(); toy.clean() })
		toy.eventually("it listens", func() bool { return s.jobs() != nil })
		all = append(all, s)
	}
	for _, s := range all {
		s.l.within(2*time.Minute, "two verdicts", func() bool { return len(s.in("done")) >= 2 })
		for _, j := range s.in("done") {
			if j.Verdict != "proven" {
				t.Errorf("%+v", j)
			}
		}
	}
	states, comments := site.is()
	open := 0
	for _, state := range states {
		if state == "open" {
			open++
		}
	}
	if open != 1 || len(states) > 2 || comments == 0 {
		t.Errorf("issues %v, %d comments", states, comments)
	}
}
