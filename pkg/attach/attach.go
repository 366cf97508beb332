// Package attach sends a run's report to where incidents are reviewed: a Markdown file,
// an issue, a ticket, a channel, or a webhook.
//
// Tokens come from an environment variable NAME, or from a file that NAME_FILE names.
// No message and no error contains a token.
package attach

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

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
		Line: fmt.Sprintf("%s %s in %s: %s", strings.ToUpper(string(r.Outcome)), r.Scenario, r.Environment, report.Headline(r)),
	}, nil
}

// Destination is where messages go.
type Destination interface {
	// Deliver delivers a message and returns its location.
	Deliver(ctx context.Context, m Message) (where string, err error)
}

// Forms is the syntax of destinations.
const Forms = "a Markdown file, github:owner/repo#N, jira:KEY-1, slack:, slack:#channel, or webhook:URL"

// Parse parses a destination.
func Parse(to string) (Destination, error) {
	kind, rest, ok := strings.Cut(to, ":")
	switch {
	case ok && kind == "github":
		return parseGitHub(rest)
	case ok && kind == "jira":
		if rest == "" {
			return nil, fmt.Errorf("%s: expected a ticket, such as jira:OPS-17", to)
		}
		return jira{rest}, nil
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
	return nil, fmt.Errorf("found %q, expected %s", to, Forms)
}

// secret is a token from an environment variable, or from the file that it names.
func secret(name string) (string, error) {
	if value := os.Getenv(name); value != "" {
		return value, nil
	}
	path := os.Getenv(name + "_FILE")
	if path == "" {
		return "", fmt.Errorf("%s is not set: set %s or %s_FILE", name, name, name)
	}
	data, err := os.ReadFile(path) //nolint:gosec // G304: the user names the file
	if err != nil {
		return "", fmt.Errorf("read %s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// The limits of retries. A delivery is retried on 429 and 5xx, after the time that the
// response requests, or with exponential backoff.
const (
	retries   = 4
	retryWait = 500 * time.Millisecond
	retryMax  = 20 * time.Second
	tryFor    = 15 * time.Second
)

// maxResponse is the maximum size of a response, in bytes.
const maxResponse = 4 << 20

// request is an HTTP request with a JSON payload.
type request struct {
	method, address string
	header          http.Header
	payload         []byte // nil for none
}

// call sends body as JSON, and decodes the response into out unless out is nil.
func call(ctx context.Context, r request, body, out any) error {
	if body != nil {
		var err error
		if r.payload, err = json.Marshal(body); err != nil {
			return err
		}
	}
	return send(ctx, r, out)
}

func send(ctx context.Context, r request, out any) error {
	client := retryablehttp.NewClient()
	client.Logger = nil // it would log URLs, and some of them contain a secret
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = retries, retryWait, retryMax
	client.HTTPClient.Timeout = tryFor
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	defer client.HTTPClient.CloseIdleConnections()
	request, err := retryablehttp.NewRequestWithContext(ctx, r.method, r.address, r.payload)
	if err != nil {
		return errors.New("not delivered: invalid URL")
	}
	request.Header = r.header.Clone()
	if r.payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("User-Agent", "gameday")
	response, err := client.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // the URL may contain a secret
		}
		return fmt.Errorf("not delivered: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return fmt.Errorf("read the response: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("not delivered: %s: %s", response.Status, excerpt(string(body)))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("read the response: %w", err)
	}
	return nil
}

// excerpt is the beginning of a response, on one line.
func excerpt(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
