package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/gameday-dev/gameday/internal/plaintext"
)

// JSON writes the report as one indented JSON document: verdict.json.
func JSON(w io.Writer, r Report) error { return Document(w, r) }

// Document writes a value as one indented JSON document. It may be shown on a terminal:
// what acts there, and what hides, is in it as JSON's own references.
func Document(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(plaintext.JSON(b.Bytes()))
	return err
}

var _ Format = JSON
