package server_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/server"
	"github.com/gameday-dev/gameday/pkg/store"
)

// session logs a browser in, and returns its cookie.
func (s *site) session(token string) *http.Cookie {
	s.t.Helper()
	w := s.ask(store.Anyone, "POST", "/login", url.Values{"token": {token}}.Encode())
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(cookies) != 1 {
		s.t.Fatalf("%d %v", w.Code, cookies)
	}
	return cookies[0]
}

// A session ends with its token: when its time is over, and when it is revoked (M10).
// Without TLS, a session is short (M11).
func TestASessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	encrypted := server.Config{Listen: "0.0.0.0:8420", TLS: &tls.Config{MinVersion: tls.VersionTLS12}}
	for name, c := range map[string]struct {
		config     server.Config
		token      time.Duration // 0: until it is revoked
		want       time.Duration
		revoked    bool
		cookieName string
	}{
		"a short token":        {encrypted, time.Hour, time.Hour, false, "__Host-gameday-8420"},
		"a long token":         {encrypted, 30 * 24 * time.Hour, server.SessionTime, false, "__Host-gameday-8420"},
		"a token without end":  {encrypted, 0, server.SessionTime, false, "__Host-gameday-8420"},
		"a revoked token":      {encrypted, 0, server.SessionTime, true, "__Host-gameday-8420"},
		"behind a proxy":       {server.Config{Listen: "0.0.0.0:8420", Proxied: true}, 0, server.SessionTime, false, "__Host-gameday"},
		"without TLS":          {server.Config{Listen: "127.0.0.1:8421"}, 0, server.PlainSessionTime, false, "gameday-8421"},
		"without TLS, shorter": {server.Config{}, time.Minute, time.Minute, false, "gameday-8420"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c.config)
			now := time.Now().Truncate(time.Second)
			s.Daemon.Now = func() time.Time { return now }
			token := store.Token{Name: "ann", Kind: store.Named, Role: store.Operate, Created: now}
			if c.token > 0 {
				token.Expires = now.Add(c.token)
			}
			text, err := s.Daemon.Store.NewToken(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			cookie := s.session(text)
			if cookie.Name != c.cookieName || cookie.MaxAge != int(c.want.Seconds()) || cookie.Secure != strings.HasPrefix(cookie.Name, "__Host-") || cookie.Path != "/" || cookie.Domain != "" {
				t.Errorf("the cookie is %v, expected %s for %v", cookie, c.cookieName, c.want)
			}
			accepted := func() bool {
				return s.ask(store.Anyone, "GET", "/audit", "", "Cookie", cookie.Name+"="+cookie.Value).Code == http.StatusOK
			}
			now = now.Add(c.want - time.Second)
			if !accepted() {
				t.Error("it ends too early")
			}
			if c.revoked {
				if err := s.Daemon.Store.Revoke(t.Context(), "ann"); err != nil {
					t.Fatal(err)
				}
			} else {
				now = now.Add(2 * time.Second)
			}
			if accepted() {
				t.Error("it outlives its token, or its time")
			}
		})
	}
}

// Logging out ends a session, and no token that is sent in its place.
func TestLogoutEndsOnlyTheSession(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	s.ask(store.Anyone, "POST", "/logout", "", "Cookie", "gameday-8420="+s.tokens[store.Operate])
	if w := s.ask(store.Operate, "GET", "/audit", ""); w.Code != http.StatusOK {
		t.Errorf("the token was deleted: %d", w.Code)
	}
}

// After the login, the browser stays on this site, whatever the link that led there has
// said (L11).
func TestTheLoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, server.Config{})
	for next, stays := range map[string]bool{
		"/": true, "/history": true, "/jobs/17": true, "/history?scenario=a&environment=lab%2Fcheckout": true, "/runs/20261126T000000Z-x-0000/report.html": true,
		"": false, "history": false, "//evil.example": false, "/\\evil.example": false, "\\\\evil.example": false, "https://evil.example": false, "https:/evil.example": false,
		"javascript:alert(1)": false, "/\t/evil.example": false, "\t//evil.example": false, "/\n/evil.example": false, "/\r/evil.example": false, "/\x00/evil.example": false,
		" //evil.example": false, "/ /evil.example\x7f": false, "/.//evil.example": false, "/..//evil.example": false, "/x//evil.example": false, "/%2f/evil.example/\\": false,
		"/%2Fevil.example": false, "/%5cevil.example": false, "///evil.example": false, "/\u2028/evil.example": false, "/\u00a0/evil.example": false, "/\uff0fevil.example": false,
		"//evil.example/%2f..": false, "/@evil.example//": false, "/" + strings.Repeat("a", 1000): false, "/%zz": false, "/a\r\nSet-Cookie: x=y": false, "/%0d%0aSet-Cookie:x": false,
	} {
		if got := server.IsLocalPath(next); got != stays {
			t.Errorf("%q is a path of this site: %v, expected %v", next, got, stays)
		}
		want := "/"
		if stays {
			want = next
		}
		w := s.ask(store.Anyone, "POST", "/login", url.Values{"token": {s.tokens[store.View]}, "next": {next}}.Encode())
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("%q leads to %q (%d), expected %q", next, got, w.Code, want)
		}
	}
}
