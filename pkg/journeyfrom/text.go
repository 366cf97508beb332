package journeyfrom

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// part is a piece of a value: a literal, or the action of a template, such as .token or
// env "KEY".
type part struct{ literal, action string }

// text is a value of a request: literals of the source, and what gameday fills in.
type text []part

func literal(s string) text {
	if s == "" {
		return nil
	}
	return text{{literal: s}}
}

func action(a string) text { return text{{action: a}} }

func envAction(name string) string { return "env " + strconv.Quote(name) }

func fromEnv(name string) text { return action(envAction(name)) }

// plain is the value if it is a literal as a whole.
func (t text) plain() (string, bool) {
	switch {
	case len(t) == 0:
		return "", true
	case len(t) == 1 && t[0].action == "":
		return t[0].literal, true
	}
	return "", false
}

// template is the value as a journey has it.
func (t text) template() string {
	return t.render(escaped, func(a string) string { return "{{" + a + "}}" })
}

// inQuery is the value as it stands in a query or in a form.
func (t text) inQuery() string {
	return t.render(url.QueryEscape, func(a string) string {
		if name, isValue := strings.CutPrefix(a, "."); isValue {
			return "{{urlquery ." + name + "}}"
		}
		return "{{urlquery (" + a + ")}}"
	})
}

// title is the value in the name of a step.
func (t text) title() string {
	return t.render(func(s string) string { return s }, func(a string) string { return "{" + strings.TrimPrefix(a, ".") + "}" })
}

func (t text) render(ofLiteral, ofAction func(string) string) string {
	var b strings.Builder
	for _, p := range t {
		if p.action != "" {
			b.WriteString(ofAction(p.action))
		} else {
			b.WriteString(ofLiteral(p.literal))
		}
	}
	return b.String()
}

// replace replaces each occurrence of a value in the literals.
func (t text) replace(value string, with part) text {
	var all text
	for _, p := range t {
		if p.action != "" || value == "" || !strings.Contains(p.literal, value) {
			all = append(all, p)
			continue
		}
		for i, piece := range strings.Split(p.literal, value) {
			if i > 0 {
				all = append(all, with)
			}
			if piece != "" {
				all = append(all, part{literal: piece})
			}
		}
	}
	return all
}

// escaped is a literal as a template has it: what would be a part of an action, a variable
// of a shell, or no printable character is written as a constant.
func escaped(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		rest := s[i:]
		switch {
		case strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "${"):
			size = 2
			b.WriteString("{{" + strconv.Quote(rest[:size]) + "}}")
		case r == '{' && (size == len(rest) || !isShown(rest[size:]) || rest[size] == '$'): // an action may follow
			b.WriteString(`{{"{"}}`)
		case !isShown(rest):
			b.WriteString("{{" + strconv.QuoteToASCII(rest[:size]) + "}}")
		default:
			b.WriteString(rest[:size])
		}
		i += size
	}
	return b.String()
}

// isPlain reports whether a text can be a key or a selector of a journey: it has printable
// characters only.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// isShown reports whether a text begins with a printable character.
func isShown(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	return (r != utf8.RuneError || size > 1) && unicode.IsPrint(r)
}
