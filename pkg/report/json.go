package report

import (
	"encoding/json"
	"io"
)

// JSON writes the report as one indented JSON document: verdict.json.
func JSON(w io.Writer, r Report) error { return Document(w, r) }

// Document writes a value as one indented JSON document.
func Document(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

var _ Format = JSON
