package journeyfrom

import (
	"cmp"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/redact"
)

// secrets knows the secrets of a source, and the environment variables that replace them.
type secrets struct {
	prefix   string // of the variables
	redactor *redact.Redactor
	known    map[string]string // names of values
	names    map[string]string // variables by value
	used     []string          // variables, in order of their use
}

func newSecrets(journey string) *secrets {
	return &secrets{
		prefix: identifier(strings.ToUpper(journey)) + "_", redactor: redact.Common(),
		known: map[string]string{}, names: map[string]string{},
	}
}

// more are names of secrets beside those of package redact, whose names end with what
// they are: password_confirmation, cardNumber.
var more = regexp.MustCompile(`(?i)passw|passphrase|card[_-]?(?:number|no$)|\bcv[vc]|(?:^|[_-])(?:otp|totp|pin|iban|ssn)$`)

// isName reports whether the values of a field are secrets.
func isName(name string) bool {
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '[' || r == ']' || r == '.' || r == ':' }) {
		if redact.IsName(part) || more.MatchString(part) {
			return true
		}
	}
	return false
}

// isSecret reports whether a value is a secret: by the name of its field, or by itself.
func (s *secrets) isSecret(name, value string) bool {
	switch strings.ToLower(value) {
	case "", "true", "false", "null", "on", "off", "0", "1":
		return false
	}
	return isName(name) || s.redactor.Text(value) == redact.Mark
}

// learn remembers a value that must not be in what is written.
func (s *secrets) learn(name, value string) {
	if s.isSecret(name, value) && s.known[value] == "" {
		s.known[value] = cmp.Or(name, "secret")
	}
}

// plainWord matches a word that may stand anywhere without being the secret.
var plainWord = regexp.MustCompile(`^(?:[A-Za-z][a-z]{0,15}|[0-9]{1,5})$`)

// spread reports whether a secret is replaced wherever it stands, in longer values too.
func spread(value string) bool { return len(value) >= 4 && !plainWord.MatchString(value) }

// longestFirst are the known secrets that are replaced everywhere. One may be a part of
// another.
func (s *secrets) longestFirst() []string {
	var all []string
	for value := range maps.Keys(s.known) {
		if spread(value) {
			all = append(all, value)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return all
}

// variable is the environment variable of a secret.
func (s *secrets) variable(name, value string) string {
	if v, ok := s.names[value]; ok {
		return v
	}
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '[' || r == ']' })
	plain := strings.TrimPrefix(identifier(snake(cmp.Or(strings.Join(parts, "_"), "secret"))), "x_") // of a header
	base := s.prefix + strings.ToUpper(plain)
	v := base
	for i := 2; slices.Contains(s.used, v); i++ {
		v = base + "_" + strconv.Itoa(i)
	}
	s.names[value] = v
	s.used = append(s.used, v)
	return v
}

// use is an environment variable that the source names itself.
func (s *secrets) use(name string) string {
	if !slices.Contains(s.used, name) {
		s.used = append(s.used, name)
	}
	return name
}

// hide replaces the secrets of a request that are still literals.
func (s *secrets) hide(e *exchange) {
	for one := range e.slots() {
		name := one.name
		if one.where == "path" {
			name = ""
		}
		_, known := s.known[one.value]
		exact := known && (one.where != "path" || spread(one.value))
		if one.where == "path" && url.PathEscape(one.value) != one.value && s.clean(one.value) != one.value {
			one.set(fromEnv(s.variable("secret", one.value))) // escaped, it is not seen below
			continue
		}
		if one.where == "password" || one.where == "bearer" || exact || s.isSecret(name, one.value) {
			one.set(fromEnv(s.variable(cmp.Or(name, s.known[one.value]), one.value)))
		}
	}
	for _, values := range e.texts() {
		for _, v := range values {
			*v.at = s.within(*v.at, v.name)
		}
	}
	if e.body.isJSON {
		eachText(&e.body.json, "", func(name string, t text) text { return s.within(t, name) })
	}
}

// within replaces the secrets inside the literals of a text.
func (s *secrets) within(t text, name string) text {
	if len(t) == 0 {
		return t
	}
	for _, value := range s.longestFirst() {
		if slices.ContainsFunc(t, func(p part) bool { return strings.Contains(p.literal, value) }) {
			t = t.replace(value, fromEnv(s.variable(s.known[value], value))[0])
		}
	}
	var all text
	for _, p := range t {
		if p.action != "" {
			all = append(all, p)
			continue
		}
		// What the redactor finds in a text is the secret; the rest stays.
		for i, piece := range strings.Split(s.redacted(p.literal), redact.Mark) {
			if i > 0 {
				all = append(all, fromEnv(s.variable(name, p.literal+"\x00"+strconv.Itoa(i)))...)
			}
			all = append(all, literal(piece)...)
		}
	}
	return all
}

// element matches an element of XML with its text.
var element = regexp.MustCompile(`<([\w:.-]+)[^<>]*>([^<>]+)</`)

// redacted is a text with a mark for each secret that its form shows.
func (s *secrets) redacted(plain string) string {
	if strings.Contains(plain, redact.Mark) {
		plain = strings.ReplaceAll(plain, redact.Mark, "redacted")
	}
	plain = element.ReplaceAllStringFunc(plain, func(found string) string {
		groups := element.FindStringSubmatch(found)
		if name := groups[1]; isName(name[strings.LastIndexByte(name, ':')+1:]) {
			return strings.Replace(found, ">"+groups[2]+"</", ">"+redact.Mark+"</", 1)
		}
		return found
	})
	return s.redactor.Text(plain)
}

// clean is a text for a message or a comment.
func (s *secrets) clean(plain string) string {
	for _, value := range s.longestFirst() {
		plain = strings.ReplaceAll(plain, value, redact.Mark)
	}
	return s.redacted(plain)
}

// leak is the name of a known secret that a text contains; "" if there is none.
func (s *secrets) leak(written string) string {
	for _, value := range s.longestFirst() {
		if len(value) >= 6 && strings.Contains(written, value) {
			return s.known[value]
		}
	}
	return ""
}

var (
	hump   = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	others = regexp.MustCompile(`[^A-Za-z0-9]+`)
)

// snake is a name in snake case.
func snake(name string) string { return strings.ToLower(hump.ReplaceAllString(name, "${1}_$2")) }

// maxName is the length of the longest name of a value, in bytes.
const maxName = 40

// identifier is a name that a template can use.
func identifier(name string) string {
	name = strings.Trim(others.ReplaceAllString(name, "_"), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "v" + name
	}
	return strings.Trim(name[:min(len(name), maxName)], "_")
}
