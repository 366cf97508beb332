package attach

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/gameday-dev/gameday/pkg/report"
)

// gitHubIssues are the issues of a repository on GitHub.
type gitHubIssues struct{ repository string }

var _ tracker = gitHubIssues{}

func parseGitHubIssues(text string) (Destination, error) {
	if !regexp.MustCompile(`^[\w.-]+/[\w.-]+$`).MatchString(text) || dotted(text) {
		return nil, fmt.Errorf("found %q, expected github-issues:owner/repo", shown("github-issues:"+text))
	}
	return tracking{gitHubIssues{text}}, nil
}

// dotted reports whether a path would lead elsewhere.
func dotted(path string) bool {
	return strings.Contains("/"+path+"/", "/../") || strings.Contains("/"+path+"/", "/./")
}

type gitHubIssue struct {
	Number      json.Number     `json:"number"`
	State       string          `json:"state"`
	Reason      string          `json:"state_reason"`
	Body        string          `json:"body"`
	HTMLURL     string          `json:"html_url"`
	PullRequest json.RawMessage `json:"pull_request"`
}

func (i gitHubIssue) issue(run string) issue {
	return issue{
		id: i.Number.String(), number: number(i.Number.String()), url: i.HTMLURL, open: i.State == "open",
		declined: i.State == "closed" && (i.Reason == "not_planned" || i.Reason == "duplicate"), run: run,
	}
}

// find lists the issues with gameday's label, because a list has what was opened just now. A
// search also finds those whose label was taken away, or never set: GitHub drops labels of
// those who may not set them.
func (g gitHubIssues) find(ctx context.Context, f report.Finding) ([]issue, error) {
	found, err := pages(ctx, func(page int) (all []gitHubIssue, err error) {
		err = g.call(ctx, http.MethodGet, fmt.Sprintf("/repos/%s/issues?labels=%s&state=all&sort=created&direction=asc&per_page=100&page=%d", g.repository, Label, page), nil, &all)
		return all, err
	})
	if err != nil {
		return nil, err
	}
	if all := g.about(f, found); len(all) > 0 {
		return all, nil
	}
	var answer struct {
		Items []gitHubIssue `json:"items"`
	}
	query := url.QueryEscape(fmt.Sprintf("%s repo:%s is:issue in:body", f.Key, g.repository))
	if err := g.call(ctx, http.MethodGet, "/search/issues?per_page=100&q="+query, nil, &answer); err != nil {
		return nil, err
	}
	return g.about(f, answer.Items), nil
}

// about are the issues about a finding.
func (gitHubIssues) about(f report.Finding, all []gitHubIssue) (about []issue) {
	for _, i := range all {
		if run, ok := openedBy(i.Body, f); ok && len(i.PullRequest) == 0 {
			about = append(about, i.issue(run))
		}
	}
	return about
}

func (g gitHubIssues) open(ctx context.Context, f report.Finding, m Message) (issue, error) {
	var made gitHubIssue
	err := g.call(ctx, http.MethodPost, "/repos/"+g.repository+"/issues", map[string]any{
		"title": f.Title, "body": issueText(f, m, maxComment), "labels": []string{Label},
	}, &made)
	return made.issue(m.Run), err
}

func (g gitHubIssues) comment(ctx context.Context, i issue, m Message) error {
	_, err := gitHub{g.repository, i.id}.Deliver(ctx, m)
	return err
}

func (g gitHubIssues) set(ctx context.Context, i issue, to state) error {
	body := map[string]string{"state": "open", "state_reason": "reopened"}
	switch to {
	case opened:
	case closed:
		body = map[string]string{"state": "closed", "state_reason": "completed"}
	case duplicate:
		body = map[string]string{"state": "closed", "state_reason": "not_planned"}
	}
	return g.call(ctx, http.MethodPatch, "/repos/"+g.repository+"/issues/"+i.id, body, nil)
}

func (g gitHubIssues) call(ctx context.Context, method, path string, body, out any) error {
	server, err := gitHubServer()
	if err != nil {
		return err
	}
	return call(ctx, server.request(method, path), body, out)
}
