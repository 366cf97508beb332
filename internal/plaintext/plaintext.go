// Package plaintext makes texts of others safe to show: what a server, an engine, a file
// or a component says must not act on a terminal, nor on a page of Markdown.
//
// A terminal obeys control characters, and characters without a width or with a direction
// make one text look like another. Here they become visible, as \x1b or \u202e.
package plaintext

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The maximum sizes of what is shown, in bytes.
const (
	maxLine = 2 << 10
	maxText = 64 << 10
)

// Line is a text as one line: line breaks and tabs are visible too, and a long text is
// cut.
func Line(text string) string { return visible(Shorten(text, maxLine), "") }

// Text is a text of several lines. Line breaks and tabs stay.
func Text(text string) string {
	lines := strings.Split(Shorten(text, maxText), "\n")
	for i, line := range lines {
		lines[i] = visible(Shorten(strings.TrimSuffix(line, "\r"), maxLine), "\t")
	}
	return strings.Join(lines, "\n")
}

// JSON is a JSON document that says the same, in which what is not seen is written as
// JSON's own references. Such characters stand within its strings only.
func JSON(document []byte) []byte {
	out := make([]byte, 0, len(document))
	for at := 0; at < len(document); {
		r, size := utf8.DecodeRune(document[at:])
		switch {
		case r < ' ' || !invisible(r): // encoding/json leaves line breaks alone
			out = append(out, document[at:at+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		at += size
	}
	return out
}

// Shorten is a text of at most a size and three dots.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return Cut(text, most) + "…"
}

// visible escapes what has no shape of its own, but for the characters that are kept.
func visible(text, kept string) string {
	if strings.IndexFunc(text, invisible) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case !invisible(r) || strings.ContainsRune(kept, r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// emojiStyle is the variation selector that asks for a picture of the character before it.
const emojiStyle = '\ufe0f'

// invisible reports whether a character is none that a reader sees: a control character,
// one of direction or of format, one that fonts draw as nothing, or one that no standard
// knows. Blanks of any width are seen.
func invisible(r rune) bool {
	switch {
	case r == emojiStyle:
		return false
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return true
	}
	return !unicode.IsPrint(r) && !unicode.Is(unicode.Zs, r)
}
