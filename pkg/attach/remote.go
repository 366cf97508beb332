package attach

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/internal/secret"
	"github.com/gameday-dev/gameday/pkg/report"
)

// gitHub is an issue or a pull request. Each run has one comment on it.
type gitHub struct{ repository, number string }

// The limits of comments. GitHub allows 65,536 characters and some 2,500 comments on an
// issue, Jira 32,767 characters.
const (
	maxComment     = 65536
	maxJiraComment = 32767
	maxPages       = 100
)

// shorten cuts a text that is too long, and puts an ending there.
func shorten(text string, most int, ending string) string {
	if len(text) <= most {
		return text
	}
	return plaintext.Cut(text, most-len(ending)) + ending
}

func parseGitHub(text string) (Destination, error) {
	m := regexp.MustCompile(`^([\w.-]+/[\w.-]+)#(\d+)$`).FindStringSubmatch(text)
	if m == nil || dotted(m[1]) {
		return nil, fmt.Errorf("found %q, expected github:owner/repo#N", shown("github:"+text))
	}
	return gitHub{m[1], m[2]}, nil
}

type comment struct {
	ID      json.Number `json:"id"`
	Body    string      `json:"body"`
	HTMLURL string      `json:"html_url"`
}

// Deliver implements [Destination]; see "Issue comments" in GitHub's REST API.
func (g gitHub) Deliver(ctx context.Context, m Message) (string, error) {
	if err := checkRun(m.Run); err != nil {
		return "", err
	}
	server, err := gitHubServer()
	if err != nil {
		return "", err
	}
	issue := "/repos/" + g.repository + "/issues/"
	var made comment
	err = sure(ctx, func(bool) error {
		found, err := pages(ctx, func(page int) (all []comment, err error) {
			err = call(ctx, server.request(http.MethodGet, fmt.Sprintf("%s%s/comments?per_page=100&page=%d", issue, g.number, page)), nil, &all)
			return all, err
		})
		if err != nil {
			return err
		}
		method, path := http.MethodPost, issue+g.number+"/comments"
		if id, ok := commentOf(found, begins(m.Run)); ok {
			method, path = http.MethodPatch, issue+"comments/"+id
		}
		return call(ctx, server.request(method, path), map[string]string{"body": commentText(m)}, &made)
	})
	return made.HTMLURL, err
}

// commentText is a message as a comment in Markdown.
func commentText(m Message) string {
	return shorten(begins(m.Run)+"\n"+m.text(), maxComment, "\n\n… truncated to the maximum size of a comment\n")
}

// commentOf is the ID of the comment that begins with a marker, the last one if several do.
func commentOf(all []comment, marker string) (id string, ok bool) {
	for _, c := range all {
		if firstLine(c.Body, marker) {
			id, ok = c.ID.String(), true
		}
	}
	return id, ok
}

// pages reads all pages of a list; a page has 100 entries.
func pages[T any](ctx context.Context, read func(page int) ([]T, error)) (all []T, err error) {
	for page := 1; page <= maxPages; page++ {
		part, err := read(page)
		if all = append(all, part...); err != nil || len(part) < 100 {
			return all, err
		}
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
	}
	return all, fmt.Errorf("not delivered: found more than %d pages of comments", maxPages)
}

// jira is a ticket. Each run has one comment on it.
type jira struct{ key string }

// Deliver implements [Destination]; see "Issue comments" in Jira's REST API, version 2,
// in which comments use Jira's own markup.
func (j jira) Deliver(ctx context.Context, m Message) (string, error) {
	if err := checkRun(m.Run); err != nil {
		return "", err
	}
	server, err := jiraServer()
	if err != nil {
		return "", err
	}
	err = sure(ctx, func(bool) error {
		found, err := j.comments(ctx, server)
		if err != nil {
			return err
		}
		method, path := http.MethodPost, "/issue/"+j.key+"/comment"
		if id, ok := commentOf(found, jiraMarker(m.Run)); ok {
			method, path = http.MethodPut, path+"/"+id
		}
		return call(ctx, server.request(method, path), map[string]string{"body": jiraBody(m)}, nil)
	})
	return server.base + "/browse/" + j.key, err
}

// comments are all comments on a ticket.
func (j jira) comments(ctx context.Context, server server) (all []comment, err error) {
	for range maxPages {
		var found struct {
			Total    int       `json:"total"`
			Comments []comment `json:"comments"`
		}
		if err := call(ctx, server.request(http.MethodGet, "/issue/"+j.key+"/comment?startAt="+strconv.Itoa(len(all))), nil, &found); err != nil {
			return nil, err
		}
		all = append(all, found.Comments...)
		if len(all) >= found.Total || len(found.Comments) == 0 {
			return all, nil
		}
	}
	return nil, fmt.Errorf("not delivered: found more than %d pages of comments", maxPages)
}

func jiraMarker(run string) string { return "gameday run " + run }

// jiraBody is a comment in Jira's markup. What the run met is in a block in which Jira reads
// no markup: no link, no image, no mention.
func jiraBody(m Message) string {
	const ending = "\n{noformat}"
	text := noformat.ReplaceAllString(strings.TrimRight(m.Line+"\n\n"+m.Markdown, "\n"), "{ $1")
	return shorten(jiraMarker(m.Run)+"\n{noformat}\n"+text+ending, maxJiraComment, "\n… truncated"+ending)
}

// noformat is what could end a block of Jira's markup.
var noformat = regexp.MustCompile(`(?i)\{(noformat)`)

// maxLine is the maximum length of a message in a channel, in bytes.
const maxLine = 3000

// slack is a channel, or the target of an incoming webhook.
type slack struct{ channel string }

// Deliver implements [Destination]; see "Incoming webhooks" and chat.postMessage in
// Slack's API.
func (s slack) Deliver(ctx context.Context, m Message) (string, error) {
	// Escape Slack's control characters.
	text := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(plaintext.OneLine(m.Line, maxLine) + "\nrun " + m.Run)
	if s.channel == "" {
		hook, err := secret.Need("SLACK_WEBHOOK_URL")
		if err != nil {
			return "", err
		}
		return "the Slack webhook", call(ctx, request{method: http.MethodPost, address: hook, header: http.Header{}, private: true}, map[string]string{"text": text}, nil)
	}
	token, err := secret.Need("SLACK_TOKEN")
	if err != nil {
		return "", err
	}
	header := http.Header{}
	header.Set("Authorization", "Bearer "+token)
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	base := strings.TrimRight(cmp.Or(os.Getenv("SLACK_API_URL"), "https://slack.com/api"), "/")
	r := request{method: http.MethodPost, address: base + "/chat.postMessage", header: header, secrets: []string{token}}
	if err := call(ctx, r, map[string]string{"channel": s.channel, "text": text}, &answer); err != nil {
		return "", err
	}
	if !answer.OK {
		return "", fmt.Errorf("not delivered: Slack answered %s", r.clean(answer.Error, maxExcerpt))
	}
	return "Slack channel " + s.channel, nil
}

// webhook is a URL that receives signed JSON.
type webhook struct{ url string }

// Delivery is the body of a request to a webhook. The header X-Gameday-Signature-256 has
// its signature: "sha256=" and the hexadecimal HMAC-SHA256 of the header
// X-Gameday-Timestamp, a full stop, and the body.
type Delivery struct {
	Schema string         `json:"schema"`
	Event  string         `json:"event"`
	Run    string         `json:"run"`
	Text   string         `json:"text"`
	Report *report.Report `json:"report"` // null at the start
}

// DeliverySchema is the version of [Delivery].
const DeliverySchema = "gameday/webhook/v1"

// Deliver implements [Destination].
func (w webhook) Deliver(ctx context.Context, m Message) (string, error) {
	key, err := secret.Need("GAMEDAY_WEBHOOK_SECRET")
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(Delivery{DeliverySchema, m.Event, m.Run, m.Line, m.Report})
	if err != nil {
		return "", err
	}
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	header := http.Header{}
	header.Set("X-Gameday-Timestamp", stamp)
	header.Set("X-Gameday-Signature-256", "sha256="+Sign(key, stamp, body))
	return "the webhook", send(ctx, request{method: http.MethodPost, address: w.url, header: header, payload: body, private: true, secrets: []string{key}}, nil)
}

// Sign is the signature of a delivery; see [Delivery].
func Sign(key, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
