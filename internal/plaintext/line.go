package plaintext

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// OneLine is a text of others for a message or a log: on one line, at most N bytes long,
// and without characters that a terminal or a reader would act on. Such characters are
// shown as in a Go string, for example \x1b.
func OneLine(text string, most int) string {
	const more = "…"
	var line strings.Builder
	cut := 0 // where the text is cut if it turns out to be too long
	for word := range strings.FieldsSeq(text) {
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		for _, r := range word {
			if unicode.IsPrint(r) {
				line.WriteRune(r)
			} else {
				quoted := strconv.QuoteRune(r)
				line.WriteString(quoted[1 : len(quoted)-1])
			}
			if line.Len() > most {
				return line.String()[:cut] + more
			}
			if line.Len() <= most-len(more) {
				cut = line.Len()
			}
		}
	}
	return line.String()
}

// Cut is the beginning of a text: at most N bytes, and no half of a character.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
