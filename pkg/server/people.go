package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gameday-dev/gameday/pkg/store"
)

// person is the client of a request.
type person struct {
	Name  string
	Role  store.Role
	From  string // the client's address
	Known bool   // the client has a token
}

// personKey is the context key of the person.
type personKey struct{}

func personOf(ctx context.Context) person {
	p, _ := ctx.Value(personKey{}).(person)
	return p
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
		if err != nil && need != store.Anyone { // a probe must not depend on the token that it sends
			s.complain("look up a token", err)
			http.Error(w, "the store cannot be reached: try again", http.StatusServiceUnavailable)
			return
		}
		var n remarks
		r = r.WithContext(context.WithValue(context.WithValue(r.Context(), personKey{}, p), notesKey{}, &n))
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			defer s.account(r, p, recorder)
		}
		switch {
		case !ruled:
			http.Error(recorder, "forbidden: this route has no rule", http.StatusForbidden)
		case p.Role.Covers(need):
			next.ServeHTTP(recorder, r)
		case !p.Known:
			s.requireToken(recorder, r)
		default:
			http.Error(recorder, "forbidden: this requires the role "+string(need)+", and your token has the role "+string(p.Role), http.StatusForbidden)
		}
		recorder.ended = true
	})
}

// requireToken asks for a token: a browser gets the login page, a program a status.
func (s *Server) requireToken(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == "/metrics" || r.URL.Path == "/live":
		w.Header().Set("WWW-Authenticate", `Bearer realm="gameday"`)
		http.Error(w, "a token is required: create one with gameday token create", http.StatusUnauthorized)
	case r.Method == http.MethodGet:
		http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.Path), http.StatusSeeOther)
	default:
		s.refuse(w, r)
	}
}

// refuse shows the login page to a client without a valid token.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request) {
	if s.strangers.many() {
		w.Header().Set("Retry-After", "60")
		http.Error(w, "too many requests without a valid token: try again in a minute", http.StatusTooManyRequests)
		return
	}
	s.renderAs(w, r, http.StatusUnauthorized, "login", "")
}

// identify finds the person of a request. An error means that the store could not be
// read; the person has no role then.
func (s *Server) identify(r *http.Request) (person, error) {
	p := person{Name: store.Anonymous, Role: store.Anyone, From: s.from(r)}
	text, kind := "", store.Session
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		text, kind = strings.TrimSpace(bearer), store.Named
	} else if c, err := r.Cookie(s.cookie()); err == nil {
		text = c.Value
	}
	var err error
	if text != "" {
		var t store.Token
		t, err = s.Daemon.Store.Token(r.Context(), text, s.Daemon.Now(), kind)
		switch {
		case err == nil:
			p.Name, p.Role, p.Known = t.Name, t.Role, true
			return p, nil
		case !errors.Is(err, store.ErrNone):
			return p, err
		case kind == store.Named:
			p.Name = store.UnknownToken // an invalid token must not fall back to the local user
			return p, nil
		}
	}
	if s.open {
		p.Name, p.Role = store.LocalUser, store.View
	}
	return p, nil
}

// from is the client's address; behind a proxy, the address that the proxy reports. A
// proxy adds it as the last one, in the same header line or in one of its own.
func (s *Server) from(r *http.Request) string {
	if s.Proxied {
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if last := net.ParseIP(strings.TrimSpace(hops[len(hops)-1])); last != nil {
			return last.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
