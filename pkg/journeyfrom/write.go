package journeyfrom

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/antchfx/htmlquery"
	"github.com/goccy/go-yaml"
	"golang.org/x/net/html"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/scenario"
)

// stableTitle is the title of a page if it is probably the same for each user.
func (i *importer) stableTitle(r *response) string {
	root, err := html.Parse(bytes.NewReader(r.body))
	if err != nil || len(r.body) == 0 {
		return ""
	}
	n := first(root, "title")
	if n == nil {
		return ""
	}
	title := strings.TrimSpace(htmlquery.InnerText(n))
	switch {
	case title == "" || title == probe.Exists || utf8.RuneCountInString(title) > maxTitle || strings.ContainsAny(title, "0123456789\n@"):
		return ""
	case i.secrets.clean(title) != title || title != plaintext.OneLine(title, maxTitle) || i.isUsers(title):
		return ""
	}
	return title
}

// isUsers reports whether a text has a value that a request of the recording sends.
func (i *importer) isUsers(title string) bool {
	for _, e := range i.exchanges {
		for one := range e.slots() {
			if (one.where == "form" || one.where == "json" || one.where == "user") && len(one.value) >= 3 && strings.Contains(strings.ToLower(title), strings.ToLower(one.value)) {
				return true
			}
		}
	}
	return false
}

// write writes the journey, and checks what it has written.
func (i *importer) write(r Result) (Result, error) {
	for _, e := range i.exchanges {
		i.secrets.hide(e)
		i.commentValues(e)
	}
	if i.confirm != nil {
		i.secrets.hide(i.confirm)
	}
	j, above := i.journey()
	comments := yaml.CommentMap{}
	for place, lines := range above {
		if len(lines) > 0 {
			comments[place] = []*yaml.Comment{yaml.HeadComment(i.commented(lines)...)}
		}
	}
	r.Variables = j.Environ()
	comments["$.version"] = []*yaml.Comment{yaml.HeadComment(i.commented(i.head(r))...)}
	data, err := yaml.MarshalWithOptions(j, yaml.IndentSequence(true), yaml.WithComment(comments))
	if err != nil {
		return r, fmt.Errorf("write journey %s: %w", i.options.Name, err)
	}
	if err := i.check(j, data); err != nil {
		return r, err
	}
	r.Journey, r.Files, r.Steps = data, i.files, len(j.Steps)
	if i.entry != nil {
		r.Entry = i.secrets.clean((&url.URL{Scheme: i.entry.Scheme, Host: i.entry.Host, Path: i.entry.Path}).String())
	}
	for _, line := range i.left.lines() {
		r.LeftOut = append(r.LeftOut, i.secrets.clean(line))
	}
	for _, note := range i.notes {
		r.Notes = append(r.Notes, i.secrets.clean(note))
	}
	return r, nil
}

// commented are lines of comments that nothing of the source can leave.
func (i *importer) commented(lines []string) []string {
	all := make([]string, len(lines))
	for n, line := range lines {
		all[n] = " " + plaintext.OneLine(i.secrets.clean(line), maxComment)
	}
	return all
}

// maxComment is the length of the longest comment, in characters.
const maxComment = 300

// head is the comment above the journey.
func (i *importer) head(r Result) []string {
	lines := []string{fmt.Sprintf("Imported from %s. Walk it once: gameday journey try %s --env NAME", formatName(r.Format), i.options.Name)}
	if len(r.Variables) > 0 {
		lines = append(lines, "Secrets are environment variables of gameday. Its gameday.yaml names them: variables: ["+strings.Join(r.Variables, ", ")+"]")
	}
	return lines
}

func formatName(f Format) string {
	return map[Format]string{HAR: "a browser's recording (HAR)", OpenAPI: "an OpenAPI document", Curl: "a curl command", K6: "a k6 script", Postman: "a Postman collection"}[f]
}

// commentValues says which values are of the recording, and of no response.
func (i *importer) commentValues(e *exchange) {
	for one := range e.slots() {
		if one.where == "path" && e.response != nil && len(one.value) >= minToken && isID(one.value) {
			e.comment("The path has a value of the recording that no earlier response has: will it still be there?")
		}
	}
}

// check reads a journey as gameday does. A journey that reads as another one, or that has
// a secret, is not written.
func (i *importer) check(j probe.Journey, data []byte) error {
	if name := i.secrets.leak(string(data)); name != "" {
		return fmt.Errorf("write journey %s: the value of %s is a secret, and no variable can replace it there: remove it from the source", i.options.Name, plaintext.OneLine(i.secrets.clean(name), maxTitle))
	}
	beside := func(path string) ([]byte, error) {
		if content, ok := i.files[path]; ok {
			return content, nil
		}
		return nil, fmt.Errorf("there is no file %s", path)
	}
	read, err := scenario.LoadJourney(i.options.Name+".yaml", data, beside)
	if err != nil {
		return fmt.Errorf("the journey that was made is not valid: %w", err)
	}
	before, err := yaml.Marshal(j)
	if err != nil {
		return err
	}
	after, err := yaml.Marshal(read)
	if err != nil {
		return err
	}
	if !bytes.Equal(before, after) && !reflect.DeepEqual(j, read) {
		return errors.New("the journey that was made reads as another one: please report this")
	}
	return nil
}
