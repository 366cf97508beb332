package attach_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/attach"
	"github.com/gameday-dev/gameday/pkg/report"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/verdict"
)

// ticket is an issue of a tracker under test.
type ticket struct {
	title, body, state, reason string
	labels                     []string
	comments                   []string
	created                    time.Time
}

// trackerSite is a tracker under test: GitHub, GitLab or Jira.
type trackerSite struct {
	t  *testing.T
	mu sync.Mutex

	issues []*ticket
	calls  []string
	posted map[string]int // requests that created something, by path
	// before, if not nil, answers instead of the tracker; after answers although the tracker
	// has done what was asked.
	before, after func(w http.ResponseWriter, r *http.Request) bool
	dropLabels    bool
	searchLag     bool // the search does not know the issues yet
	cloud         bool
}

func (s *trackerSite) body(r *http.Request) (sent map[string]any) {
	if r.Method == http.MethodGet {
		return nil
	}
	if r.Header.Get("Content-Type") != "application/json" {
		s.t.Errorf("%s %s: content type %q", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		s.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
	return sent
}

// serve starts the tracker. answer does what a request asks for.
func (s *trackerSite) serve(answer func(r *http.Request, sent map[string]any) (status int, out any)) *httptest.Server {
	s.posted = map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls = append(s.calls, r.Method+" "+r.URL.Path)
		if s.before != nil && s.before(w, r) {
			return
		}
		status, out := answer(r, s.body(r))
		if r.Method == http.MethodPost {
			s.posted[r.URL.Path]++
		}
		if s.after != nil && s.after(w, r) {
			return
		}
		if status == http.StatusNotFound {
			s.t.Errorf("no such request: %s %s", r.Method, r.URL)
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(out)
	}))
	s.t.Cleanup(server.Close)
	return server
}

func page[T any](r *http.Request, all []T) []T {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	from := min((max(n, 1)-1)*100, len(all))
	return append([]T{}, all[from:min(from+100, len(all))]...)
}

// gitHub is the documented part of GitHub's REST API.
func (s *trackerSite) gitHub(r *http.Request, sent map[string]any) (int, any) {
	if r.Header.Get("Authorization") != "Bearer "+token || r.Header.Get("Accept") != "application/vnd.github+json" || r.Header.Get("X-GitHub-Api-Version") != "2022-11-28" {
		s.t.Errorf("headers %v", r.Header)
	}
	shown := func(n int) map[string]any {
		i := s.issues[n]
		m := map[string]any{"number": n + 1, "state": i.state, "state_reason": i.reason, "body": i.body, "html_url": fmt.Sprintf("https://github.com/o/r/issues/%d", n+1)}
		if i.title == "a pull request" {
			m["pull_request"] = map[string]any{}
		}
		return m
	}
	q, path := r.URL.Query(), r.URL.Path
	var n, c int
	switch {
	case r.Method == http.MethodGet && path == "/repos/o/r/issues":
		if q.Get("state") != "all" || q.Get("per_page") != "100" {
			s.t.Errorf("%s", r.URL)
		}
		all := []map[string]any{}
		for n, i := range s.issues {
			if slices.Contains(i.labels, q.Get("labels")) {
				all = append(all, shown(n))
			}
		}
		return http.StatusOK, page(r, all)
	case r.Method == http.MethodGet && path == "/search/issues":
		words := strings.Fields(q.Get("q"))
		if !slices.Contains(words, "repo:o/r") || !slices.Contains(words, "is:issue") {
			s.t.Errorf("%s", r.URL)
		}
		all := []map[string]any{}
		for n, i := range s.issues {
			if strings.Contains(i.body, words[0]) && !s.searchLag {
				all = append(all, shown(n))
			}
		}
		return http.StatusOK, map[string]any{"total_count": len(all), "items": all}
	case r.Method == http.MethodPost && path == "/repos/o/r/issues":
		i := &ticket{title: sent["title"].(string), body: sent["body"].(string), state: "open", created: time.Now()}
		if !s.dropLabels {
			for _, l := range sent["labels"].([]any) {
				i.labels = append(i.labels, l.(string))
			}
		}
		s.issues = append(s.issues, i)
		return http.StatusCreated, shown(len(s.issues) - 1)
	case scan(path, "/repos/o/r/issues/comments/%d", &c) && r.Method == http.MethodPatch:
		s.issues[c/1000].comments[c%1000] = sent["body"].(string)
		return http.StatusOK, map[string]any{"id": c, "html_url": "https://github.com/o/r/issues/1#c"}
	case scan(path, "/repos/o/r/issues/%d/comments", &n) && r.Method == http.MethodGet:
		all := []map[string]any{}
		for c, text := range s.issues[n-1].comments {
			all = append(all, map[string]any{"id": 1000*(n-1) + c, "body": text})
		}
		return http.StatusOK, page(r, all)
	case scan(path, "/repos/o/r/issues/%d/comments", &n) && r.Method == http.MethodPost:
		s.issues[n-1].comments = append(s.issues[n-1].comments, sent["body"].(string))
		return http.StatusCreated, map[string]any{"id": 1000*(n-1) + len(s.issues[n-1].comments) - 1, "html_url": "https://github.com/o/r/issues/1#c"}
	case scan(path, "/repos/o/r/issues/%d", &n) && r.Method == http.MethodPatch:
		s.issues[n-1].state, s.issues[n-1].reason = sent["state"].(string), sent["state_reason"].(string)
		return http.StatusOK, shown(n - 1)
	}
	return http.StatusNotFound, nil
}

// scan matches a whole path.
func scan(path, pattern string, n *int) bool {
	_, err := fmt.Sscanf(path, pattern, n)
	return err == nil && fmt.Sprintf(pattern, *n) == path
}

// gitLab is the documented part of GitLab's REST API.
func (s *trackerSite) gitLab(r *http.Request, sent map[string]any) (int, any) {
	if r.Header.Get("PRIVATE-TOKEN") != token || !strings.HasPrefix(r.URL.EscapedPath(), "/api/v4/projects/group%2Fproject/issues") {
		s.t.Errorf("%s, headers %v", r.URL.EscapedPath(), r.Header)
	}
	shown := func(n int) map[string]any {
		i := s.issues[n]
		state := map[string]string{"open": "opened", "closed": "closed"}[i.state]
		return map[string]any{"iid": n + 1, "state": state, "description": i.body, "web_url": fmt.Sprintf("https://gitlab.com/group/project/-/issues/%d", n+1)}
	}
	q, path := r.URL.Query(), strings.TrimPrefix(r.URL.Path, "/api/v4/projects/group/project")
	var n, c int
	switch {
	case r.Method == http.MethodGet && path == "/issues":
		if q.Get("state") != "all" || q.Get("scope") != "all" || q.Get("per_page") != "100" {
			s.t.Errorf("%s", r.URL)
		}
		all := []map[string]any{}
		for n, i := range s.issues {
			labeled := q.Get("labels") != "" && slices.Contains(i.labels, q.Get("labels"))
			found := q.Get("in") == "description" && strings.Contains(i.body, q.Get("search")) && !s.searchLag
			if labeled || found {
				all = append(all, shown(n))
			}
		}
		return http.StatusOK, page(r, all)
	case r.Method == http.MethodPost && path == "/issues":
		s.issues = append(s.issues, &ticket{title: sent["title"].(string), body: sent["description"].(string), state: "open", labels: strings.Split(sent["labels"].(string), ",")})
		return http.StatusCreated, shown(len(s.issues) - 1)
	case scan(path, "/issues/%d", &n) && r.Method == http.MethodPut:
		s.issues[n-1].state = map[string]string{"close": "closed", "reopen": "open"}[sent["state_event"].(string)]
		return http.StatusOK, shown(n - 1)
	case scan(path, "/issues/%d/notes", &n) && r.Method == http.MethodGet:
		all := []map[string]any{}
		for c, text := range s.issues[n-1].comments {
			all = append(all, map[string]any{"id": c, "body": text})
		}
		return http.StatusOK, page(r, all)
	case scan(path, "/issues/%d/notes", &n) && r.Method == http.MethodPost:
		s.issues[n-1].comments = append(s.issues[n-1].comments, sent["body"].(string))
		return http.StatusCreated, map[string]any{"id": len(s.issues[n-1].comments) - 1}
	case r.Method == http.MethodPut:
		if _, err := fmt.Sscanf(path, "/issues/%d/notes/%d", &n, &c); err == nil {
			s.issues[n-1].comments[c] = sent["body"].(string)
			return http.StatusOK, map[string]any{"id": c}
		}
	}
	return http.StatusNotFound, nil
}

// jira is the documented part of Jira's REST API.
func (s *trackerSite) jira(r *http.Request, sent map[string]any) (int, any) {
	search, auth := "/search", "Bearer "+token
	if s.cloud {
		search, auth = "/search/jql", "Basic YUBiLmV4YW1wbGU6czNjcmV0LXRva2Vu" // a@b.example:s3cret-token
	}
	if r.Header.Get("Authorization") != auth {
		s.t.Errorf("authorization %q", r.Header.Get("Authorization"))
	}
	status := func(n int) map[string]any {
		return map[string]any{"statusCategory": map[string]any{"key": map[string]string{"open": "new", "closed": "done"}[s.issues[n].state]}}
	}
	path := strings.TrimPrefix(r.URL.Path, "/rest/api/2")
	var n, c int
	switch {
	case r.Method == http.MethodGet && path == search:
		query := r.URL.Query().Get("jql")
		var label string
		if _, err := fmt.Sscanf(query, `project = "OPS" AND labels = %q ORDER BY created ASC`, &label); err != nil {
			s.t.Errorf("%q: %v", query, err)
		}
		all := []map[string]any{}
		for n, i := range s.issues {
			if slices.Contains(i.labels, label) && !s.searchLag {
				all = append(all, map[string]any{"key": fmt.Sprintf("OPS-%d", n+1), "fields": map[string]any{"description": i.body, "status": status(n)}})
			}
		}
		return http.StatusOK, map[string]any{"issues": all}
	case r.Method == http.MethodPost && path == "/issue":
		f := sent["fields"].(map[string]any)
		if f["project"].(map[string]any)["key"] != "OPS" || f["issuetype"].(map[string]any)["name"] != "Task" {
			s.t.Errorf("%v", f)
		}
		i := &ticket{title: f["summary"].(string), body: f["description"].(string), state: "open"}
		for _, l := range f["labels"].([]any) {
			if i.labels = append(i.labels, l.(string)); strings.Contains(l.(string), " ") {
				s.t.Errorf("Jira takes no spaces in a label: %q", l)
			}
		}
		s.issues = append(s.issues, i)
		return http.StatusCreated, map[string]any{"id": "10000", "key": fmt.Sprintf("OPS-%d", len(s.issues))}
	case scan(path, "/issue/OPS-%d", &n) && r.Method == http.MethodGet:
		return http.StatusOK, map[string]any{"key": fmt.Sprintf("OPS-%d", n), "fields": map[string]any{"status": status(n - 1)}}
	case scan(path, "/issue/OPS-%d/transitions", &n) && r.Method == http.MethodGet:
		to := func(key string) map[string]any {
			return map[string]any{"statusCategory": map[string]any{"key": key}}
		}
		return http.StatusOK, map[string]any{"transitions": []any{
			map[string]any{"id": "11", "name": "Begin", "to": to("indeterminate")}, map[string]any{"id": "41", "name": "Done", "to": to("done")},
		}}
	case scan(path, "/issue/OPS-%d/transitions", &n) && r.Method == http.MethodPost:
		s.issues[n-1].state = map[any]string{"11": "open", "41": "closed"}[sent["transition"].(map[string]any)["id"]]
		return http.StatusNoContent, nil
	case scan(path, "/issue/OPS-%d/comment", &n) && r.Method == http.MethodGet:
		at, _ := strconv.Atoi(r.URL.Query().Get("startAt"))
		all := []map[string]any{}
		for c, text := range s.issues[n-1].comments[at:] {
			all = append(all, map[string]any{"id": strconv.Itoa(at + c), "body": text})
		}
		return http.StatusOK, map[string]any{"total": len(s.issues[n-1].comments), "comments": all}
	case scan(path, "/issue/OPS-%d/comment", &n) && r.Method == http.MethodPost:
		s.issues[n-1].comments = append(s.issues[n-1].comments, sent["body"].(string))
		return http.StatusCreated, map[string]any{"id": "1"}
	case r.Method == http.MethodPut:
		if _, err := fmt.Sscanf(path, "/issue/OPS-%d/comment/%d", &n, &c); err == nil {
			s.issues[n-1].comments[c] = sent["body"].(string)
			return http.StatusOK, map[string]any{"id": "1"}
		}
	}
	return http.StatusNotFound, nil
}

// found is what a run of the scenario has found: proven, or disproved.
func found(id string, outcome verdict.Outcome) []report.Found {
	r := report.Report{
		ID: id, Scenario: "db-loss", Environment: "staging", Suspect: report.Suspect{Component: "db"},
		Run: verdict.Run{Verdict: verdict.Verdict{Outcome: outcome}}, Faults: []run.StepAccount{{Kind: "kill", Component: "db-1"}},
	}
	if outcome == verdict.Proven {
		r.State = verdict.Down
	}
	return report.FindingsOfAll([]report.Report{r})
}

// trackers are all trackers, each as a site and a destination.
func trackers(t *testing.T) map[string]func(t *testing.T) (site *trackerSite, to string) {
	t.Helper()
	return map[string]func(t *testing.T) (*trackerSite, string){
		"GitHub": func(t *testing.T) (*trackerSite, string) {
			t.Helper()
			s := &trackerSite{t: t}
			t.Setenv("GITHUB_API_URL", s.serve(s.gitHub).URL)
			t.Setenv("GITHUB_TOKEN", token)
			return s, "github-issues:o/r"
		},
		"GitLab": func(t *testing.T) (*trackerSite, string) {
			t.Helper()
			s := &trackerSite{t: t}
			t.Setenv("GITLAB_URL", s.serve(s.gitLab).URL)
			t.Setenv("GITLAB_TOKEN", token)
			return s, "gitlab-issues:group/project"
		},
		"Jira Data Center": func(t *testing.T) (*trackerSite, string) { t.Helper(); return jiraSite(t, "") },
		"Jira Cloud":       func(t *testing.T) (*trackerSite, string) { t.Helper(); return jiraSite(t, "a@b.example") },
	}
}

func jiraSite(t *testing.T, email string) (*trackerSite, string) {
	t.Helper()
	s := &trackerSite{t: t, cloud: email != ""}
	t.Setenv("JIRA_URL", s.serve(s.jira).URL)
	t.Setenv("JIRA_TOKEN", token)
	t.Setenv("JIRA_EMAIL", email)
	return s, "jira-issues:OPS"
}

// track brings what a run has found to a tracker.
func track(t *testing.T, to, id string, outcome verdict.Outcome) report.Issue {
	t.Helper()
	issues, err := attach.Track(t.Context(), to, found(id, outcome), t.TempDir())
	if err != nil || len(issues) > 1 {
		t.Fatalf("%s: %+v %v", id, issues, err)
	}
	return append(issues, report.Issue{})[0]
}

// A finding is opened once, later runs comment once each, a run that disproves it closes it
// with its evidence, and one that finds it again opens it again.
func TestAFindingIsOneIssue(t *testing.T) { //nolint:paralleltest // it sets variables
	for name, start := range trackers(t) { //nolint:paralleltest // likewise
		t.Run(name, func(t *testing.T) {
			s, to := start(t)
			if i := track(t, to, "run-0", verdict.Disproved); i.URL != "" || len(s.issues) != 0 {
				t.Errorf("nothing was found, and the issue is %+v", i)
			}
			first := track(t, to, "run-1", verdict.Proven)
			track(t, to, "run-1", verdict.Proven) // it is repeated, such as by gameday attach
			if len(s.issues) != 1 || len(s.issues[0].comments) != 0 || first.State != report.IssueOpen || !strings.HasSuffix(first.URL, "1") {
				t.Fatalf("%d issues, %+v, %+v", len(s.issues), s.issues, first)
			}
			i := s.issues[0]
			if i.title != "Single point of failure: db in staging (kill)" || !strings.Contains(i.body, "PROVEN: db-loss") || !slices.Contains(i.labels, "gameday") {
				t.Errorf("%+v", i)
			}
			track(t, to, "run-2", verdict.Degraded)
			track(t, to, "run-2", verdict.Degraded)
			if len(i.comments) != 1 || !strings.Contains(i.comments[0], "run-2") || i.state != "open" {
				t.Errorf("%+v", i)
			}
			gone := track(t, to, "run-3", verdict.Disproved)
			if gone.State != report.IssueClosed || i.state != "closed" || len(i.comments) != 2 || !strings.Contains(i.comments[1], "disproves the finding") || !strings.Contains(i.comments[1], "DISPROVED: db-loss") {
				t.Errorf("%+v, %+v", gone, i)
			}
			track(t, to, "run-4", verdict.Disproved) // it is closed, and nothing is said again
			back := track(t, to, "run-5", verdict.Proven)
			if back.State != report.IssueOpen || i.state != "open" || len(i.comments) != 3 || len(s.issues) != 1 || back.URL != first.URL {
				t.Errorf("%+v, %+v", back, i)
			}
		})
	}
}

// Whatever becomes of answers, there is one issue and one comment: requests that fail, that
// are refused for their number, and that are carried out although no answer comes.
func TestOneIssueWhateverBecomesOfAnswers(t *testing.T) { //nolint:paralleltest // it sets variables
	lost := func(method, suffix string, times int, lose func(w http.ResponseWriter)) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != method || !strings.HasSuffix(r.URL.Path, suffix) || times == 0 {
				return false
			}
			times--
			lose(w)
			return true
		}
	}
	status := func(code int, header ...string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
		}
	}
	reset := func(w http.ResponseWriter) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	opens := map[string]string{"GitHub": "/issues", "GitLab": "/issues", "Jira Data Center": "/issue", "Jira Cloud": "/issue"}
	says := map[string]string{"GitHub": "/comments", "GitLab": "/notes", "Jira Data Center": "/comment", "Jira Cloud": "/comment"}
	for name, start := range trackers(t) { //nolint:paralleltest // likewise
		for what, arrange := range map[string]func(s *trackerSite){
			"the answer to the opening is lost": func(s *trackerSite) { s.after = lost(http.MethodPost, opens[name], 1, status(http.StatusBadGateway)) },
			"the connection is reset":           func(s *trackerSite) { s.after = lost(http.MethodPost, opens[name], 1, reset) },
			"the answer to the comment is lost": func(s *trackerSite) { s.after = lost(http.MethodPost, says[name], 1, reset) },
			"the tracker is down for a moment": func(s *trackerSite) {
				s.before = lost(http.MethodPost, opens[name], 1, status(http.StatusServiceUnavailable))
			},
			"too many requests, Retry-After": func(s *trackerSite) {
				s.before = lost(http.MethodPost, opens[name], 2, status(http.StatusTooManyRequests, "Retry-After", "0"))
			},
			"too many requests, x-ratelimit": func(s *trackerSite) {
				s.before = lost(http.MethodPost, opens[name], 1, status(http.StatusForbidden, "x-ratelimit-remaining", "0", "x-ratelimit-reset", now))
			},
			"a secondary limit, 403 Retry-After": func(s *trackerSite) {
				s.before = lost(http.MethodGet, "", 1, status(http.StatusForbidden, "Retry-After", "0"))
			},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				s, to := start(t)
				arrange(s)
				track(t, to, "run-1", verdict.Proven)
				track(t, to, "run-2", verdict.Proven)
				if len(s.issues) != 1 || len(s.issues[0].comments) != 1 {
					t.Errorf("%d issues: %+v, calls %v", len(s.issues), s.issues, s.calls)
				}
			})
		}
	}
}

// A server that takes no request for an hour is not asked again, and the error says when.
func TestALongLimitIsNotWaitedFor(t *testing.T) { //nolint:paralleltest // it sets variables
	s, to := trackers(t)["GitHub"](t)
	s.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("x-ratelimit-remaining", "0")
		w.Header().Set("x-ratelimit-reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		w.WriteHeader(http.StatusForbidden)
		return true
	}
	_, err := attach.Track(t.Context(), to, found("run-1", verdict.Proven), "")
	if err == nil || !strings.Contains(err.Error(), "github-issues:o/r") || !strings.Contains(err.Error(), "the server takes none for ") || len(s.calls) != 1 {
		t.Errorf("%v, %d calls", err, len(s.calls))
	}
}

// A process that dies between opening an issue and whatever it does next leaves one that the
// next run finds, also if people have taken the label away, or GitHub has dropped it.
func TestACrashAfterOpening(t *testing.T) { //nolint:paralleltest // it sets variables
	for name, start := range trackers(t) { //nolint:paralleltest // likewise
		t.Run(name, func(t *testing.T) {
			s, to := start(t)
			s.dropLabels = name == "GitHub"
			first := track(t, to, "run-1", verdict.Proven)
			if name == "GitLab" {
				s.issues[0].labels = nil
			}
			s.issues[0].body += "\nAnn: I look at it." // people write there, too
			if second := track(t, to, "run-1", verdict.Proven); second.URL != first.URL || len(s.issues) != 1 {
				t.Errorf("%+v, then %+v: %d issues", first, second, len(s.issues))
			}
		})
	}
}

// Processes of one machine open one issue, and so do the goroutines of one.
func TestManyAtOnceOpenOneIssue(t *testing.T) { //nolint:paralleltest // it sets variables
	for name, start := range trackers(t) { //nolint:paralleltest // likewise
		t.Run(name, func(t *testing.T) {
			s, to := start(t)
			locks := t.TempDir()
			var group sync.WaitGroup
			for n := range 8 {
				group.Go(func() {
					if _, err := attach.Track(t.Context(), to, found(fmt.Sprintf("run-%d", n), verdict.Proven), locks); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if len(s.issues) != 1 || len(s.issues[0].comments) != 7 {
				t.Errorf("%d issues with %d comments", len(s.issues), len(s.issues[0].comments))
			}
		})
	}
}

// Machines that share nothing may both open one: the younger one is closed by its own.
func TestTwoMachinesAtOnce(t *testing.T) { //nolint:paralleltest // it sets variables
	for name, start := range trackers(t) { //nolint:paralleltest // likewise
		t.Run(name, func(t *testing.T) {
			s, to := start(t)
			var both sync.WaitGroup
			both.Add(2)
			seen := 0
			s.before = func(_ http.ResponseWriter, r *http.Request) bool {
				// Neither opens before both have looked.
				if r.Method == http.MethodGet && (strings.Contains(r.URL.Path, "/search") || strings.Contains(r.URL.RawQuery, "search=")) && seen < 2 {
					seen++
					s.mu.Unlock()
					both.Done()
					both.Wait()
					s.mu.Lock()
				}
				return false
			}
			var group sync.WaitGroup
			for n := range 2 {
				group.Go(func() {
					if _, err := attach.Track(t.Context(), to, found(fmt.Sprintf("run-%d", n), verdict.Proven), t.TempDir()); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			open := 0
			for _, i := range s.issues {
				if i.state == "open" {
					open++
				}
			}
			if open != 1 || s.issues[0].state != "open" {
				t.Errorf("%d open issues of %d", open, len(s.issues))
			}
		})
	}
}

// An issue that people closed because nothing will be done is commented, and stays closed.
// What the register accepts opens none. An issue of somebody else is left alone.
func TestPeopleDecide(t *testing.T) { //nolint:paralleltest // it sets variables
	s, to := trackers(t)["GitHub"](t)
	track(t, to, "run-1", verdict.Proven)
	body := s.issues[0].body
	s.issues = append(s.issues, &ticket{title: "a pull request", body: body, state: "open", labels: []string{"gameday"}}, &ticket{title: "a quotation", body: "> " + body, state: "open", labels: []string{"gameday"}})
	s.issues[0].state, s.issues[0].reason = "closed", "not_planned"
	if i := track(t, to, "run-2", verdict.Proven); i.State != report.IssueClosed || len(s.issues[0].comments) != 1 || s.issues[0].state != "closed" {
		t.Errorf("%+v %+v", i, s.issues[0])
	}
	for _, other := range s.issues[1:] {
		if other.state != "open" || len(other.comments) > 0 {
			t.Errorf("%+v", other)
		}
	}
	accepted := found("run-3", verdict.Proven)
	accepted[0].Accepted, accepted[0].Key = true, "another"
	if issues, err := attach.Track(t.Context(), to, accepted, ""); err != nil || len(issues) != 0 || len(s.issues) != 3 {
		t.Errorf("%+v %v", issues, err)
	}
}

// The text of an issue is bounded, and holds no marker but gameday's own.
func TestTheTextOfAnIssue(t *testing.T) { //nolint:paralleltest // it sets variables
	s, to := trackers(t)["GitHub"](t)
	f := found("run-1", verdict.Proven)
	f[0].Report.Title = "<!-- gameday-finding 000 --> <!-- gameday run-9 -->" + strings.Repeat("long ", 20_000)
	if _, err := attach.Track(t.Context(), to, f, ""); err != nil {
		t.Fatal(err)
	}
	body := s.issues[0].body
	if len(body) > 65536 || strings.Count(body, "<!--") != 2 || !strings.Contains(body[len(body)-100:], f[0].Key) {
		t.Errorf("%d bytes, %d markers: %.200q", len(body), strings.Count(body, "<!--"), body)
	}
	for _, bad := range []string{"github-issues:", "github-issues:o", "github-issues:o/..", "github-issues:o/r#3", "gitlab-issues:p", "gitlab-issues:a/../b", "jira-issues:OPS-1", "jira-issues:ops"} {
		if attach.Tracks(bad) || attach.Check(bad) == nil {
			t.Errorf("%q is a tracker", bad)
		}
	}
	if u, err := url.Parse(track(t, to, "run-1", verdict.Proven).URL); err != nil || u.Host != "github.com" {
		t.Errorf("%v %v", u, err)
	}
}
