package redact_test

import (
	"errors"
	"fmt"
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
		"/login?token=s3cret: status 503":                "/login?token=REDACTED: status 503",
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

// Every way in which people, programs and protocols write a secret down (M5).
func TestEveryFormOfASecretIsFound(t *testing.T) {
	t.Parallel()
	r := redact.Common()
	const s = "S3CRETs3cret99"
	for _, text := range []string{
		"Authorization: Negotiate §", "Authorization: NTLM §", "Authorization: ApiKey §", `{"Authorization": "Splunk §"}`, "Authorization: §",
		`authorization="Token §"`, `Authorization: Token token="§", nonce="x"`, `Authorization: Digest username="u", realm="r", response="§"`,
		"Authorization: AWS4-HMAC-SHA256 Credential=AK/20261130/§, SignedHeaders=host, Signature=§", "curl -H 'Authorization: ApiKey §' http://x",
		`got "Authorization: Digest username=\"u\", response=\"§\"" there`, "map[Authorization:[Negotiate §] Accept:[*/*]]", "map[Set-Cookie:[a=§; b=§]]",
		`{"password": "two words §"}`, `{"password": "a & b, §"}`, `password="a b §"`, `password='a,§'`, "password=abc,§", "password=a,b,§ more", `password: "it's §"`,
		"PGPASSWORD=§", "pwd=§", "pass=§", "db_pass=§", "DB_PASS: \"§\"", `{"pass": "§"}`, "MYSQL_PWD: §", "passphrase: correct horse §", "Kennwort: §", "password => §", `headers.X-Token: found "§", expected a number`, `token: found 1§, expected a number`,
		"X-Auth: §", "x-api-key: §", "apikey=§", "session=§", "sid=§", "PHPSESSID=§", "jwt=§", "jwt: §", "client_secret=§", "secret_key: §", "aws_secret_access_key = §",
		"DefaultEndpointsProtocol=https;AccountKey=§;EndpointSuffix=x", "https://acc.blob.core.windows.net/c?sv=1&sig=§&se=2", "https://b.s3.amazonaws.com/k?X-Amz-Signature=§&a=b",
		"GET /ok?api_key=§&password=§", "/login?session=§", "next=%2Fx%3Ftoken%3D§%26a%3Db", `"token":["§", "§"]`, "token: |§",
		"--password §", "--password=§", `--db-password "two words §"`, `["--token", "§"]`, "-password §", "mysql -uroot -p§ shop", "sshpass -p § ssh h", "redis-cli -h c -a § ping", "curl -u alice:§ http://h",
		"postgres://u:p@ss/§@h/db", "postgres://u:p@§@h/db", "https://§@github.com/x", "https://:§@h", "redis://:§@h:6379", "htps://bob:§@h", "amqp://u:p§?§@h", "http://h:80/?u=http://u:§@x",
		"https://hooks.slack.com/services/T0/B0/§", "https://discord.com/api/webhooks/1/§", "https://api.telegram.org/bot1:§/send",
		"-----BEGIN PRIVATE KEY-----\n§\n§\n-----END PRIVATE KEY-----\nrest", `key "-----BEGIN RSA PRIVATE KEY-----\n§`, "-----BEGIN OPENSSH PRIVATE KEY-----\n§",
		"password: |\n  §\nuser: a", "password: >-\n    §\n\n    §\n  a: b", "env:\n  - db_password: |2+ # of the shop\n       two §\n     § words\n  - a: b", "\"token\": |\r\n  §\r\n", "secret: |\n\t§", `"yaml":"password: |\n  §\n  §\nuser: a"`, "password: |\n  §",
		"{'password': b'§'}", `password=b"two words §"`, `token = rb'two words §'`, `password: u'two §'`, `Password: SecretStr("two §")`, `secret: []byte("two §")`, `password = $'two §'`, `password = N'two §'`, `token: Some("two §")`,
		`'password' : 'two §'`, `"password" = "two §"`, "[password] => §", `["password"]=> §`, `array['token'] = 'two §'`, "user[password]=§&a=b", "user%5Bpassword%5D=§&a=b", `? "password"` + "\n: §", "? token\n: two §",
		"<password>§</password>", "<Password xml:lang=\"en\">two §</Password>", "<ns:clientSecret>§</ns:clientSecret>", `<property name="password" value="two §"/>`, `<input type="password" name="password" value="§">`, "<token><![CDATA[two §]]></token>",
		`{"name": "DB_PASSWORD", "value": "two §"}`, `{"Name":"token","Value":"§"}`, "- name: DB_PASSWORD\n  value: §\n", "- name: \"TOKEN\"\n  value: 'two §'\n", `{"key":"password","value":"§"}`,
		"ALTER USER shop WITH PASSWORD 'two §'", "CREATE USER a IDENTIFIED BY 'two §'", "machine h login u password §",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.§", `net/http: malformed MIME header: missing colon: "Set-Cookie session-§"`,
		`parse "http://h/item/\x01?session=§": net/url: invalid control character in URL`, `body "{\"auth\":\"§\"}"`,
	} {
		text = strings.ReplaceAll(text, "§", s)
		once := r.Text(text)
		if strings.Contains(once, "S3CRET") || strings.Contains(once, "s3cret") {
			t.Errorf("%q is written as %q", text, once)
		}
		if twice := r.Text(once); twice != once {
			t.Errorf("%q is written as %q, and then as %q", text, once, twice)
		}
	}
	for _, text := range []string{
		"AKIA" + "IOSFODNN7EXAMPLE", "ghp_" + strings.Repeat("a1", 18), "github_pat_" + strings.Repeat("a1", 20), "glpat-" + strings.Repeat("a1", 10),
		"xoxb" + "-1234567890-abcdef", "sk_live" + "_abcdefghij12", "AIza" + strings.Repeat("a", 35), "npm_" + strings.Repeat("a1", 18), "gd_" + strings.Repeat("aB", 21),
	} {
		if got, want := r.Text("a request with "+text+" was refused"), "a request with REDACTED was refused"; got != want {
			t.Errorf("%q, expected %q", got, want)
		}
	}
}

// What people read every day holds no secret, and stays as it is (M5).
func TestOrdinaryTextsPassUnchanged(t *testing.T) {
	t.Parallel()
	r := redact.Common()
	for _, text := range []string{
		"GET /api/token: status 503, expected 200", "reset password: timeout", "/session/17: connection closed", "login token: dial tcp: connection refused",
		"environments.test.headers.password: found a list, expected a string", `unknown key "password": did you mean "passwords"?`, `gameday.yaml:6:5: missing required key "token"`,
		"--token: is required", "use --token or --password to log in", "flag provided but not defined: -password", "--secret expected",
		"basic authentication failed", "Bearer authentication is required", "bearer realm not known", "invalid token: unexpected end of JSON input", "password authentication failed for user shop",
		"FATAL: password: wrong", "authorization: access denied", "authorization: required", "cookie: missing", "http: named cookie not present", "session: closed by peer", "tls: session ticket expired",
		"--- PASS: TestFoo (0.00s)", "bypass=true", "compass: north", "auth: unable to connect", "POST /auth/login: status 401, expected 200", "/auth?next=%2Fhome", "SSID=guest", "max_tokens=5", "tokens: 5",
		"http://127.0.0.1:8080/orders?mail=a@b.example", "http://127.0.0.1:8080/@org/team", "ssh://git@github.com/x", "postgres://shop@db:5432/shop", "http://[::1]:8080/a@b", "a@b.example",
		`Get "http://shop:8080/orders": dial tcp 10.0.0.7:8080: connect: connection refused`, "dial: lookup db on 127.0.0.11:53: no such host", "read: connection reset by peer",
		"tls: failed to verify certificate: x509: certificate is valid for shop.example, not localhost", "-----BEGIN CERTIFICATE-----", "expected token =",
		"/item?session={{.session}}&token={{ .tok }}", "password: ${DB_PASSWORD}", "password: null", `"token": null`, "kill of db in force after 12ms", "12:30:45 repair, at most 30s",
		"disk-full-1234567890-abcdefghijkl is not up", "the secret of a good game day", "pause of pass-through_1 reverted", "3.2.1.eyJ is no token", "key: value", "gameday run db-loss --set objective.rto=60s",
		"description: |\n  what a password is\n  for", "password: |\nuser: a", "<password>{{.password}}</password>", "<password/>", "<passwords>5</passwords>", "- name: DB_HOST\n  value: db-1", `{"name": "checkout", "value": 17}`, "the password 'x' is wrong", "login u password", "AUTH failed",
		"mysql -p shop", "curl -u http://x", "docker run --user 1000:1000 img", "Set-Cookie header missing", "Signature: none", "credentials: not found", "PWD: unset",
	} {
		if got := r.Text(text); got != text {
			t.Errorf("%q is written as %q", text, got)
		}
	}
}

// What an error is, is not lost with its secrets.
func TestErrorsWithoutSecrets(t *testing.T) {
	t.Parallel()
	inner := errors.New("password=s3cret")
	err := redact.Common().Error(fmt.Errorf("log in: %w", inner))
	if !errors.Is(err, inner) || err.Error() != "log in: password=REDACTED" {
		t.Errorf("%v", err)
	}
	if redact.Common().Error(nil) != nil {
		t.Error("no error is one")
	}
	plain := errors.New("timeout")
	if redact.Common().Error(plain) != plain { //nolint:errorlint // the very same
		t.Error("an error without a secret is another one")
	}
}

func TestYAMLStaysValid(t *testing.T) {
	t.Parallel()
	r, _ := redact.New(`-p.*`)
	got, err := r.YAML([]byte("name: x\npassword: s3cret\nfaults:\n  - command: {inject: [mysql, -ps3cret], undo: [sh, -c, \"curl -H 'Authorization: Bearer s3cret'\"]}\nn: 3\n"))
	if err != nil || strings.Contains(string(got), "s3cret") {
		t.Fatalf("%v\n%s", err, got)
	}
	args, err := redact.Common().YAML([]byte("undo: [vault, --token, s3cret, -password, s3cret, --token, --force, --token=s3cret]\n"))
	if want := "undo:\n  - vault\n  - --token\n  - REDACTED\n  - -password\n  - REDACTED\n  - --token\n  - --force\n  - --token=REDACTED\n"; err != nil || string(args) != want {
		t.Errorf("%v\n%s", err, args)
	}
	if again, err := r.YAML(got); err != nil || string(again) != string(got) || !strings.HasPrefix(string(got), "name: x\npassword: REDACTED\nfaults:\n") {
		t.Errorf("%v\n%s\n%s", err, got, again)
	}
}
