// Package attach brings a run's report to where incidents are reviewed: into a
// Markdown file, to an issue, a ticket, a channel, or a web hook.
//
// Tokens come from the environment (NAME) or from a file (NAME_FILE), and reach
// neither a message nor an error.
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

// The events of which a message tells.
const (
	Started = "start"
	Judged  = "verdict"
	Aborted = "abort"
)

// Message is what is delivered.
type Message struct {
	Event    string // [Started], [Judged] or [Aborted]
	Run      string // its id; what is attached for it again replaces what was
	Line     string // all of it in one line
	Markdown string // the report; empty where there is none yet
	Report   *report.Report
}

// Of is the message about a run that has ended.
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
		Line: fmt.Sprintf("%s %s in %s: %s", strings.ToUpper(string(r.Verdict.Outcome)), r.Scenario, r.Environment, report.Headline(r)),
	}, nil
}

// Destination takes messages.
type Destination interface {
	// Deliver delivers, and says where it went.
	Deliver(ctx context.Context, m Message) (where string, err error)
}

// Forms are what destinations look like.
const Forms = "a Markdown file, github:owner/repo#N, jira:KEY-1, slack:, slack:#channel, or webhook:URL"

// Parse reads a destination.
func Parse(to string) (Destination, error) {
	kind, rest, ok := strings.Cut(to, ":")
	switch {
	case ok && kind == "github":
		return parseGitHub(rest)
	case ok && kind == "jira":
		if rest == "" {
			return nil, fmt.Errorf("%s: expected a ticket, as in jira:OPS-17", to)
		}
		return jira{rest}, nil
	case ok && kind == "slack":
		return slack{rest}, nil
	case ok && kind == "webhook":
		u, err := url.Parse(rest)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, errors.New("webhook: expected a URL, as in webhook:https://hooks.example/gameday")
		}
		return webhook{rest}, nil
	case strings.HasSuffix(to, ".md") || strings.HasSuffix(to, ".markdown"):
		return file{to}, nil
	}
	return nil, fmt.Errorf("found %q, expected %s", to, Forms)
}

// secret is a token of the environment, or of the file that it names.
func secret(name string) (string, error) {
	if value := os.Getenv(name); value != "" {
		return value, nil
	}
	path := os.Getenv(name + "_FILE")
	if path == "" {
		return "", fmt.Errorf("%s is not set, nor %s_FILE", name, name)
	}
	data, err := os.ReadFile(path) //nolint:gosec // G304: what the user names
	if err != nil {
		return "", fmt.Errorf("read %s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(data)), nil
}

// How often and for how long a delivery is tried: on 429 and 5xx, waiting as long
// as the answer asks for, else longer each time.
const (
	retries   = 4
	retryWait = 500 * time.Millisecond
	retryMax  = 20 * time.Second
	tryFor    = 15 * time.Second
)

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 4 << 20

// request is one to a server that takes JSON.
type request struct {
	method, address string
	header          http.Header
	payload         []byte // none where nil
}

// call sends a request of JSON, and reads the answer into out unless that is nil.
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
	client.Logger = nil // it would log addresses, of which some are secrets
	client.RetryMax, client.RetryWaitMin, client.RetryWaitMax = retries, retryWait, retryMax
	client.HTTPClient.Timeout = tryFor
	client.ErrorHandler = retryablehttp.PassthroughErrorHandler
	defer client.HTTPClient.CloseIdleConnections()
	request, err := retryablehttp.NewRequestWithContext(ctx, r.method, r.address, r.payload)
	if err != nil {
		return errors.New("the address is not one")
	}
	request.Header = r.header.Clone()
	if r.payload != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("User-Agent", "gameday")
	response, err := client.Do(request)
	if err != nil {
		if told, ok := errors.AsType[*url.Error](err); ok {
			err = told.Err // its address may be a secret
		}
		return fmt.Errorf("not delivered: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("not delivered: %s: %s", response.Status, first(string(answer)))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// first is the beginning of what a server says.
func first(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	const most = 200
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
