package journeyfrom_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/journeyfrom"
)

// nv is a header, a cookie or a parameter of a recording.
type nv struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// item is an entry of a recording.
type item struct {
	method, url      string
	headers          []nv
	kind, sent       string
	status           int
	answered         []nv
	answerKind, body string
}

// har is a recording with some entries.
func har(items ...item) string {
	entries := []any{}
	for _, it := range items {
		request := map[string]any{"method": it.method, "url": it.url, "headers": it.headers}
		if it.sent != "" {
			request["postData"] = map[string]any{"mimeType": it.kind, "text": it.sent}
		}
		entries = append(entries, map[string]any{"request": request, "response": map[string]any{
			"status": it.status, "headers": it.answered, "content": map[string]any{"mimeType": it.answerKind, "text": it.body},
		}})
	}
	data, err := json.Marshal(map[string]any{"log": map[string]any{"version": "1.2", "entries": entries}})
	if err != nil {
		panic(err)
	}
	return string(data)
}

// secretNames are names whose values package redact takes for secrets.
func secretNames() []string {
	return []string{
		"password", "passwort", "passwd", "passphrase", "kennwort", "secret", "client_secret", "token", "refresh_token", "x-auth", "X-Auth-Token",
		"session_id", "sessid", "PHPSESSID", "connection_string", "api_key", "apikey", "x-api-key", "access-key", "private_key", "account_key",
		"shared_key", "encryption_key", "signing_key", "master_key", "pass", "pwd", "session", "sess", "sid", "jwt", "auth", "sig", "signature",
		"credential", "credentials", "user[password]", "password_confirmation", "card_number", "cvv", "otp", "newPassword1",
	}
}

// secretValues are values that package redact takes for secrets whatever their name.
func secretValues() []string {
	return []string{
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzM2NyZXQifQ.s3cret-signature", "AKIAS3CRETS3CRETS3CR", "ghp_s3cret0123456789abcdefghij", "glpat-s3cret0123456789abcde",
		"xoxb-s3cret-0123456789", "sk_live_s3cret0123456789", "sk-s3cret0123456789abcdef", "npm_s3cret0123456789abcdef0123456789", "hvs.s3cret0123456789abcdef",
		"SG.s3cret0123456789ab.s3cret0123456789ab", "gd_s3cret0123456789abcdef", "postgres://shop:s3cret-in-url@db/shop", "https://ann:s3cret-in-url@shop.example/x",
	}
}

// No secret of a recording is in the journey or in what an import says, whatever carries it.
func TestSecretsStayInTheRecording(t *testing.T) {
	t.Parallel()
	n := 0
	secret := func() string { n++; return fmt.Sprintf("s3cret-%04d-x", n) }
	cases := map[string]item{
		"bearer":        {headers: []nv{{"Authorization", "Bearer " + secret()}}},
		"basic":         {headers: []nv{{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+secret()))}}},
		"digest":        {headers: []nv{{"Authorization", `Digest username="u", response="` + secret() + `"`}}},
		"proxy":         {headers: []nv{{"Proxy-Authorization", "Basic " + secret()}}},
		"cookie":        {headers: []nv{{"Cookie", "shop=" + secret() + "; theme=dark"}}},
		"set-cookie":    {answered: []nv{{"Set-Cookie", "shop=" + secret() + "; HttpOnly"}}},
		"url user":      {url: "https://ann:" + secret() + "@shop.example/a"},
		"query":         {url: "https://shop.example/a?next=%2Fb%3Ftoken%3D" + secret()},
		"fragment":      {url: "https://shop.example/a#access_token=" + secret()},
		"xml":           {method: "POST", kind: "text/xml", sent: "<login><user>ann</user><ns:password>" + secret() + "</ns:password></login>"},
		"plain":         {method: "POST", kind: "text/plain", sent: "user=ann\npassword: " + secret() + "\n"},
		"json in form":  {method: "POST", kind: "application/x-www-form-urlencoded", sent: "data=%7B%22password%22%3A%22" + secret() + "%22%7D"},
		"deep json":     {method: "POST", kind: "application/json", sent: `{"a": [{"b": {"password": "` + secret() + `"}}], "query": "mutation { login(password: \"` + secret() + `\") }"}`},
		"json key":      {method: "POST", kind: "application/json", sent: `{"pin": 12345678, "password": 87654321}`},
		"json answer":   {answerKind: "application/json", body: `{"access_token": "` + secret() + `", "user": {"api_key": "` + secret() + `"}}`},
		"title":         {answerKind: "text/html", body: "<title>token=" + secret() + "</title>"},
		"foreign":       {url: "https://evil.example/collect?sid=" + secret()},
		"asset":         {url: "https://shop.example/a.png?sig=" + secret(), answerKind: "image/png"},
		"failed":        {url: "https://shop.example/token=" + secret(), status: -1},
		"hook":          {url: "https://shop.example/proxy?url=https://hooks.slack.com/services/T000/B000/" + secret()},
		"repeated form": {method: "POST", kind: "application/x-www-form-urlencoded", sent: "a=1&a=2&password=" + secret()},
		"multipart": {
			method: "POST", kind: "multipart/form-data; boundary=b",
			sent: "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" + secret() + "\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.txt\"\r\n\r\npassword=" + secret() + "\r\n--b--\r\n",
		},
	}
	for _, name := range secretNames() {
		cases["header "+name] = item{headers: []nv{{strings.NewReplacer("[", "-", "]", "").Replace(name), secret()}}}
		cases["query "+name] = item{url: "https://shop.example/a?" + name + "=" + secret()}
		cases["form "+name] = item{method: "POST", kind: "application/x-www-form-urlencoded", sent: "user=ann&" + name + "=" + secret()}
		cases["json "+name] = item{method: "POST", kind: "application/json", sent: `{"` + name + `": "` + secret() + `"}`}
		cases["again "+name] = item{method: "POST", kind: "application/json", sent: `{"` + name + `": "s3cret-again-77", "note": "it is s3cret-again-77!", "list": ["s3cret-again-77"]}`}
	}
	for i, value := range secretValues() {
		cases[fmt.Sprint("value ", i)] = item{method: "POST", kind: "application/json", sent: `{"note": "` + value + `", "text": "see ` + value + ` there"}`, headers: []nv{{"X-Note", value}}}
		cases[fmt.Sprint("path ", i)] = item{url: "https://shop.example/r/" + strings.ReplaceAll(value, "/", "%2F") + "/x"}
	}
	for name, it := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			complete(&it)
			first := item{method: "GET", url: "https://shop.example/", status: 200, answerKind: "text/html", body: "<title>Shop</title>"}
			r, err := journeyfrom.Import(strings.NewReader(har(first, it)), journeyfrom.Options{Name: "shop"})
			if err != nil {
				t.Fatal(err)
			}
			all := fmt.Sprintf("%s\n%q\n%q\n%s\n%q", r.Journey, r.LeftOut, r.Notes, r.Entry, r.Files)
			for _, left := range []string{"s3cret", "S3CRET", "87654321", "12345678"} {
				if strings.Contains(all, left) {
					t.Errorf("a secret is left:\n%s", all)
				}
			}
		})
	}
}

func complete(it *item) {
	if it.method == "" {
		it.method = "GET"
	}
	if it.url == "" {
		it.url = "https://shop.example/api"
	}
	switch it.status {
	case 0:
		it.status = 200
	case -1:
		it.status = 0
	}
	if it.kind != "" {
		it.headers = append(it.headers, nv{"Content-Type", it.kind})
	}
}
