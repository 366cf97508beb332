// Package strictyaml decodes YAML into Go structs and reports all problems at once. Each
// problem has its line and column, what was found, what was expected, and the nearest
// valid word for a mistyped one.
//
// It uses the struct tags from which the JSON Schema is generated too: yaml:"name", and
// in jsonschema:"…" the words required, enum=, minimum= and maximum=.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/xrash/smetrics"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/internal/redact"
)

// Position is a place in a file. Lines and columns count from 1.
type Position struct{ Line, Column int }

// FileError is one problem of a file.
type FileError struct {
	File string
	Position
	Text string // what was found and what was expected
}

// Error is file:line:column: text, a format that editors can follow.
func (p FileError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// FileErrors is all problems of some files.
type FileErrors []FileError

// shown is the number of problems that the text of an error lists.
const shown = 20

// Error is one line for each of the first problems, and how many more there are.
func (p FileErrors) Error() string {
	lines := make([]string, 0, shown+1)
	for _, problem := range p[:min(len(p), shown)] {
		lines = append(lines, problem.Error())
	}
	switch more := len(p) - len(lines); {
	case len(p) >= maxProblems:
		lines = append(lines, fmt.Sprintf("and at least %d more", more))
	case more > 0:
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// Err is p as an error, sorted by position; nil if there are no problems.
func (p FileErrors) Err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b FileError) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return p
}

// MaxDuration is the longest duration that a file may contain, forwards or backwards. It
// is far longer than any game day, and so short that sums of durations cannot overflow.
const MaxDuration = 30 * 24 * time.Hour

// Document is one parsed file.
type Document struct {
	File     string
	Problems FileErrors
	Context  any // for [Decodable] types
	// MaxDuration is the longest duration (default: [MaxDuration]).
	MaxDuration time.Duration

	body      ast.Node
	positions map[string]Position
	wrong     map[Position]bool // where problems are
}

// Parse parses one YAML document. Syntax errors are in Problems, and such a document
// decodes to nothing.
func Parse(file string, data []byte) *Document {
	d := &Document{File: file, MaxDuration: MaxDuration, positions: map[string]Position{"": {1, 1}}, wrong: map[Position]bool{}}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // of editors that begin UTF-8 with it
	if len(data) > MaxSize {
		d.problem(Position{1, 1}, "found %d bytes, expected at most %d", len(data), MaxSize)
		return d
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		d.problem(Position{bytes.Count(data[:i], []byte("\n")) + 1, 1}, "found a zero byte in this line, expected text in UTF-8")
		return d
	}
	if at, ok := wrongByte(data); !ok {
		d.problem(at, "not valid UTF-8: save the file as UTF-8")
		return d
	}
	tokens := lexer.Tokenize(string(data))
	if at, problem := tooMuch(tokens); problem != "" {
		d.problem(at, "%s", problem)
		return d
	}
	parsed, err := parser.Parse(tokens, 0)
	var syntax yaml.Error
	switch {
	case errors.As(err, &syntax):
		d.problem(positionOf(syntax.GetToken()), "not valid YAML: %s", syntax.GetMessage())
	case err != nil:
		d.problem(Position{1, 1}, "not valid YAML: %s", err)
	case len(parsed.Docs) > 1:
		d.problem(secondOf(parsed.Docs[1]), "found a second document, expected one document per file")
	case len(parsed.Docs) == 0 || parsed.Docs[0].Body == nil:
		d.problem(Position{1, 1}, "the file is empty")
	default:
		d.body = parsed.Docs[0].Body
	}
	return d
}

// wrongByte is where the first byte is that is no UTF-8.
func wrongByte(data []byte) (at Position, ok bool) {
	good := bytes.ToValidUTF8(data, nil)
	if len(good) == len(data) {
		return at, true
	}
	i := 0
	for i < len(good) && good[i] == data[i] {
		i++
	}
	before := good[:i]
	return Position{1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])}, false
}

// secondOf is where a document begins: with its value, or with what announces it.
func secondOf(d *ast.DocumentNode) Position {
	if d.Body != nil {
		return placeOf(d.Body)
	}
	return positionOf(d.Start)
}

func positionOf(t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{1, 1}
	}
	return Position{t.Position.Line, t.Position.Column}
}

// maxProblems is the number of problems after which the rest of a file is not checked.
const maxProblems = 10_000

// maxTold is the number of problems with a text. An error lists fewer, and to take the secrets
// out of all would take seconds.
const maxTold = 1000

func (d *Document) full() bool { return len(d.Problems) >= maxProblems }

// problem reports a problem. Messages repeat what the file says, and are shown, logged and
// sent: secrets are taken out, of each value by itself, and by the keys of paths.
func (d *Document) problem(at Position, format string, args ...any) {
	if d.full() {
		return
	}
	d.wrong[at] = true
	if len(d.Problems) >= maxTold {
		d.Problems = append(d.Problems, FileError{d.File, at, "one of many problems"})
		return
	}
	secrets := redact.Common()
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			args[i] = plaintext.Shorten(secrets.Text(arg), 200)
		case error:
			args[i] = secrets.Error(arg)
		}
	}
	text := plaintext.Line(secrets.Text(plaintext.Shorten(fmt.Sprintf(format, args...), 1000)))
	d.Problems = append(d.Problems, FileError{d.File, at, text})
}

// ProblemAt reports a problem at a position, such as that of a key.
func (d *Document) ProblemAt(at Position, format string, args ...any) { d.problem(at, format, args...) }

// Problem reports a problem with the value at a path such as timing.watch or
// load[0].rate. If there is no such value, the position is that of the nearest enclosing
// one. Problem does nothing if decoding has already reported the value.
func (d *Document) Problem(path, format string, args ...any) {
	at := d.At(path)
	if d.Has(path) && d.wrong[at] {
		return
	}
	d.problem(at, format, args...)
}

// At is the position of a path, or of the nearest enclosing value.
func (d *Document) At(path string) Position {
	for {
		if at, ok := d.positions[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// Has reports whether there is a value at a path.
func (d *Document) Has(path string) bool {
	_, ok := d.positions[path]
	return ok
}

// Nearest is the known word closest to a mistyped one, or "" if none is close.
func Nearest(word string, known []string) string {
	if word == "" || len(word) > 100 { // not a typing mistake, or slow to compare
		return ""
	}
	best, distance := "", max(len(word)/3, 2)+1
	for _, k := range known {
		if n := smetrics.WagnerFischer(strings.ToLower(word), k, 1, 1, 1); n < distance {
			best, distance = k, n
		}
	}
	return best
}

// Suggest is the end of a message about an unknown word.
func Suggest(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 {
		return "none are available"
	}
	return "expected one of " + strings.Join(known, ", ")
}
