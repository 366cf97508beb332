package redact

import (
	"regexp"
	"slices"
	"strings"
)

// rule finds secrets in a text: its expression finds where one may be, and secret tells
// which part of the text it is, from the indexes of the groups. from == to is none.
type rule struct {
	*regexp.Regexp

	secret func(text string, groups []int) (from, to int)
	// words are those of which one is in every text that has such a secret, in small
	// letters; nil for no such words. To look for them is a hundred times faster.
	words []string
}

// mayApply reports whether a text, in small letters, has one of the rule's words.
func (r rule) mayApply(lower string) bool {
	return r.words == nil || slices.ContainsFunc(r.words, func(word string) bool { return strings.Contains(lower, word) })
}

// clean replaces what a rule finds.
func (r rule) clean(text string) string {
	all := r.FindAllStringSubmatchIndex(text, -1)
	if all == nil {
		return text
	}
	var b strings.Builder
	done := 0
	for _, groups := range all {
		if groups[0] < done {
			continue // within the last secret
		}
		from, to := r.secret(text, groups)
		for r.words != nil && from < to && to < len(text) && isWord(text[to]) {
			to++ // a mark ends where a word does; the user's own patterns say where they end
		}
		if from < to && text[from:to] != Mark {
			b.WriteString(text[done:from] + Mark)
			done = to
		}
	}
	b.WriteString(text[done:])
	return b.String()
}

// Names of secrets. Those of long are secrets as the end of a name too (PGPASSWORD,
// client_secret); those of short are words of their own, as "bypass" is no secret, and
// only before an equals sign, in quotes or with a value in quotes, as "PASS: TestX" is none.
const (
	long = `pass(?:word|wort|wd|phrase)|kennwort|secret|token|x[_-]auth|sess(?:ion)?[_-]?id|connection[_-]?string` +
		`|(?:api|access|private|secret|account|shared|encryption|signing|master)[_-]?key`
	short = `pass|pwd|session|sess|sid|jwt|auth|sig|signature|credentials?`
	flags = `(?:[\w-]*-)?(?:` + long + `|` + short + `)`
	// Headers that hold secrets.
	authorization = `(?:proxy-)?authorization`
	cookie        = `(?:set-)?cookie`
)

var (
	secretKey = regexp.MustCompile(`(?i)(?:` + long + `|` + authorization + `|` + cookie + `|(?:^|[_-])(?:` + short + `))$`)

	named = regexp.MustCompile(`(?i)(?:(?P<auth>` + authorization + `)|(?P<cookie>` + cookie + `)|(?P<long>` + long + `)|` +
		`(?P<short>(?:^|[^a-z0-9])(?:` + short + `)))(?P<quote>\\*["']?\]|\\*["']|%5[dD])?[ \t]*(?P<sep>=>|:=|[:=]|%3[ad])[ \t]*`)
	flagged = regexp.MustCompile(`(?i)(?:^|[\s"'\[,])--?` + flags + `(?:["']?[ \t]*,[ \t]*|[ \t]+)`)
	// Programs with a flag of their own for a password.
	program = regexp.MustCompile(`\b(?:(?:mysql|mariadb)[\w-]*\b[^\r\n|;&]*?[ \t"',]-p|sshpass[ \t"',]+-p[ \t"',]*|redis-cli\b[^\r\n|;&]*?[ \t"',]-a[ \t"',]+|` +
		`curl\b[^\r\n|;&]*?[ \t"',](?:-u|--user)[ \t"',=]*[^\s:"']+:)([^\s"',\]/][^\s"',\]]*)`)
	scheme = regexp.MustCompile(`(?i)\b(?:bearer|basic|negotiate|ntlm|apikey)[ \t]+([a-z0-9._~+/=-]{6,})`)
	// A user's name before a colon, in a URL; and one alone, which is a token if the scheme
	// is that of the web. The user of ssh://git@host is none.
	urlUser  = regexp.MustCompile(`[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@"'<>?#\\\[]*:`)
	urlToken = regexp.MustCompile(`(?i)\bhttps?://([^/\s:@"'<>?#\\]+)@`)
	// Addresses that are secrets themselves.
	hook = regexp.MustCompile(`(?i)\b(?:hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/|` +
		`[\w.-]*webhook\.office\.com/|api\.telegram\.org/bot)([^\s"'<>?#]+)`)
	key = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----((?s:.*?))(?:-----END|\z)`)
	// What net/http says of a header line that it cannot read, which may be a cookie.
	header = regexp.MustCompile(`(?i)malformed MIME header[^"]*"((?:[^"\\]|\\.)+)`)
	// Tokens whose beginning tells what they are, as their issuers document it; see also
	// the rules of gitleaks (https://github.com/gitleaks/gitleaks), which know many more.
	token = regexp.MustCompile(`\b(` + strings.Join([]string{
		`eyJ[\w-]{6,}(?:\.[\w-]+){1,4}`,       // JSON Web Tokens
		`(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}`, // AWS
		`gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}`,
		`gl(?:pat|dt|rt|ptt|cbt|ft|soat|agent|oas|imt)-[\w-]{20,}`, // GitLab
		`xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}`,
		`[sr]k_(?:live|test)_[A-Za-z0-9]{10,}`, // Stripe
		`sk-[\w-]{20,}`,                        // OpenAI, Anthropic
		`AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}`,
		`npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|dckr_pat_[\w-]{20,}`,
		`SG\.[\w-]{16,}\.[\w-]{16,}`, // SendGrid
		`do[opr]_v1_[a-f0-9]{40,}`,   // DigitalOcean
		`hv[sbr]\.[\w-]{20,}`,        // Vault
		`gd_[\w-]{20,}`,              // gameday serve
	}, "|") + `)`)
)

// common are the rules of common secrets within a line. A rule leaves [Mark] as it is, so
// that what was redacted stays.
func common() []rule {
	names := []string{"pass", "kennwort", "secret", "token", "auth", "sess", "sid", "jwt", "cookie", "connectionstring", "connection_string", "connection-string", "key", "pwd", "sig", "credential"}
	return []rule{
		{header, group, []string{"malformed mime header"}},
		{named, ofName, names},
		{flagged, ofFlag, names},
		{program, group, []string{"mysql", "mariadb", "sshpass", "redis-cli", "curl"}},
		{scheme, ofScheme, []string{"bearer", "basic", "negotiate", "ntlm", "apikey"}},
		{urlUser, ofURL, []string{"://"}},
		{urlToken, group, []string{"://"}},
		{tag, ofTag, []string{"</"}},
		{statement, ofStatement, []string{"identified", "password"}},
		{netrc, ofFlag, []string{"login"}},
		{hook, group, []string{"hooks.slack", "discord", "webhook.office", "api.telegram"}},
		{token, group, []string{
			"eyj", "akia", "asia", "abia", "acca", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_",
			"glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glsoat-", "glagent-", "gloas-", "glimt-",
			"xox", "xapp-", "k_live_", "k_test_", "sk-", "aiza", "ya29.", "gocspx-", "npm_", "pypi-", "dckr_pat_",
			"sg.", "_v1_", "hvs.", "hvb.", "hvr.", "gd_",
		}},
	}
}

// group is the first group.
func group(_ string, groups []int) (from, to int) { return groups[2], groups[3] }

// whole is all that matched.
func whole(_ string, groups []int) (from, to int) { return groups[0], groups[1] }

// ofScheme is the first group, but for a word: "basic authentication".
func ofScheme(text string, groups []int) (from, to int) {
	from, to = groups[2], groups[3]
	if word.MatchString(text[from:to]) {
		return 0, 0
	}
	return from, to
}

var word = regexp.MustCompile(`^[A-Za-z][a-z]*(?:-[a-z]+)*[.]?$`)

// ofURL is the password of a URL. It may hold an at sign and a slash, although it should
// not; a port is none.
func ofURL(text string, groups []int) (from, to int) {
	from = groups[1]
	rest := text[from:]
	if end := strings.IndexAny(rest, " \t\r\n\"'<>"); end >= 0 {
		rest = rest[:end]
	}
	before := rest // any query
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		before = rest[:end]
	}
	at := strings.LastIndexByte(before, '@')
	if at < 0 || port.MatchString(before) {
		at = strings.LastIndexByte(rest[:max(strings.IndexByte(rest+"/", '/'), 0)], '@')
	}
	return from, from + max(at, 0)
}

var port = regexp.MustCompile(`^[0-9]{0,5}/`)
