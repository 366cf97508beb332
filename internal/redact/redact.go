// Package redact removes secrets from texts before they are saved or shown.
package redact

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// Mark replaces a secret.
const Mark = "REDACTED"

// Redactor removes secrets from texts. The zero value removes none; see [New].
type Redactor struct {
	lines []rule // of secrets within a line
	more  []rule // of the user, for whole texts
}

// New returns a redactor for common secrets and for more patterns. The whole match of a
// further pattern is a secret.
func New(more ...string) (*Redactor, error) {
	r := Common()
	for _, text := range more {
		p, err := regexp.Compile(text)
		if err != nil {
			return nil, fmt.Errorf("redact: found %q, expected a regular expression (%w)", text, err)
		}
		r.more = append(r.more, rule{p, whole, nil})
	}
	return r, nil
}

// Common is [New] without further patterns.
func Common() *Redactor { return &Redactor{lines: common()} }

// Text removes the secrets from a text.
func (r *Redactor) Text(text string) string {
	if r == nil {
		return text
	}
	if r.lines != nil {
		text = r.eachLine(text)
	}
	for _, rule := range r.more {
		text = rule.clean(text)
	}
	return text
}

// eachLine applies the common rules. A log has many lines, and secrets in few of them.
func (r *Redactor) eachLine(text string) string {
	if strings.Contains(text, "\x1b[") {
		text = colour.ReplaceAllString(text, "") // it stands between a name and its secret
	}
	all := strings.ToLower(text)
	for _, rule := range several() {
		if rule.mayApply(all) {
			text = rule.clean(text)
		}
	}
	var b strings.Builder
	for line := range strings.SplitAfterSeq(text, "\n") {
		lower := strings.ToLower(line)
		for _, rule := range r.lines {
			if rule.mayApply(lower) {
				line = rule.clean(line)
			}
		}
		b.WriteString(line)
	}
	return b.String()
}

// colour is what asks a terminal for a colour.
var colour = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// Error removes the secrets from the text of an error. It remains the error that it is for
// [errors.Is] and [errors.As]; nil remains nil.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	if text := r.Text(err.Error()); text != err.Error() {
		return &redacted{text, err}
	}
	return err
}

// redacted is an error with another text.
type redacted struct {
	text string
	error
}

func (e *redacted) Error() string { return e.text }
func (e *redacted) Unwrap() error { return e.error }

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
		r.list(v)
	case yaml.MapSlice:
		for i, item := range v {
			v[i].Value = r.valueOf(item)
		}
	}
	return v
}

// valueOf is the value of a key, which alone may show that the value is a secret.
func (r *Redactor) valueOf(item yaml.MapItem) any {
	text, isText := item.Value.(string)
	switch {
	case secretKey.MatchString(fmt.Sprint(item.Key)) && isScalar(item.Value):
		if isText && isPlaceholder(text) {
			return item.Value
		}
		return Mark
	case isText:
		whole, key := r.Text(fmt.Sprintf("%v: %s", item.Key, text)), fmt.Sprintf("%v: ", item.Key)
		if strings.HasPrefix(whole, key) {
			return whole[len(key):]
		}
	}
	return r.value(item.Value)
}

// list removes the secrets of a list, which may be the arguments of a command.
func (r *Redactor) list(all []any) {
	for i := range all {
		if i > 0 && isScalar(all[i]) && isFlag(fmt.Sprint(all[i-1])) && !strings.HasPrefix(fmt.Sprint(all[i]), "-") {
			all[i] = Mark
			continue
		}
		all[i] = r.value(all[i])
	}
}

// IsName reports whether the value of a field, a header or a parameter of this name is a
// secret, whatever it is.
func IsName(name string) bool { return secretKey.MatchString(name) }

// isFlag reports whether an argument says that the next one is a secret.
func isFlag(argument string) bool {
	return strings.HasPrefix(argument, "-") && !strings.ContainsAny(argument, "= ") && secretKey.MatchString(strings.TrimLeft(argument, "-"))
}

func isScalar(v any) bool {
	switch v.(type) {
	case nil, []any, yaml.MapSlice:
		return false
	}
	return true
}
