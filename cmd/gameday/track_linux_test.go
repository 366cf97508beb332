package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gameday-dev/gameday/pkg/report"
)

// issueSite is as much of GitHub as one issue needs.
type issueSite struct {
	mu       sync.Mutex
	bodies   []string
	comments []string
	closed   bool
}

func (s *issueSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sent struct{ Body, State string }
	_ = json.NewDecoder(r.Body).Decode(&sent)
	issue := func(n int) map[string]any {
		return map[string]any{"number": n + 1, "state": map[bool]string{true: "closed", false: "open"}[s.closed], "body": s.bodies[n], "html_url": fmt.Sprintf("https://github.com/o/r/issues/%d", n+1)}
	}
	var out any
	switch r.Method + " " + r.URL.Path {
	case "GET /repos/o/r/issues":
		all := []any{}
		for n := range s.bodies {
			all = append(all, issue(n))
		}
		out = all
	case "GET /search/issues":
		out = map[string]any{"items": []any{}}
	case "POST /repos/o/r/issues":
		s.bodies = append(s.bodies, sent.Body)
		out = issue(len(s.bodies) - 1)
	case "PATCH /repos/o/r/issues/1":
		s.closed = sent.State == "closed"
		out = issue(0)
	case "GET /repos/o/r/issues/1/comments":
		all := []any{}
		for n, text := range s.comments {
			all = append(all, map[string]any{"id": n, "body": text})
		}
		out = all
	case "POST /repos/o/r/issues/1/comments":
		s.comments = append(s.comments, sent.Body)
		out = map[string]any{"id": len(s.comments) - 1}
	default:
		w.WriteHeader(http.StatusTeapot)
	}
	_ = json.NewEncoder(w).Encode(out)
}

// What a run finds becomes an issue, by notify: of the environment; several processes at once
// attach it, and there is one issue; the register and the reports show it; a run that disproves a
// finding closes its issue.
func TestFindingsBecomeIssues(t *testing.T) {
	t.Parallel()
	toy := newToy(t)
	site := &issueSite{}
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	config, err := os.ReadFile(filepath.Join(toy.dir, "gameday.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	config = append([]byte(strings.TrimSuffix(string(config), "}\n")), ", notify: [{to: 'github-issues:o/r', on: [finding]}]}\n"...)
	writeFile(t, toy.dir, "gameday.yaml", string(config))
	writeFile(t, toy.dir, "spofs.yaml", "version: 1\nspofs: [{component: db, environment: staging, decision: fix, owner: Ann, plan: a standby, review: 2099-01-01}]\n")
	gameday := func(args ...string) (int, string, string) {
		cmd := toy.command(args...)
		cmd.Env = append(cmd.Env, "GITHUB_API_URL="+server.URL, "GITHUB_TOKEN=s3cret-token")
		var out, problems strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &problems
		_ = cmd.Run() // the code says how it went
		return cmd.ProcessState.ExitCode(), out.String(), problems.String()
	}
	if code, out, text := gameday("run", "db-loss", "--set", "suspect.component=db"); code != 1 || strings.Contains(text, "warning") || len(site.bodies) != 1 {
		t.Fatalf("%d, %d issues\n%s%s", code, len(site.bodies), out, text)
	}
	site.mu.Lock()
	site.bodies, site.comments = nil, nil // as if it had never got there
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
	if len(site.bodies) != 1 || len(site.comments) != 0 {
		t.Errorf("%d issues, %d comments", len(site.bodies), len(site.comments))
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
	site.bodies = []string{"<!-- gameday-finding " + report.FindingsOf(stored)[0].Key + " -->\nopened by hand"}
	site.mu.Unlock()
	if code, out, text := gameday("attach", dir, "--to", "github-issues:o/r"); code != 0 || !strings.Contains(out, "https://github.com/o/r/issues/1 (closed)") {
		t.Errorf("%d\n%s%s", code, out, text)
	}
	if !site.closed || len(site.comments) != 1 || !strings.Contains(site.comments[0], "disproves the finding") {
		t.Errorf("closed: %v, %q", site.closed, site.comments)
	}
	toy.clean()
}
