package steps

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// column is how the values of a column of a table are read.
type column int

// The kinds of columns.
const (
	asText column = iota
	asNumber
	asBool
	asJSON
	asBytes
	asTime      // with a time zone, in UTC
	asLocalTime // without a time zone
)

// value is a value that a database wrote as text, as JSON has it: numbers to the last
// digit, times as RFC 3339, bytes in hexadecimal. What does not look like its column's
// type (infinity, NaN, 0000-00-00) is text.
func (c column) value(text []byte) any {
	switch c {
	case asText:
	case asNumber:
		if v, ok := parsed(text).(json.Number); ok {
			return v
		}
	case asBool:
		return string(text) == "t" || string(text) == "1"
	case asJSON:
		if v := parsed(text); v != nil || string(text) == "null" {
			return v
		}
	case asBytes:
		return hex.EncodeToString(text)
	case asTime:
		for _, layout := range []string{"2006-01-02 15:04:05.999999999-07", "2006-01-02 15:04:05.999999999-07:00", "2006-01-02 15:04:05.999999999"} {
			if t, err := time.Parse(layout, string(text)); err == nil {
				return t.UTC().Format(time.RFC3339Nano)
			}
		}
	case asLocalTime:
		if t, err := time.Parse("2006-01-02 15:04:05.999999999", string(text)); err == nil {
			return t.Format("2006-01-02T15:04:05.999999999")
		}
	}
	if !utf8.Valid(text) {
		return hex.EncodeToString(text)
	}
	return string(text)
}

// parsed is a text as JSON, with its numbers as they are written; nil if it is none.
func parsed(text []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		return nil
	}
	return v
}

// written is a value as text, as a parameter is sent.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	case nil:
		return ""
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(string(data))
}
