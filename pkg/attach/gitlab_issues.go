package attach

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/gameday-dev/gameday/internal/secret"
	"github.com/gameday-dev/gameday/pkg/report"
)

// gitLabIssues are the issues of a project on GitLab; see "Issues" and "Notes" in GitLab's
// REST API, version 4.
type gitLabIssues struct{ project string }

var _ tracker = gitLabIssues{}

func parseGitLabIssues(text string) (Destination, error) {
	if !regexp.MustCompile(`^[\w.-]+(/[\w.-]+)+$`).MatchString(text) || dotted(text) {
		return nil, fmt.Errorf("found %q, expected gitlab-issues:group/project", shown("gitlab-issues:"+text))
	}
	return tracking{gitLabIssues{text}}, nil
}

type gitLabIssue struct {
	IID         json.Number `json:"iid"`
	State       string      `json:"state"`
	Description string      `json:"description"`
	WebURL      string      `json:"web_url"`
}

func (i gitLabIssue) issue(run string) issue {
	return issue{id: i.IID.String(), number: number(i.IID.String()), url: i.WebURL, open: i.State == "opened", run: run}
}

func (g gitLabIssues) find(ctx context.Context, f report.Finding) ([]issue, error) {
	// The label may have been taken away.
	for _, filter := range []string{"labels=" + Label, "in=description&search=" + f.Key} {
		found, err := pages(ctx, func(page int) (all []gitLabIssue, err error) {
			err = g.call(ctx, http.MethodGet, fmt.Sprintf("/issues?%s&state=all&scope=all&order_by=created_at&sort=asc&per_page=100&page=%d", filter, page), nil, &all)
			return all, err
		})
		if err != nil {
			return nil, err
		}
		var about []issue
		for _, i := range found {
			if run, ok := openedBy(i.Description, f); ok {
				about = append(about, i.issue(run))
			}
		}
		if len(about) > 0 {
			return about, nil
		}
	}
	return nil, nil
}

func (g gitLabIssues) open(ctx context.Context, f report.Finding, m Message) (issue, error) {
	var made gitLabIssue
	err := g.call(ctx, http.MethodPost, "/issues", map[string]any{"title": f.Title, "description": issueText(f, m, maxComment), "labels": Label}, &made)
	return made.issue(m.Run), err
}

func (g gitLabIssues) comment(ctx context.Context, i issue, m Message) error {
	notes := "/issues/" + i.id + "/notes"
	return sure(ctx, func(bool) error {
		found, err := pages(ctx, func(page int) (all []comment, err error) {
			err = g.call(ctx, http.MethodGet, fmt.Sprintf("%s?per_page=100&page=%d", notes, page), nil, &all)
			return all, err
		})
		if err != nil {
			return err
		}
		body := map[string]string{"body": commentText(m)}
		if id, ok := commentOf(found, begins(m.Run)); ok {
			return g.call(ctx, http.MethodPut, notes+"/"+id, body, nil)
		}
		return g.call(ctx, http.MethodPost, notes, body, nil)
	})
}

func (g gitLabIssues) set(ctx context.Context, i issue, to state) error {
	event := "close"
	if to == opened {
		event = "reopen"
	}
	return g.call(ctx, http.MethodPut, "/issues/"+i.id, map[string]string{"state_event": event}, nil)
}

// call asks about the project. GITLAB_TOKEN is an access token with the scope api.
func (g gitLabIssues) call(ctx context.Context, method, path string, body, out any) error {
	token, err := secret.Need("GITLAB_TOKEN")
	if err != nil {
		return err
	}
	s := server{
		base: strings.TrimRight(cmp.Or(os.Getenv("GITLAB_URL"), "https://gitlab.com"), "/"), api: "/api/v4/projects/" + url.PathEscape(g.project),
		header: http.Header{}, secrets: []string{token},
	}
	s.header.Set("PRIVATE-TOKEN", token)
	return call(ctx, s.request(method, path), body, out)
}
