package attach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/gameday-dev/gameday/internal/secret"
	"github.com/gameday-dev/gameday/pkg/report"
)

// jiraIssues are the tickets of a project in Jira; see "Issues", "Issue search" and "Issue
// comments" in Jira's REST API, version 2. A ticket is found by a label, because Jira's texts
// have no place for a marker that its search finds exactly.
type jiraIssues struct{ project string }

var _ tracker = jiraIssues{}

func parseJiraIssues(text string) (Destination, error) {
	if !regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`).MatchString(text) {
		return nil, fmt.Errorf("found project %q, expected one such as jira-issues:OPS", shown(text))
	}
	return tracking{jiraIssues{text}}, nil
}

func jiraLabel(f report.Finding) string { return Label + "-" + f.Key }

type jiraIssue struct {
	Key    string `json:"key"`
	Fields struct {
		Description string `json:"description"`
		Status      struct {
			Category struct {
				Key string `json:"key"` // new, indeterminate or done
			} `json:"statusCategory"`
		} `json:"status"`
	} `json:"fields"`
}

func (i jiraIssue) open() bool { return i.Fields.Status.Category.Key != "done" }

// find searches by the label of the finding. In the cloud, JQL has a path of its own.
func (j jiraIssues) find(ctx context.Context, f report.Finding) ([]issue, error) {
	server, err := jiraServer()
	if err != nil {
		return nil, err
	}
	path := "/search"
	if server.cloud {
		path = "/search/jql"
	}
	var found struct {
		Issues []jiraIssue `json:"issues"`
	}
	query := url.Values{"jql": {fmt.Sprintf("project = %q AND labels = %q ORDER BY created ASC", j.project, jiraLabel(f))}, "fields": {"status,description"}, "maxResults": {"50"}}
	if err := call(ctx, server.request(http.MethodGet, path+"?"+query.Encode()), nil, &found); err != nil {
		return nil, err
	}
	all := make([]issue, 0, len(found.Issues))
	for _, i := range found.Issues {
		run := ""
		if first, _, _ := strings.Cut(i.Fields.Description, "\n"); strings.HasPrefix(first, jiraMarker("")) {
			run = strings.TrimRight(strings.TrimPrefix(first, jiraMarker("")), " \r")
		}
		all = append(all, issue{id: i.Key, number: number(i.Key[strings.LastIndex(i.Key, "-")+1:]), url: server.base + "/browse/" + i.Key, open: i.open(), run: run})
	}
	return all, nil
}

// open opens a ticket. JIRA_ISSUE_TYPE is its type.
func (j jiraIssues) open(ctx context.Context, f report.Finding, m Message) (issue, error) {
	server, err := jiraServer()
	if err != nil {
		return issue{}, err
	}
	var made jiraIssue
	err = call(ctx, server.request(http.MethodPost, "/issue"), map[string]any{"fields": map[string]any{
		"project": map[string]string{"key": j.project}, "issuetype": map[string]string{"name": cmp.Or(os.Getenv("JIRA_ISSUE_TYPE"), "Task")},
		"summary": f.Title, "description": jiraBody(m), "labels": []string{Label, jiraLabel(f)},
	}}, &made)
	return issue{id: made.Key, number: number(made.Key[strings.LastIndex(made.Key, "-")+1:]), url: server.base + "/browse/" + made.Key, open: true, run: m.Run}, err
}

func (j jiraIssues) comment(ctx context.Context, i issue, m Message) error {
	_, err := jira{i.id}.Deliver(ctx, m)
	return err
}

// set makes the first transition that leads to a status of the right category: workflows
// differ, and have names of their own.
func (j jiraIssues) set(ctx context.Context, i issue, to state) error {
	server, err := jiraServer()
	if err != nil {
		return err
	}
	return sure(ctx, func(again bool) error {
		if again { // the answer to the transition was lost
			var now jiraIssue
			if err := call(ctx, server.request(http.MethodGet, "/issue/"+i.id+"?fields=status"), nil, &now); err != nil || now.open() == (to == opened) {
				return err
			}
		}
		return j.transit(ctx, server, i, to)
	})
}

func (jiraIssues) transit(ctx context.Context, server server, i issue, to state) error {
	path := "/issue/" + i.id + "/transitions"
	var possible struct {
		Transitions []struct {
			ID string `json:"id"`
			To struct {
				Category struct {
					Key string `json:"key"`
				} `json:"statusCategory"`
			} `json:"to"`
		} `json:"transitions"`
	}
	if err := call(ctx, server.request(http.MethodGet, path), nil, &possible); err != nil {
		return err
	}
	for _, t := range possible.Transitions {
		if done := t.To.Category.Key == "done"; done != (to == opened) {
			return call(ctx, server.request(http.MethodPost, path), map[string]any{"transition": map[string]string{"id": t.ID}}, nil)
		}
	}
	return fmt.Errorf("%s cannot be set to %s: its workflow has no transition that leads there", i.id, to)
}

// server is an API with what its requests need.
type server struct {
	base, api string
	header    http.Header
	secrets   []string
	cloud     bool
}

func (s server) request(method, path string) request {
	return request{method: method, address: s.base + s.api + path, header: s.header, secrets: s.secrets, once: method == http.MethodPost}
}

func jiraServer() (server, error) {
	s := server{base: strings.TrimRight(os.Getenv("JIRA_URL"), "/"), api: "/rest/api/2"}
	if s.base == "" {
		return s, errors.New("JIRA_URL is not set: set it to Jira's base URL, such as https://example.atlassian.net")
	}
	token, err := secret.Need("JIRA_TOKEN")
	if err != nil {
		return s, err
	}
	signed := &http.Request{Header: http.Header{}}
	if email := os.Getenv("JIRA_EMAIL"); email != "" {
		signed.SetBasicAuth(email, token) // Jira Cloud
		s.cloud = true
	} else {
		signed.Header.Set("Authorization", "Bearer "+token) // a personal access token of Jira Data Center
	}
	s.header, s.secrets = signed.Header, []string{token, strings.TrimPrefix(signed.Header.Get("Authorization"), "Basic ")}
	return s, nil
}

func gitHubServer() (server, error) {
	token, err := secret.Need("GITHUB_TOKEN")
	s := server{base: strings.TrimRight(cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com"), "/"), header: http.Header{}, secrets: []string{token}}
	s.header.Set("Authorization", "Bearer "+token)
	s.header.Set("Accept", "application/vnd.github+json")
	s.header.Set("X-GitHub-Api-Version", "2022-11-28")
	return s, err
}
