package record

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// SchemaError is a document of a schema that this code does not read.
type SchemaError struct {
	Found string // in the document
	Reads string // the newest that is read
}

// Error says what to do about it.
func (e *SchemaError) Error() string {
	name, version := cutVersion(e.Found)
	known, newest := cutVersion(e.Reads)
	if name == known && version > newest {
		return fmt.Sprintf("found schema %s, this gameday reads up to %s: use a newer gameday", e.Found, e.Reads)
	}
	return fmt.Sprintf("found schema %q, expected %s", e.Found, e.Reads)
}

// cutVersion takes gameday/record/v1 apart.
func cutVersion(schema string) (name string, version int) {
	at := strings.LastIndex(schema, "/v")
	if at < 0 {
		return schema, 0
	}
	version, err := strconv.Atoi(schema[at+len("/v"):])
	if err != nil {
		return schema, 0
	}
	return schema[:at], version
}

// Decode reads a stored JSON document of a schema. What it has beside the fields of
// into is no error; another schema is a [SchemaError], whatever else the document holds.
func Decode(data []byte, schema string, into any) error {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return err
	}
	if head.Schema != schema {
		return &SchemaError{head.Schema, schema}
	}
	return json.Unmarshal(data, into)
}
