package redact

import (
	"regexp"
	"strings"
)

// The name of a secret that stands alone: as a tag, or beside a field with its value.
const onlyName = `(?:[\w.-]*(?:` + long + `)|` + authorization + `|` + cookie + `|(?:[\w.-]*[_-])?(?:` + short + `))`

var (
	// A block of YAML, which ends where a line is no deeper than its key.
	block = regexp.MustCompile(`(?im)^([ \t]*(?:-[ \t]+)*)["']?` + onlyName + `["']?[ \t]*:[ \t]*` + blockMark + `[ \t]*(?:#[^\r\n]*)?\r?\n`)
	// A key of YAML on a line of its own: "? password", ": secret".
	apart = regexp.MustCompile(`(?im)^[ \t]*\?[ \t]+["']?` + onlyName + `["']?[ \t]*\r?\n[ \t]*:[ \t]+([^\r\n]+)`)
	// A name and its value as two fields or attributes: {"name": "DB_PASSWORD", "value": "secret"}.
	pair = regexp.MustCompile(`(?i)\b(?:name|key)\\*["']?[ \t]*[:=][ \t]*\\*["']?` + onlyName + `\\*["']?[ \t]*,?\s*\\*["']?value\\*["']?[ \t]*[:=][ \t]*`)
	tag  = regexp.MustCompile(`(?i)<(?:[\w-]+:)?` + onlyName + `(?:[ \t][^<>]*)?>(<!\[CDATA\[.*?\]\]>|[^<]*)</`)
	// Statements of SQL, and the lines of .netrc.
	statement = regexp.MustCompile(`(?i)\b(?:identified(?:[ \t]+with[ \t]+\S+)?[ \t]+by(?:[ \t]+password)?|(?:with|encrypted|(?:user|role)[ \t]+\S+)[ \t]+password)[ \t]+`)
	netrc     = regexp.MustCompile(`(?i)\blogin[ \t]+\S+[ \t]+password[ \t]+`)
)

// blockMark is what stands in YAML instead of a text that follows in lines of its own.
const blockMark = `[|>][-+0-9]{0,2}`

var (
	onlyBlock    = regexp.MustCompile(`^` + blockMark + `[ \t]*(?:#[^\r\n]*)?\r?\n?$`)
	escapedBlock = regexp.MustCompile(`^` + blockMark + `[ \t]*(?:\\+r)?\\+n`)
)

// several are the rules of secrets that are not within one line.
func several() []rule {
	return []rule{
		{key, group, []string{"private key"}},
		{block, ofBlock, []string{": |", ": >", ":|", ":>", ":\t"}},
		{apart, ofPair, []string{"? "}},
		{pair, ofPair, []string{"value"}},
	}
}

// ofBlock is what stands in a block of YAML.
func ofBlock(text string, groups []int) (from, to int) {
	indent := groups[3] - groups[2]
	for at := groups[1]; at < len(text); {
		line, _, _ := strings.Cut(text[at:], "\n")
		end := at + len(line)
		line = strings.TrimRight(line, " \t\r")
		deep := len(line) - len(strings.TrimLeft(line, " \t"))
		switch {
		case line == "": // between lines of the block, or after it
		case deep <= indent:
			return from, to
		default:
			if from == 0 {
				from = at + deep
			}
			to = at + len(line)
		}
		at = end + 1
	}
	return from, to
}

// ofPair is the value of a name that stands before it.
func ofPair(text string, groups []int) (from, to int) {
	at := groups[1]
	if len(groups) > 2 {
		at = groups[2]
	}
	if from, to, ok := enclosed(text, at); ok {
		return withoutPlaceholder(text, from, to)
	}
	rest := text[at:]
	if isMarked(rest) || isOrdinary(lineOf(rest)) {
		return 0, 0
	}
	return at, at + lineEnd(rest)
}

// ofTag is the content of a tag.
func ofTag(text string, groups []int) (from, to int) {
	if strings.TrimSpace(text[groups[2]:groups[3]]) == "" {
		return 0, 0
	}
	return withoutPlaceholder(text, groups[2], groups[3])
}

// ofStatement is a text in quotes.
func ofStatement(text string, groups []int) (from, to int) {
	from, to, _ = enclosed(text, groups[1])
	return from, to
}

// withoutPlaceholder is a value, or none if it is put in later.
func withoutPlaceholder(text string, from, to int) (int, int) {
	if isPlaceholder(text[from:to]) {
		return 0, 0
	}
	return from, to
}

// isPlaceholder reports whether a value is put in later as a whole, perhaps after a scheme:
// "{{env "DB_PASSWORD"}}", "Bearer {{.token}}", "${DB_PASSWORD}".
func isPlaceholder(value string) bool { return onlyPlaceholder.MatchString(value) }

var onlyPlaceholder = regexp.MustCompile(`^[ \t]*(?:(?i:bearer|basic|token)[ \t]+)?(?:\{\{[ \t]*(?:\.[\w.]+|env[ \t]+\\*"\w+\\*"|[a-z]+)[ \t]*\}\}|\$\{\w+\})[ \t]*$`)
