// Package strictyaml decodes YAML into Go structs and reports all problems at once. Each
// problem has its line and column, what was found, what was expected, and the nearest
// valid word for a mistyped one.
//
// It uses the struct tags from which the JSON Schema is generated too: yaml:"name", and
// in jsonschema:"…" the words required, enum=, minimum= and maximum=.
package strictyaml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
	"github.com/xrash/smetrics"
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

// Error is one line for each problem.
func (p FileErrors) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
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

// Document is one parsed file.
type Document struct {
	File      string
	Problems  FileErrors
	Context   any // for [Decodable] types
	body      ast.Node
	positions map[string]Position
}

// Parse parses one YAML document. Syntax errors are in Problems, and such a document
// decodes to nothing.
func Parse(file string, data []byte) *Document {
	d := &Document{File: file, positions: map[string]Position{"": {1, 1}}}
	parsed, err := parser.ParseBytes(data, 0)
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

func (d *Document) problem(at Position, format string, args ...any) {
	d.Problems = append(d.Problems, FileError{d.File, at, fmt.Sprintf(format, args...)})
}

// Problem reports a problem with the value at a path such as timing.watch or
// load[0].rate. If there is no such value, the position is that of the nearest enclosing
// one. Problem does nothing if decoding has already reported the value.
func (d *Document) Problem(path, format string, args ...any) {
	at, exact := d.At(path), d.Has(path)
	if exact && slices.ContainsFunc(d.Problems, func(e FileError) bool { return e.Position == at }) {
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
