// Package journeyfrom makes a journey of what a person has: a browser's recording (HAR),
// an OpenAPI document, a curl command, a k6 script, a Postman collection.
//
// Each reader turns its source into exchanges: requests, with their responses if they
// were recorded. Then values that recur are captured, secrets become environment
// variables, and the exchanges are written as a journey with comments. What a reader
// leaves out is in the result, with the reason.
package journeyfrom

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/gameday-dev/gameday/internal/bounded"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// Format is a kind of source.
type Format string

// The formats.
const (
	HAR     Format = "har"
	OpenAPI Format = "openapi"
	Curl    Format = "curl"
	K6      Format = "k6"
	Postman Format = "postman"
)

// Formats are all formats.
func Formats() []Format { return []Format{HAR, OpenAPI, Curl, K6, Postman} }

// Options are what a person says about a source.
type Options struct {
	Name       string   // of the journey
	Format     Format   // "" to recognize it
	Entry      string   // base URL of the system in the source; "" for that of the first page
	Paths      []string // of OpenAPI: prefixes of paths; none for all
	Operations []string // of OpenAPI: operation IDs, in the order of the steps
}

// Result is an imported journey.
type Result struct {
	Format    Format
	Journey   []byte            // the file
	Files     map[string][]byte // files beside it, by name
	Entry     string            // the base URL of the system in the source; "" if it has none
	Steps     int
	LeftOut   []string // what was left out, and why
	Notes     []string // what a person should know before the first try
	Variables []string // environment variables, for variables: in gameday.yaml
}

// Import reads a source. It is never read beyond a stated size. An error names the place
// in the source.
func Import(in io.Reader, o Options) (r Result, err error) {
	buffered := bufio.NewReaderSize(in, headSize)
	if r.Format = o.Format; r.Format == "" {
		head, err := buffered.Peek(headSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return r, err
		}
		if r.Format, err = recognize(head); err != nil {
			return r, err
		}
	}
	i, err := newImporter(o)
	if err != nil {
		return r, err
	}
	if r.Format == HAR {
		err = i.readHAR(buffered)
	} else {
		var data []byte
		if data, err = io.ReadAll(&bounded.Reader{From: buffered, Most: bounded.MaxFile}); err == nil {
			err = i.read(r.Format, data)
		}
	}
	if err != nil {
		return r, fmt.Errorf("read as %s: %w", r.Format, i.secrets.redactor.Error(err))
	}
	if len(i.exchanges) == 0 {
		text := "found no request for a journey"
		if lines := i.left.lines(); len(lines) > 0 {
			text += "; left out: " + i.secrets.clean(strings.Join(lines, "; "))
		}
		return r, fmt.Errorf("read as %s: %s", r.Format, text)
	}
	return i.write(r)
}

func newImporter(o Options) (i *importer, err error) {
	i = &importer{options: o, secrets: newSecrets(o.Name)}
	if o.Entry == "" {
		return i, nil
	}
	if err = probe.CheckEntry(o.Entry); err == nil {
		i.wanted, err = url.Parse(o.Entry)
	}
	if err != nil {
		return nil, fmt.Errorf("--entry: %w", err)
	}
	return i, nil
}

// read reads a source that is read as a whole.
func (i *importer) read(f Format, data []byte) error {
	switch f {
	case OpenAPI:
		return i.readOpenAPI(data)
	case Curl:
		return i.readCurl(data)
	case K6:
		return i.readK6(data)
	case Postman:
		return i.readPostman(data)
	case HAR: // readHAR reads it piece by piece
	}
	return fmt.Errorf("found the format %q, expected one of %q", f, Formats())
}

// headSize is how much of a source is looked at to recognize its format, in bytes.
const headSize = 64 << 10

// recognize finds the format of a source.
func recognize(head []byte) (Format, error) {
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	text := strings.TrimSpace(string(head))
	switch {
	case strings.HasPrefix(text, "{"):
		return recognizeJSON(text)
	case strings.Contains(text, "k6/http"):
		return K6, nil
	case slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool { return strings.HasPrefix(line, "openapi:") }):
		return OpenAPI, nil
	case strings.Contains(text, "\nswagger:") || strings.HasPrefix(text, "swagger:"):
		return "", errSwagger
	case slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
		return strings.HasPrefix(strings.TrimLeft(line, "$ \t"), "curl ")
	}):
		return Curl, nil
	}
	return "", errUnknown
}

var (
	errUnknown = errors.New("the format was not recognized: expected a recording of a browser (HAR), OpenAPI 3, a curl command, a k6 script or a Postman collection; --format forces one")
	errSwagger = errors.New("found Swagger 2, expected OpenAPI 3: convert the document first")
)

// recognizeJSON finds the format of an object by its first keys.
func recognizeJSON(text string) (Format, error) {
	keys := topKeys(text)
	switch {
	case slices.Contains(keys, "log"):
		return HAR, nil
	case slices.Contains(keys, "openapi"):
		return OpenAPI, nil
	case slices.Contains(keys, "swagger"):
		return "", errSwagger
	case slices.Contains(keys, "item") || slices.Contains(keys, "info") && strings.Contains(text, "postman"):
		return Postman, nil
	case slices.Contains(keys, "info") || slices.Contains(keys, "paths"):
		return OpenAPI, nil
	}
	return "", errUnknown
}
