package strictyaml_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// address is a value that is read by itself, with an error that repeats it.
type address string

func (a *address) UnmarshalText(text []byte) error {
	return errors.New("not an address: " + string(text))
}

// keyed are keys that tell a secret, of types that refuse.
type keyed struct {
	Password time.Duration     `yaml:"password"`
	Port     int               `yaml:"port"`
	Entry    address           `yaml:"entry"`
	Headers  map[string]int    `yaml:"headers"`
	Texts    map[string]string `yaml:"texts"`
	Tokens   []struct {
		Token int `yaml:"token" jsonschema:"maximum=5"`
	} `yaml:"tokens"`
}

// Messages repeat values, but no secrets (M5).
func TestProblemsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"password: s3cret 7":                        `password: found "REDACTED", expected a duration`,
		"headers: {Authorization: s3cret}":          `headers.Authorization: found "REDACTED", expected a whole number`,
		"headers: {X-Token: 's3cret \" s3cret'}":    `headers.X-Token: found "REDACTED", expected a whole number`,
		"tokens: [{token: 17}]":                     `tokens[0].token: found REDACTED, expected at most 5`,
		"entry: 'htps://bob:s3cret@host/'":          `entry: found "htps://bob:REDACTED@host/", not an address: htps://bob:REDACTED@host/`,
		"port: 'password=s3cret'":                   `port: found "password=REDACTED", expected a whole number`,
		"password=s3cret: 1":                        `unknown key "password=REDACTED"`,
		"password: [s3cret]":                        `password: found a list, expected a duration`,
		"port: seven":                               `port: found "seven", expected a whole number`,
		"texts: {a: 'b'}\nport: {}":                 `port: found a mapping, expected a whole number`,
		"texts: {password: \"s3cret\\a\"}":          `texts.password: found "REDACTED", expected a text without control characters`,
		"texts: {a: \"https://u:s3cret@h/\\e[2J\"}": `texts.a: found "https://u:REDACTED@h/\x1b[2J", expected a text without control characters`,
		"texts: {\"password=s3cret \\x9b\": b}":     `texts: found key "password=REDACTED \u009b", expected a text without control characters`,
	} {
		d := strictyaml.Parse("f.yaml", []byte(text))
		var into keyed
		d.Decode(&into)
		err := d.Problems.Err()
		if err == nil || strings.Contains(err.Error(), "s3cret") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, expected %s", text, err, want)
		}
	}
}

// Control characters are no part of a text that a person types (L8); line breaks and tabs
// are.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"texts: {a: \"b\\0c\"}": false, "texts: {a: \"b\x00c\"}": false, "texts: {a: b\x1bc}": false, "texts: {a: \"b\\u0085c\"}": false, "texts: {a: \"b\\x7f\"}": false, "texts: {a: \"b\xffc\"}": false, "port: \xff": false,
		"texts: {a: \"b\\nc\\td\"}": true, "texts:\n  a: |\n    b\n    c\n": true, "texts:\r\n  a: |\r\n    b\r\n    c\r\n": true, "texts: {a: äöü…数}": true,
	} {
		d := strictyaml.Parse("f.yaml", []byte(text))
		var into keyed
		d.Decode(&into)
		if err := d.Problems.Err(); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A mark at the beginning of a file tells its encoding, and is no part of its first key (L8).
func TestByteOrderMark(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\ufeffport: 7\n", "\ufeff# comment\nport: 7\n", "\ufeff---\nport: 7\n"} {
		d := strictyaml.Parse("f.yaml", []byte(text))
		var into keyed
		d.Decode(&into)
		if err := d.Problems.Err(); err != nil || into.Port != 7 {
			t.Errorf("%q: %d %v", text, into.Port, err)
		}
	}
}
