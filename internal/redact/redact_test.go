package redact_test

import (
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/internal/redact"
)

func TestSecretsAreFound(t *testing.T) {
	t.Parallel()
	r, err := redact.New(`-p(\S+)`, `card \d+`)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Authorization: Bearer s3cret-a":                 "Authorization: REDACTED",
		`{"authorization": "Basic s3cret=="}`:            `{"authorization": "REDACTED"}`,
		"curl -H 'Authorization: token s3cret' http://x": "curl -H 'Authorization: REDACTED' http://x",
		"got bearer s3cret.s3cret.s3cret in a log":       "got bearer REDACTED in a log",
		"Set-Cookie: session=s3cret; Path=/":             "Set-Cookie: REDACTED",
		"Cookie: a=s3cret":                               "Cookie: REDACTED",
		"postgres://shop:s3cret@db:5432/shop":            "postgres://shop:REDACTED@db:5432/shop",
		"https://user:s3cret@host/path":                  "https://user:REDACTED@host/path",
		`{"user": "a", "password": "s3cret"}`:            `{"user": "a", "password": "REDACTED"}`,
		"password=s3cret&user=a":                         "password=REDACTED&user=a",
		"DB_PASSWORD=s3cret":                             "DB_PASSWORD=REDACTED",
		"api_key: s3cret":                                "api_key: REDACTED",
		"mysql -ps3cret shop":                            "mysql REDACTED shop",
		"charged card 4111111111111111":                  "charged REDACTED",
		"status 503, expected 200":                       "status 503, expected 200",
		"http://127.0.0.1:8080/orders?sku=A1":            "http://127.0.0.1:8080/orders?sku=A1",
		"kill of db in force after 12ms":                 "kill of db in force after 12ms",
	} {
		if got := r.Text(text); got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
	if _, err := redact.New("("); err == nil || !strings.Contains(err.Error(), "expected a regular expression") {
		t.Error(err)
	}
	var none *redact.Redactor
	if none.Text("password=x") != "password=x" {
		t.Error("a nil redactor changes the text")
	}
}

func TestYAMLStaysValid(t *testing.T) {
	t.Parallel()
	r, _ := redact.New(`-p.*`)
	got, err := r.YAML([]byte("name: x\npassword: s3cret\nfaults:\n  - command: {inject: [mysql, -ps3cret], undo: [sh, -c, \"curl -H 'Authorization: Bearer s3cret'\"]}\nn: 3\n"))
	if err != nil || strings.Contains(string(got), "s3cret") {
		t.Fatalf("%v\n%s", err, got)
	}
	if again, err := r.YAML(got); err != nil || string(again) != string(got) || !strings.HasPrefix(string(got), "name: x\npassword: REDACTED\nfaults:\n") {
		t.Errorf("%v\n%s\n%s", err, got, again)
	}
}
