package redact_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/redact"
)

// known is a redactor of what everybody has.
func known(t interface {
	Helper()
	Fatal(args ...any)
},
) *redact.Redactor {
	t.Helper()
	r, err := redact.New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// secrets are texts of no meaning of their own, so that one that is left is seen.
func secrets() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-zA-Z0-9]{3}s3cret[a-zA-Z0-9]{3}`)
}

// around is what stands beside a secret in logs, requests and files.
func around() *rapid.Generator[string] { return rapid.StringMatching(`[a-z ]{0,10}`) }

// carriers are the ways in which texts carry a secret; %s is where it stands.
func carriers() []string {
	return []string{
		"Authorization: Bearer %s", "authorization: basic %s", "Proxy-Authorization: %s", `"Authorization": "Token %s"`, "bearer %s",
		"Cookie: session=%s", "Set-Cookie: a=%s; HttpOnly", `{"cookie":"a=%s"}`,
		"password=%s", "PGPASSWORD=%s", "password: %s", `"passwd": "%s"`, "passphrase: '%s'", "client_secret=%s", "x-api-key: %s", "api_key=%s", "apikey=%s",
		"access_key: %s", "access-key=%s", "private_key=%s", "X-Token: %s", "?token=%s&a=b", "refresh_token=%s",
		"postgres://shop:%s@db:5432/shop", "redis://:%s@cache", "https://u:%s@host/path", "amqp+ssl://u:%s@mq/",
	}
}

// Whatever stands around it, a secret is not in what is written down; and what was
// redacted stays as it is.
func TestWhatIsRedactedStaysRedacted(t *testing.T) {
	t.Parallel()
	for _, carrier := range carriers() {
		t.Run(carrier, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				r := known(t)
				secret := secrets().Draw(t, "secret")
				text := around().Draw(t, "before") + " " + strings.Replace(carrier, "%s", secret, 1) + " " + around().Draw(t, "after")
				once := r.Text(text)
				if strings.Contains(once, "s3cret") || !strings.Contains(once, redact.Mark) {
					t.Fatalf("%q is written as %q", text, once)
				}
				if twice := r.Text(once); twice != once {
					t.Fatalf("%q is written as %q, and then as %q", text, once, twice)
				}
			})
		})
	}
}

// A secret may hold blanks, quotes, at signs and what else ends a word.
func TestSecretsOfOddCharacters(t *testing.T) {
	t.Parallel()
	r := known(t)
	for text, want := range map[string]string{
		`{"password": "my s3cret, and more", "a": 1}`:                 `{"password": "REDACTED", "a": 1}`,
		`{"password":"a\"s3cret"}`:                                    `{"password":"REDACTED"}`,
		`passphrase: 'correct s3cret horse' # c`:                      `passphrase: 'REDACTED' # c`,
		`secret: 'it''s s3cret'`:                                      `secret: 'REDACTED'`,
		`body "{\"password\":\"s3cret\",\"n\":1}"`:                    `body "{\"password\":\"REDACTED\",\"n\":1}"`,
		`body "{\"cookie\": \"a=s3cret; b=s3cret\"}"`:                 `body "{\"cookie\": \"REDACTED\"}"`,
		"postgres://shop:p@s3cret@db/shop":                            "postgres://shop:REDACTED@db/shop",
		`["http://u:s3cret@a","http://u:s3cret@b","c@d"]`:             `["http://u:REDACTED@a","http://u:REDACTED@b","c@d"]`,
		`Authorization: Digest username="u", response="s3cret"`:       "Authorization: REDACTED",
		"Authorization: Digest username=\"u\", nonce=s3cret\nHost: x": "Authorization: REDACTED\nHost: x",
	} {
		once := r.Text(text)
		if once != want {
			t.Errorf("%s is written as %s, expected %s", text, once, want)
		}
		if twice := r.Text(once); twice != once {
			t.Errorf("%s is written as %s, and then as %s", text, once, twice)
		}
	}
}

// In a document, what a key tells to be a secret is one as a whole, whatever it is.
func TestSecretsByTheirKey(t *testing.T) {
	t.Parallel()
	r := known(t)
	for text, want := range map[string]string{
		"password: my s3cret, and more\n":             "password: REDACTED\n",
		"password: |\n  s3cret\n  s3cret\nn: a\n":     "password: REDACTED\n\"n\": a\n",
		"db_password: 123456\n":                       "db_password: REDACTED\n",
		"api-key: 0.5\n":                              "api-key: REDACTED\n",
		"headers: {Cookie: 'a=\"s3cret\"; b=c'}\n":    "headers:\n  Cookie: REDACTED\n",
		"headers: {X-Auth-Token: s3cret s3cret}\n":    "headers:\n  X-Auth-Token: REDACTED\n",
		"password: {min: 3}\n":                        "password:\n  min: 3\n",
		"password: ~\n":                               "password: null\n",
		"tokens: 5\n":                                 "tokens: 5\n",
		"password: '{{env \"DB_PASSWORD\"}}'\n":       `password: "{{env \"DB_PASSWORD\"}}"` + "\n",
		"password: \"${DB_PASSWORD}\"\n":              "password: ${DB_PASSWORD}\n",
		"password: '{{.password}}s3cret'\n":           "password: REDACTED\n",
		"password: '{{print \"s3cret\"}}'\n":          "password: REDACTED\n",
		"headers: {Authorization: 'Bearer {{.t}}'}\n": "headers:\n  Authorization: Bearer {{.t}}\n",
	} {
		if got, err := r.YAML([]byte(text)); err != nil || string(got) != want {
			t.Errorf("%q is written as %q (%v), expected %q", text, got, err, want)
		}
	}
}

// A text of any kind is the same redacted once and twice.
func TestRedactionIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := known(t)
		parts := rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"authorization", "bearer", "cookie", "password", "token", "://", ":", "=", "@", " ", ",", ";", "\n", `"`, "'", "{", "}", redact.Mark, "a", "basic", "--", "-p", "pass", "session", "[", "]", `\"`, `\`, "=>", "%3D", "%26", "&", "http", "mysql", "-----BEGIN PRIVATE KEY-----", "-----END", "{{.a}}", "found", "?", "/", "digest", "eyJabcdefg.", "passphrase"}),
			rapid.StringMatching(`[a-z0-9]{1,8}`),
		), 0, 12).Draw(t, "parts")
		once := r.Text(strings.Join(parts, ""))
		if twice := r.Text(once); twice != once {
			t.Fatalf("%q, and then %q", once, twice)
		}
	})
}

// What carries no secret is left as it is.
func TestOtherTextsAreLeftAlone(t *testing.T) {
	t.Parallel()
	r := known(t)
	for _, text := range []string{
		"", "GET /orders/17 503 in 1.5s", "http://127.0.0.1:8080/a?b=c", "db-1 is stopped", "2026-11-27T00:00:00Z", "a@b.example", "ssh://host:22/path", "key: value", "lookup db on 127.0.0.11:53: no such host",
	} {
		if got := r.Text(text); got != text {
			t.Errorf("%q is written as %q", text, got)
		}
	}
}

// In a document, secrets go whatever the depth and the key; the rest, its order and
// its shape stay.
func TestDocuments(t *testing.T) {
	t.Parallel()
	r := known(t)
	got, err := r.YAML([]byte("z: 1\na:\n  - token: abcs3cret\n    b: {password: abcs3cret, n: 2.5, list: [true, null, 'Bearer abcs3cret']}\n  - plain\nheaders: {Authorization: abcs3cret, Cookie: 'a=s3cret; b=s3cret'}\nurl: http://u:s3cret@h/\nempty: {}\n"))
	if err != nil || strings.Contains(string(got), "s3cret") {
		t.Fatalf("%v\n%s", err, got)
	}
	want := "z: 1\na:\n  - token: REDACTED\n    b:\n      password: REDACTED\n      \"n\": 2.5\n      list:\n        - true\n        - null\n        - Bearer REDACTED\n  - plain\n"
	if !strings.HasPrefix(string(got), want) {
		t.Errorf("found\n%s\nexpected\n%s", got, want)
	}
	for _, bad := range []string{"a: [", "a: b: c"} {
		if data, err := r.YAML([]byte(bad)); err == nil {
			t.Errorf("%q is written as %s", bad, data)
		}
	}
}

// A document stays one that can be read, with the same keys.
func TestDocumentsStayValid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := known(t)
		was := map[string]any{}
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			key := rapid.SampledFrom([]string{"password", "name", "token", "headers", "n", "Authorization"}).Draw(t, "key")
			was[key] = rapid.OneOf(secrets(), rapid.StringMatching(`[a-z :#'"{}@/=]{0,15}`)).Draw(t, "value")
		}
		data, err := yaml.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		written, err := r.YAML(data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		var now map[string]any
		if err := yaml.Unmarshal(written, &now); err != nil {
			t.Fatalf("%v\n%s\n%s", err, data, written)
		}
		for key := range was {
			if _, ok := now[key]; !ok || len(now) != len(was) {
				t.Fatalf("%s is not there\n%s\n%s", key, data, written)
			}
		}
		if again, err := r.YAML(written); err != nil || string(again) != string(written) {
			t.Fatalf("%v\n%s\n%s", err, written, again)
		}
	})
}

// Whatever a text is, it is the same redacted once and twice.
func FuzzText(f *testing.F) {
	for _, carrier := range carriers() {
		f.Add(strings.ReplaceAll(carrier, "%s", "a,b c"))
	}
	f.Add(`x \\"token\\":\\"a\\\\\\"b\\" -----BEGIN PRIVATE KEY----- 'pass'='it''s' Authorization: Digest a="b", c=d; --token [a]`)
	f.Fuzz(func(t *testing.T, text string) {
		r := redact.Common()
		once := r.Text(text)
		if twice := r.Text(once); twice != once {
			t.Fatalf("%q is written as %q, and then as %q", text, once, twice)
		}
	})
}
