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

// person is whoever asks.
type person struct {
	Name string
	Role store.Role
	From string // their address
}

// personKey is where a request's context has its person.
type personKey struct{}

func personOf(ctx context.Context) person {
	p, _ := ctx.Value(personKey{}).(person)
	return p
}

// sessionTime is how long a browser stays logged in.
const sessionTime = 12 * time.Hour

// onceTime is how long a link that logs in once is good.
const onceTime = time.Hour

func (s *Server) cookie() string {
	if s.TLS != nil || s.Proxied {
		return "__Host-gameday" // browsers take it from this very host and by TLS only
	}
	return "gameday"
}

// allowed lets a request through whose person may do what it needs, and keeps account
// of all that would change something.
func (s *Server) allowed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, pattern := s.mux.Handler(r)
		need, ruled := s.rules[pattern]
		if pattern == "" {
			next.ServeHTTP(w, r) // the mux says 404 or 405
			return
		}
		p, err := s.identify(r)
		if err != nil {
			s.Log.Error("who asks cannot be looked up", "err", err)
			http.Error(w, "the store cannot be reached: try again", http.StatusServiceUnavailable)
			return
		}
		var said string
		r = r.WithContext(context.WithValue(context.WithValue(r.Context(), personKey{}, p), noteKey{}, &said))
		seen := &answered{ResponseWriter: w, status: http.StatusOK}
		switch {
		case !ruled:
			http.Error(seen, "nobody may do this", http.StatusForbidden)
		case p.Role.Covers(need):
			next.ServeHTTP(seen, r)
		case p.Role == store.Anyone || s.open && p.Name == onThisMachine:
			s.askWho(seen, r)
		default:
			http.Error(seen, "your token's role is "+string(p.Role)+", and this needs "+string(need), http.StatusForbidden)
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.account(r, p, seen.status)
		}
	})
}

// askWho asks for a token: a browser by a page, a program by a status.
func (s *Server) askWho(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/metrics" || r.URL.Path == "/live" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gameday"`)
		http.Error(w, "this needs a token: gameday token create makes one", http.StatusUnauthorized)
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

// onThisMachine is whoever asks from this machine without a token.
const onThisMachine = "somebody on this machine"

// identify says who asks. An error means that nobody can tell.
func (s *Server) identify(r *http.Request) (person, error) {
	p := person{Name: "nobody", Role: store.Anyone, From: s.from(r)}
	if s.open {
		p.Name, p.Role = onThisMachine, store.View
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
		p.Name, p.Role = "an unknown token", store.Anyone // whoever shows a token is judged by it
	}
	return p, nil
}

// from is the address of whoever asks: as the proxy says, where there is one.
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

// account writes into the audit log what somebody has done, or has tried to.
func (s *Server) account(r *http.Request, p person, status int) {
	outcome := http.StatusText(status)
	if status < http.StatusBadRequest {
		outcome = "done"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
	defer cancel()
	what := r.Method + " " + r.URL.Path
	if said, ok := r.Context().Value(noteKey{}).(*string); ok && *said != "" {
		what += ": " + *said
	}
	s.Log.Info("audit", "who", p.Name, "from", p.From, "what", what, "outcome", outcome)
	if err := s.Daemon.Store.Audit(ctx, store.Entry{Who: p.Name, From: p.From, What: what, Outcome: outcome}); err != nil {
		s.Log.Error("the audit log cannot be written", "err", err)
	}
}

// noteKey is where a request's context has what the audit log is to say of it.
type noteKey struct{}

// note says in the audit log what is asked for, beside the address. It is no secret.
func note(ctx context.Context, format string, args ...any) {
	if said, ok := ctx.Value(noteKey{}).(*string); ok {
		*said = fmt.Sprintf(format, args...)
	}
}

// answered remembers the status of an answer.
type answered struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements [http.ResponseWriter].
func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets [http.ResponseController] reach what is inside.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// LoginLink makes a link that logs one browser in, once.
func (s *Server) LoginLink(ctx context.Context, address string) (string, error) {
	now := s.Daemon.Now()
	text, err := s.Daemon.Store.NewToken(ctx, store.Token{Name: "whoever began gameday serve", Kind: store.Once, Role: store.Operate, Created: now, Expires: now.Add(onceTime)})
	if err != nil {
		return "", err
	}
	return s.base(address) + "/login?once=" + text, nil
}

// base is how a browser reaches the server: by the first of its names where it listens
// on all addresses, or has a proxy in front of it.
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

// loginPage shows the form; a link that logs in once is spent by its button, since
// browsers and chat programs look at links before anybody follows them.
func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.render(w, r, "login", r.URL.Query().Get("once"))
}

// login logs a browser in, by a token or by a link's.
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
		next = "/" // never to somewhere else
	}
	http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // G710: it begins with one slash, and stays here
}

// setCookie gives a browser its session for so long, or takes it away.
func (s *Server) setCookie(w http.ResponseWriter, session string, lasts time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: on loopback there is no TLS to ask for
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
