// Package attach sends a run's report to where incidents are reviewed: a Markdown file,
// an issue, a ticket, a channel, or a webhook.
//
// Tokens come from an environment variable NAME, or from a file that NAME_FILE names.
// No message and no error contains a token.
package attach

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/report"
)

// The events of messages.
const (
	Started = "start"
	Judged  = "verdict"
	Aborted = "abort"
)

// Message is a message to deliver.
type Message struct {
	Event    string // [Started], [Judged] or [Aborted]
	Run      string // the run's ID; a later message for the same run replaces the earlier one
	Line     string // a summary in one line
	Markdown string // the report; empty if there is none yet
	Report   *report.Report
}

// Of builds the message about a run that has ended.
func Of(r report.Report) (Message, error) {
	var text bytes.Buffer
	if err := report.Markdown(&text, r); err != nil {
		return Message{}, err
	}
	event := Judged
	if r.Aborted != "" {
		event = Aborted
	}
	// The picture is in the run's folder, and this text goes elsewhere.
	markdown := strings.Replace(text.String(), "\n"+report.ChartImage+"\n", "", 1)
	return Message{
		Event: event, Run: r.ID, Markdown: markdown, Report: &r,
		Line: plaintext.Line(fmt.Sprintf("%s %s in %s: %s", strings.ToUpper(string(r.Outcome)), r.Scenario, r.Environment, report.Headline(r))),
	}, nil
}

// Destination is where messages go.
type Destination interface {
	// Deliver delivers a message and returns its location.
	Deliver(ctx context.Context, m Message) (where string, err error)
}

// Forms is the syntax of destinations.
const Forms = "a Markdown file, github:owner/repo#N, jira:KEY-1, slack:, slack:#channel, webhook:URL, or for findings github-issues:owner/repo, gitlab-issues:group/project, jira-issues:KEY"

// ticket is what the key of a Jira ticket looks like.
var ticket = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*-[0-9]+$`)

// Parse parses a destination.
func Parse(to string) (Destination, error) {
	kind, rest, ok := strings.Cut(to, ":")
	switch {
	case ok && kind == "github":
		return parseGitHub(rest)
	case ok && kind == "jira":
		if !ticket.MatchString(rest) {
			return nil, fmt.Errorf("found ticket %q, expected one such as jira:OPS-17", shown(rest))
		}
		return jira{rest}, nil
	case ok && kind == "github-issues":
		return parseGitHubIssues(rest)
	case ok && kind == "gitlab-issues":
		return parseGitLabIssues(rest)
	case ok && kind == "jira-issues":
		return parseJiraIssues(rest)
	case ok && kind == "slack":
		return slack{rest}, nil
	case ok && kind == "webhook":
		u, err := url.Parse(rest)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("webhook: expected a URL, such as webhook:https://hooks.example/gameday")
		}
		return webhook{rest}, nil
	case strings.HasSuffix(to, ".md") || strings.HasSuffix(to, ".markdown"):
		return file{to}, nil
	}
	return nil, fmt.Errorf("found %q, expected %s", shown(to), Forms)
}

// Check checks the syntax of a destination.
func Check(to string) error {
	_, err := Parse(to)
	return err
}

// shown is a destination for a message: of a URL only the host, because the rest may be
// a secret.
func shown(to string) string {
	kind, rest, _ := strings.Cut(to, ":")
	before, _, isURL := strings.Cut(to, "://")
	switch u, err := url.Parse(rest); {
	case isURL && err == nil && u.Host != "":
		to = before + "://" + u.Host + "/…"
	case isURL:
		to = before + "://…"
	case kind == "webhook":
		to = "webhook:…"
	}
	return request{}.clean(to, maxExcerpt)
}
