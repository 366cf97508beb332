package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gameday-dev/gameday/pkg/store"
)

// person is the client of a request.
type person struct {
	Name string
	Role store.Role
	From string // the client's address
}

// personKey is the context key of the person.
type personKey struct{}

func personOf(ctx context.Context) person {
	p, _ := ctx.Value(personKey{}).(person)
	return p
}

// sessionTime is how long a browser stays logged in.
const sessionTime = 12 * time.Hour

// onceTime is the lifetime of a login link.
const onceTime = time.Hour

func (s *Server) cookie() string {
	if s.TLS != nil || s.Proxied {
		return "__Host-gameday" // browsers accept it only from this host, and only over TLS
	}
	return "gameday"
}

// allowed lets a request through if the person's role covers it, and writes every
// request that can change something to the audit log.
func (s *Server) allowed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := s.mux.Handler(r)
		need, ruled := s.rules[pattern]
		if pattern == "" {
			next.ServeHTTP(w, r) // the mux answers 404 or 405
			return
		}
		p, err := s.identify(r)
		if err != nil {
			s.Log.Error("look up a token", "err", err)
			http.Error(w, "the store cannot be reached: try again", http.StatusServiceUnavailable)
			return
		}
		var detail string
		r = r.WithContext(context.WithValue(context.WithValue(r.Context(), personKey{}, p), noteKey{}, &detail))
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		switch {
		case !ruled:
			http.Error(recorder, "forbidden: this route has no rule", http.StatusForbidden)
		case p.Role.Covers(need):
			next.ServeHTTP(recorder, r)
		case p.Role == store.Anyone || s.open && p.Name == localUser:
			s.requireToken(recorder, r)
		default:
			http.Error(recorder, "forbidden: this requires the role "+string(need)+", and your token has the role "+string(p.Role), http.StatusForbidden)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.account(r, p, recorder.status)
		}
	})
}

// requireToken asks for a token: a browser gets the login page, a program a status.
func (s *Server) requireToken(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/metrics" || r.URL.Path == "/live" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gameday"`)
		http.Error(w, "a token is required: create one with gameday token create", http.StatusUnauthorized)
		return
	}
	next := ""
	if r.Method == http.MethodGet {
		next = "?next=" + url.QueryEscape(r.URL.Path)
	}
	if r.Method != http.MethodGet {
		s.renderAs(w, r, http.StatusUnauthorized, "login", "")
		return
	}
	http.Redirect(w, r, "/login"+next, http.StatusSeeOther)
}

// localUser is the name of a client on this machine without a token.
const localUser = "local user"

// identify finds the person of a request. An error means that the store could not be
// read.
func (s *Server) identify(r *http.Request) (person, error) {
	p := person{Name: "anonymous", Role: store.Anyone, From: s.from(r)}
	if s.open {
		p.Name, p.Role = localUser, store.View
	}
	text, kind := "", store.Session
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		text, kind = strings.TrimSpace(bearer), store.Named
	} else if c, err := r.Cookie(s.cookie()); err == nil {
		text = c.Value
	}
	if text == "" {
		return p, nil
	}
	t, err := s.Daemon.Store.Token(r.Context(), text, s.Daemon.Now(), kind)
	switch {
	case err == nil:
		p.Name, p.Role = t.Name, t.Role
	case !errors.Is(err, store.ErrNone):
		return p, err
	case kind == store.Named:
		p.Name, p.Role = "unknown token", store.Anyone // an invalid token must not fall back to the local user
	}
	return p, nil
}

// from is the client's address; behind a proxy, the address that the proxy reports.
func (s *Server) from(r *http.Request) string {
	if s.Proxied {
		hops := strings.Split(r.Header.Get("X-Forwarded-For"), ",")
		if last := strings.TrimSpace(hops[len(hops)-1]); net.ParseIP(last) != nil {
			return last
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// account writes an action, or an attempt at one, to the audit log.
func (s *Server) account(r *http.Request, p person, status int) {
	outcome := http.StatusText(status)
	if status < http.StatusBadRequest {
		outcome = "done"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	what := r.Method + " " + r.URL.Path
	if detail, ok := r.Context().Value(noteKey{}).(*string); ok && *detail != "" {
		what += ": " + *detail
	}
	s.Log.Info("audit", "who", p.Name, "from", p.From, "what", what, "outcome", outcome)
	if err := s.Daemon.Store.Audit(ctx, store.Entry{Who: p.Name, From: p.From, What: what, Outcome: outcome}); err != nil {
		s.Log.Error("write the audit log", "err", err)
	}
}

// noteKey is the context key of the detail for the audit log.
type noteKey struct{}

// note adds a detail to the audit log's entry of a request. It must not be a secret.
func note(ctx context.Context, format string, args ...any) {
	if detail, ok := ctx.Value(noteKey{}).(*string); ok {
		*detail = fmt.Sprintf(format, args...)
	}
}

// statusRecorder records the status of a response.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap gives [http.ResponseController] access to the wrapped writer.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// LoginLink creates a link that logs in one browser, once.
func (s *Server) LoginLink(ctx context.Context, address string) (string, error) {
	now := s.Daemon.Now()
	text, err := s.Daemon.Store.NewToken(ctx, store.Token{Name: "login link", Kind: store.Once, Role: store.Operate, Created: now, Expires: now.Add(onceTime)})
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
	ctx, now := r.Context(), s.Daemon.Now()
	text := strings.TrimSpace(r.PostFormValue("token"))
	t, err := s.Daemon.Store.Token(ctx, text, now, store.Named, store.Once)
	if err == nil && t.Kind == store.Once {
		err = s.Daemon.Store.Spend(ctx, text)
	}
	if errors.Is(err, store.ErrNone) {
		s.renderAs(w, r, http.StatusUnauthorized, "login", "")
		return
	}
	var session string
	if err == nil {
		note(ctx, "as %s (%s)", t.Name, t.Role)
		session, err = s.Daemon.Store.NewToken(ctx, store.Token{Name: t.Name, Kind: store.Session, Role: t.Role, Created: now, Expires: now.Add(sessionTime)})
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	s.setCookie(w, session, sessionTime)
	next := r.PostFormValue("next")
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		next = "/" // never redirect to another site
	}
	http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // G710: it begins with exactly one slash, so it stays on this site
}

// setCookie sets a browser's session cookie; a negative lifetime deletes it.
func (s *Server) setCookie(w http.ResponseWriter, session string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: on loopback there is no TLS
		Name: s.cookie(), Value: session, Path: "/", MaxAge: int(lasts.Seconds()),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.TLS != nil || s.Proxied,
	})
}

// logout ends a browser's session.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(s.cookie()); err == nil {
		if err := s.Daemon.Store.Spend(r.Context(), c.Value); err != nil && !errors.Is(err, store.ErrNone) {
			s.fail(w, err)
			return
		}
	}
	s.setCookie(w, "", -time.Second)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
