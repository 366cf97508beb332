package plaintext

import (
	"regexp"
	"strings"
)

// joint is a character without a width. It stands where a text would be taken for a link,
// a mention or a reference.
//
// GitHub, GitLab and Gitea look for mentions (@org/team), references (#1, GH-1), addresses
// and emoji (:tada:) in what is left when Markdown was read, in which a backslash before
// the @ is gone. So a backslash does not help, and what helps is a character between the @
// and the name. It is written as a reference, so that people who look at the source see it.
const joint = "&#8203;"

// Markdown is a text as one line of Markdown that shows just this text, in a paragraph, a
// heading or a cell of a table: no link, image, mention, reference, HTML, code, emphasis,
// formula or new cell comes from it.
func Markdown(text string) string {
	text = inline.Replace(Line(strings.Join(strings.Fields(text), " ")))
	for range 2 { // matches of one expression may overlap
		for _, r := range referring {
			text = r.ReplaceAllString(text, "${1}"+joint+"${2}")
		}
	}
	return numbered.ReplaceAllString(opening.ReplaceAllString(text, `\${1}`), `${1}\${2}`)
}

// inline are the characters that mean something within a line. A reference is used where
// parsers do not agree on what a backslash does.
//
//nolint:gochecknoglobals // a constant in all but name
var inline = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "|", "&#124;", "$", "&#36;", "@", "@"+joint, "#", `\#`)

// referring are the texts that become links and pictures, each in two parts.
//
//nolint:gochecknoglobals // a constant in all but name
var referring = []*regexp.Regexp{
	regexp.MustCompile(`(\\#)([0-9])`), // #1
	regexp.MustCompile(`(?i)\b(GH-)([0-9])`),
	regexp.MustCompile(`(:)(//)`),
	regexp.MustCompile(`(?i)(www)(\.)`),                                 // before the dot: what begins with "www." is a link
	regexp.MustCompile(`(:)((?:[0-9]*[a-z][\w+\\-]*|[+-]1|100|1234):)`), // :tada:
}

// What means something at the start of a line: lists, lines and headings.
var (
	opening  = regexp.MustCompile(`^([-+=])`)
	numbered = regexp.MustCompile(`^([0-9]{1,9})([.)](?: |$))`)
)

// Code is a text as a code span of Markdown, for a reader to copy. It has as many
// backquotes around it as none of its own could end.
func Code(text string) string {
	text = strings.ReplaceAll(Line(strings.Join(strings.Fields(text), " ")), "<!--", `<\!--`)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") {
		text = " " + text + " "
	}
	return fence + text + fence
}
