package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/gameday-dev/gameday/pkg/store"
)

// The maximum lifetimes of a browser's session. A session never outlives its token. A
// browser sends a cookie to every port of a host: without TLS, that is any server on this
// machine that the person visits, so such a session is short.
const (
	sessionTime      = 12 * time.Hour
	plainSessionTime = 2 * time.Hour
)

// onceTime is the lifetime of a login link.
const onceTime = time.Hour

// encrypted reports whether browsers reach the server over TLS.
func (s *Server) encrypted() bool { return s.TLS != nil || s.Proxied }

// cookie is the name of the session's cookie. Servers on other ports of this host have
// other names, so that they do not log each other's users out.
func (s *Server) cookie() string {
	name := "gameday-" + s.port
	if s.Proxied {
		name = "gameday" // the port that browsers see is the proxy's
	}
	if s.encrypted() {
		return "__Host-" + name // browsers accept it only from this host, and only over TLS
	}
	return name
}

// LoginLink creates a link that logs in one browser, once.
func (s *Server) LoginLink(ctx context.Context, address string) (string, error) {
	now := s.Daemon.Now()
	text, err := s.Daemon.Store.NewToken(ctx, store.Token{Name: store.LinkName, Kind: store.Once, Role: store.Operate, Created: now, Expires: now.Add(onceTime)})
	if err != nil {
		return "", err
	}
	return s.base(address) + "/login?once=" + text, nil
}

// base is the URL of the server for a browser. It uses the first of Hosts if the
// server listens on all addresses or is behind a proxy.
func (s *Server) base(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		address = net.JoinHostPort("127.0.0.1", port)
		if len(s.Hosts) > 0 {
			address = net.JoinHostPort(s.Hosts[0], port)
		}
	}
	switch {
	case s.Proxied && len(s.Hosts) > 0:
		return "https://" + s.Hosts[0]
	case s.TLS != nil:
		return "https://" + address
	}
	return "http://" + address
}

// loginPage shows the login form. A login link is spent by the form's button, and not
// by opening it, because browsers and chat programs prefetch links.
func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, "login", r.URL.Query().Get("once"))
}

// login logs a browser in, with a token or with the token of a login link.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	ctx, lasts := r.Context(), plainSessionTime
	if s.encrypted() {
		lasts = sessionTime
	}
	session, t, err := s.Daemon.Store.LogIn(ctx, strings.TrimSpace(r.PostFormValue("token")), s.Daemon.Now(), lasts)
	if errors.Is(err, store.ErrNone) {
		s.refuse(w, r)
		return
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	note(ctx, "as %s (%s)", t.Name, t.Role)
	if n, ok := ctx.Value(notesKey{}).(*remarks); ok {
		n.known = true
	}
	s.setCookie(w, session, t.Expires.Sub(s.Daemon.Now()))
	next := r.PostFormValue("next")
	if !isLocalPath(next) {
		next = "/" // never redirect to another site
	}
	http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // G710: isLocalPath has checked it
}

// maxNext is the maximum length of a path to return to after the login, in bytes.
const maxNext = 500

// isLocalPath reports whether a text is the path of a page of this site, however a browser
// reads it: browsers drop tabs and line breaks, and take \ for /.
func isLocalPath(text string) bool {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxNext || !strings.HasPrefix(text, "/") || u.Scheme != "" || u.Host != "" {
		return false
	}
	both := text + " " + u.Path // as it is, and decoded
	return !strings.Contains(both, "//") && !strings.ContainsFunc(both, func(r rune) bool {
		return r == '\\' || r > unicode.MaxASCII || !unicode.IsPrint(r)
	})
}

// setCookie sets a browser's session cookie; a negative lifetime deletes it.
func (s *Server) setCookie(w http.ResponseWriter, session string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: on loopback there is no TLS
		Name: s.cookie(), Value: session, Path: "/", MaxAge: int(lasts.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.encrypted(),
	})
}

// logout ends a browser's session.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(s.cookie()); err == nil {
		if err := s.Daemon.Store.LogOut(r.Context(), c.Value); err != nil {
			s.fail(w, err)
			return
		}
	}
	s.setCookie(w, "", -time.Second)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
