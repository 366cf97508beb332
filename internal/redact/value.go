package redact

import (
	"regexp"
	"strings"
)

// ofName is the value of a name: what stands after its equals sign or colon.
func ofName(text string, groups []int) (from, to int) {
	part := func(name string) string {
		i := 2 * named.SubexpIndex(name)
		if groups[i] < 0 {
			return ""
		}
		return text[groups[i]:groups[i+1]]
	}
	at, sep := groups[1], part("sep")
	if repeated.MatchString(text[at:]) {
		at += len("found ")
	}
	if from, to, ok := enclosed(text, at); ok {
		return from, to
	}
	rest := text[at:]
	if escapedBlock.MatchString(rest) {
		return at, at + lineEnd(rest)
	}
	if onlyBlock.MatchString(rest) || isOrdinary(rest) || sep == ":" && strings.HasSuffix(part("quote"), "]") || sep == ":" && part("quote") == "" && mayBeProse.MatchString(part("short")) {
		return 0, 0
	}
	switch {
	case part("cookie") != "" || strings.HasSuffix(strings.ToLower(part("long")), "passphrase"):
		return at, at + lineEnd(rest)
	case isMarked(rest):
		return 0, 0
	case part("auth") != "":
		return at, at + len(credentials.FindString(rest))
	}
	return at, at + bareEnd(rest, sep)
}

// repeated is before a value that a message repeats: "password: found 5, expected a text".
var repeated = regexp.MustCompile(`^found (?:["']|-?[0-9])`)

// mayBeProse are the short names that stand before a colon in prose too.
var mayBeProse = regexp.MustCompile(`(?i)^[^_]?(?:pass|session|sess|sid|auth|sig|signature|credentials?)$`)

// ofFlag is the value of a flag of a command line, in an argument of its own.
func ofFlag(text string, groups []int) (from, to int) {
	at := groups[1]
	if from, to, ok := enclosed(text, at); ok {
		return from, to
	}
	rest := text[at:]
	if strings.HasPrefix(rest, "-") || isMarked(rest) || isOrdinary(rest) {
		return 0, 0
	}
	return at, at + bareEnd(rest, "")
}

// isMarked reports whether a value was redacted before.
func isMarked(rest string) bool {
	after, ok := strings.CutPrefix(rest, Mark)
	return ok && (after == "" || !isWord(after[0]))
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// enclosed is the value at a place if it is in quotes, or a list in brackets. Quotes may
// be escaped, in JSON within JSON for example: one ends a value if as many backslashes
// stand before it as before the first, and no more that stand for themselves.
//
// Programs write something before the quotes: b'bytes', N'text', SecretStr("text").
func enclosed(text string, at int) (from, to int, ok bool) {
	if prefix := prefixed.FindStringSubmatchIndex(text[at:]); prefix != nil {
		at += prefix[3]
	}
	rest := text[at:]
	line := lineOf(rest)
	if strings.HasPrefix(line, "[") {
		end := strings.IndexByte(line, ']')
		if end < 0 {
			end = len(line)
		}
		return at + 1, at + end, true
	}
	level := len(line) - len(strings.TrimLeft(line, `\`))
	if level == len(line) || line[level] != '"' && line[level] != '\'' {
		return 0, 0, false
	}
	quote, start := line[level], level+1
	for i, backslashes := start, 0; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			backslashes++
			continue
		case line[i] == quote && quote == '\'' && level == 0 && i > start && strings.HasPrefix(line[i+1:], "'"):
			i++ // doubled, as YAML has it
		case line[i] == quote && (backslashes < level || backslashes%(2*(level+1)) == level):
			return at + start, at + i - min(backslashes, level), true
		}
		backslashes = 0
	}
	return at + start, at + len(line), true
}

var prefixed = regexp.MustCompile(`^(?i)([bru]{1,2}|[f@$nl]|[a-z_][\w.]*\(|\[\]byte\()\\*["']`)

// lineOf is the rest of a line. It copies nothing: rest may be all that follows in a log.
func lineOf(rest string) string {
	if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
		return rest[:end]
	}
	return rest
}

// lineEnd is where the line ends, or the quote in which it is.
func lineEnd(rest string) int {
	if end := strings.IndexAny(rest, "\r\n\"'"); end >= 0 {
		rest = rest[:end]
	}
	return len(strings.TrimRight(rest, `\`))
}

// credentials are those of a header Authorization: a scheme with parameters, a scheme with
// one word, or a word alone.
var credentials = regexp.MustCompile(`^(?:[A-Za-z][\w-]*[ \t]+` + parameter + `(?:[ \t]*,[ \t]*` + parameter + `)*` +
	`|(?:[A-Za-z][\w-]*[ \t]+)?[^\s"',}\]\\]+)`)

const parameter = `[\w-]+[ \t]*=[ \t]*(?:\\*"[^"\\\r\n]*\\*"|[^\s,"'\\}\]]+)`

// bareEnd is where a value without quotes ends. A colon after it belongs to the message.
func bareEnd(rest, separator string) int {
	for i := 0; i < len(rest); {
		c := rest[i]
		switch {
		case c <= ' ' || strings.IndexByte(`"';&}`, c) >= 0,
			c == '\\' && escapedQuote.MatchString(rest[i:]),
			c == ',' && !continues(rest[i+1:]),
			separator != "" && separator[0] == '%' && strings.HasPrefix(rest[i:], "%26"):
			return len(strings.TrimRight(rest[:i], ":"))
		}
		i++
		if place := placeholder.FindString(rest[i-1:]); place != "" {
			i += len(place) - 1
		}
	}
	return len(rest)
}

var escapedQuote = regexp.MustCompile(`^\\+["']`)

// continues reports whether a value goes on after a comma: what follows is neither a
// blank nor another name with its value.
func continues(rest string) bool {
	end := strings.IndexAny(rest+" ", " \t\r\n\"';&},")
	return end > 0 && !strings.ContainsAny(rest[:end], "=:")
}

// placeholder is where a value is put in later.
var placeholder = regexp.MustCompile(`^(?:\{\{[^{}]*\}\}|\$\{\w+\})`)

// isOrdinary reports whether what stands after a name is no secret, but a placeholder, or
// prose: "password: found 5, expected a string", "GET /token: timeout".
func isOrdinary(rest string) bool {
	if place := placeholder.FindString(rest); place != "" {
		return bareEnd(rest, "") == len(place)
	}
	end := strings.IndexAny(rest+" ", " \t\r\n\"';&}")
	return prose.MatchString(strings.TrimRight(rest[:end], ".,:!?)]"))
}

// prose are words that messages go on with, and that are too plain for a secret.
var prose = regexp.MustCompile(`(?i)^(?:` + strings.Join([]string{
	`a|an|the|no|not|is|are|was|were|has|have|had|does|did|do|must|may|can|cannot|could|should|will|would|or|and|to|from|in|on|for|of|with|by|at|as|if|it|too|flag`,
	`found|expected|unexpected|unknown|unsupported|invalid|valid|missing|required|expired|revoked|wrong|bad|empty|set|unset|given|needed|lacks|contains|duplicate|malformed`,
	`access|permission|denied|refused|rejected|failed|failure|error|errors|status|timeout|timed|connection|connect|dial|read|write|lookup|get|put|post|tls|x509|http|https|tcp|eof|json|yaml|body|header|context|stream|server|response|request|remote|broken|reset|closed|unable|stopped|use|check|see|redacted`,
	`true|false|null|nil|none|~|\*+|string|number`,
}, "|") + `)$`)
