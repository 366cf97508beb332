// Package redact removes secrets from texts before they are saved or shown.
package redact

import (
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml"
)

// Mark replaces a secret.
const Mark = "REDACTED"

// Redactor removes secrets from texts. The zero value removes none; see [New].
type Redactor struct{ patterns []pattern }

// pattern matches a secret. instead replaces the whole match.
type pattern struct {
	*regexp.Regexp
	instead string
}

// secret matches the end of the names of secrets.
const secret = `(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)`

// header matches the names of headers that hold secrets.
const header = `(?:(?:proxy-)?authorization|(?:set-)?cookie)`

// common are the patterns of common secrets. The first group is kept. A value in quotes
// goes up to the quote that ends it.
func common() []pattern {
	const kept = "${1}" + Mark
	named := `(?i)((?:[\w-]*` + secret + `|` + header + `)`
	return []pattern{
		{regexp.MustCompile(named + `\\+["']\s*[:=]\s*\\+["'])[^"'\\]+`), kept}, // JSON within a text
		{regexp.MustCompile(named + `["']?\s*[:=]\s*")(?:[^"\\\r\n]|\\.)+`), kept},
		{regexp.MustCompile(named + `["']?\s*[:=]\s*')(?:[^'\r\n]|'')+`), kept},
		{regexp.MustCompile(`(?i)((?:proxy-)?authorization\s*[:=]\s*)digest\s[^\r\n]+`), kept},
		{regexp.MustCompile(`(?i)((?:proxy-)?authorization["']?\s*[:=]\s*["']?)(?:(?:bearer|basic|digest|token)\s+)?[^\s"',}]+`), kept},
		{regexp.MustCompile(`(?i)(\b(?:bearer|basic)\s+)[a-z0-9._~+/=-]{6,}`), kept},
		{regexp.MustCompile(`(?i)((?:set-)?cookie["']?\s*[:=]\s*["']?)[^\r\n"']+`), kept},
		{regexp.MustCompile(`(?i)([\w-]*` + secret + `["']?\s*[:=]\s*["']?)[^\s"',;&}]+`), kept},
		{regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@]*:)[^\s/"']+@`), kept + "@"},
	}
}

// secretKey is a key of a document whose value is a secret as a whole.
var secretKey = regexp.MustCompile(`(?i)(?:` + secret + `|` + header + `)$`)

// New returns a redactor for common secrets and for more patterns. The whole match of a
// further pattern is a secret.
func New(more ...string) (*Redactor, error) {
	r := &Redactor{patterns: common()}
	for _, text := range more {
		p, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("redact: found %q, expected a regular expression (%w)", text, err)
		}
		r.patterns = append(r.patterns, pattern{p, Mark})
	}
	return r, nil
}

// Text removes the secrets from a text.
func (r *Redactor) Text(text string) string {
	if r == nil {
		return text
	}
	for _, p := range r.patterns {
		text = p.ReplaceAllString(text, p.instead)
	}
	return text
}

// YAML removes the secrets from the strings of a document. It keeps the order of keys,
// and the result is valid YAML.
func (r *Redactor) YAML(data []byte) ([]byte, error) {
	var document any
	if err := yaml.UnmarshalWithOptions(data, &document, yaml.UseOrderedMap()); err != nil {
		return nil, err
	}
	return yaml.MarshalWithOptions(r.value(document), yaml.IndentSequence(true))
}

func (r *Redactor) value(v any) any {
	switch v := v.(type) {
	case string:
		return r.Text(v)
	case []any:
		for i := range v {
			v[i] = r.value(v[i])
		}
	case yaml.MapSlice:
		for i, item := range v {
			if secretKey.MatchString(fmt.Sprint(item.Key)) && isScalar(item.Value) {
				v[i].Value = Mark
				continue
			}
			if text, isText := item.Value.(string); isText {
				// The key alone can show that a value is a secret.
				whole, key := r.Text(fmt.Sprintf("%v: %s", item.Key, text)), fmt.Sprintf("%v: ", item.Key)
				if len(whole) >= len(key) && whole[:len(key)] == key {
					v[i].Value = whole[len(key):]
					continue
				}
			}
			v[i].Value = r.value(item.Value)
		}
	}
	return v
}

func isScalar(v any) bool {
	switch v.(type) {
	case nil, []any, yaml.MapSlice:
		return false
	}
	return true
}
