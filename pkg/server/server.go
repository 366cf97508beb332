// Package server is the web page and the API of gameday serve.
//
// Every route has a rule: the role that it requires. A route without a rule is always
// forbidden. Requests that change something require a token even on this machine.
package server

import (
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/record"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/run"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Limits for requests.
const (
	maxBody    = 64 << 10 // bytes
	maxHeader  = 64 << 10
	headerTime = 5 * time.Second
	readTime   = 30 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = 2 * time.Minute
	// maxConns leaves file descriptors for the runs: without them, faults could not be undone.
	maxConns = 1000
)

// Config says how clients reach the server.
type Config struct {
	Listen  string      // host:port
	TLS     *tls.Config // nil for plain HTTP
	Proxied bool        // a proxy in front of the server terminates TLS and reports client addresses
	Hosts   []string    // host names that the server accepts, besides that of Listen and loopback names
	Version string
}

// Server is the page and the API of a daemon.
type Server struct {
	Config
	Daemon *daemon.Daemon
	Log    *slog.Logger
	Runs   string // the folder that holds the runs' folders
	// Known checks that a scenario and an environment exist, and returns the environment
	// to run in.
	Known func(what, environment string) (string, error)
	// Environment checks that there is an environment of a name.
	Environment func(name string) error
	// Names lists all scenarios and environments.
	Names func() (scenarios, environments []string, err error)
	// Note writes a note into the folder of a run, without secrets.
	Note func(dir string, n run.Note) (record.Event, error)
	// Register reads the register of single points of failure.
	Register func() (register.Register, error)

	root  *os.Root                      // the runs' folders; no path and no link leads out of it
	files fs.FS                         // the same
	shelf shelf                         // what is known of the runs
	views map[string]*template.Template // the pages by name
	lasts context.Context               //nolint:containedctx // the context of Serve: a scrape has none
	open  bool                          // clients on this machine may view without a token
	rules map[string]store.Role
	mux   *http.ServeMux
	port  string // on which the server listens

	strangers  crowd // requests without a valid token that could have changed something
	refusals   crowd // other refused requests
	complaints complaints
	streams    streams
}

//go:embed static
var static embed.FS

// loopback reports whether an address is reachable from this machine only.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// Check refuses unsafe configurations.
func (c Config) Check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen %s: expected an address and a port, such as 127.0.0.1:8420", c.Listen)
	}
	if !loopback(c.Listen) && c.TLS == nil && !c.Proxied {
		return fmt.Errorf("--listen %s: other machines can reach this address, and tokens would be sent unencrypted: set --tls-cert and --tls-key, or set --behind-proxy if a proxy terminates TLS", c.Listen)
	}
	return nil
}

// Handler is the whole server. The folder of runs must exist. The caller closes the
// server when the handler is no longer used.
func (s *Server) Handler(ctx context.Context) (http.Handler, error) {
	s.lasts = ctx
	if s.port == "" {
		_, s.port, _ = net.SplitHostPort(s.Listen) // checked by Check
	}
	s.strangers.name, s.strangers.first = store.UnknownClients, 1
	s.refusals.name, s.refusals.first = store.SeveralClients, 30
	root, err := os.OpenRoot(s.Runs)
	if err != nil {
		return nil, fmt.Errorf("open the folder of runs: %w", err)
	}
	if s.views, err = views(s.Daemon.Now); err != nil {
		return nil, errors.Join(fmt.Errorf("read the pages: %w", err), root.Close())
	}
	s.root, s.files, s.shelf.dir = root, root.FS(), s.Runs
	s.open = loopback(s.Listen) && !s.Proxied
	s.mux, s.rules = http.NewServeMux(), map[string]store.Role{}
	for _, r := range s.pages() {
		s.handle(r.pattern, r.role, r.handle)
	}
	s.api()
	protection := http.NewCrossOriginProtection()
	return s.safely(http.MaxBytesHandler(s.allowed(protection.Handler(s.mux)), maxBody)), nil
}

// handle adds a route with its rule. Every route is added here or by [route].
func (s *Server) handle(pattern string, role store.Role, handler http.HandlerFunc) {
	s.rules[pattern] = role
	s.mux.HandleFunc(pattern, handler)
}

// safely refuses requests for other host names, and sets the security headers.
func (s *Server) safely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !s.answersTo(r.Host) {
			// An unknown name that resolves to this server: DNS rebinding.
			http.Error(w, "unknown host name: to allow it, start gameday serve with --host", http.StatusMisdirectedRequest)
			return
		}
		if embedded(r) {
			http.Error(w, "forbidden: another site's page may only link to this one", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// embedded reports whether the page of another site, or of another port, fetches a page or
// a stream with the browser of a person who may view it.
func embedded(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	read := r.Method == http.MethodGet || r.Method == http.MethodHead // net/http checks the others
	return read && (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate"
}

// answersTo reports whether a Host header names this server.
func (s *Server) answersTo(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() || name == "localhost" {
		return true
	}
	own, _, _ := net.SplitHostPort(s.Listen) // checked by Check
	if own != "" && name == strings.ToLower(own) {
		return true
	}
	if ip := net.ParseIP(name); ip != nil && !loopback(s.Listen) {
		return true // an IP address is safe: DNS rebinding needs a name
	}
	for _, h := range s.Hosts {
		if name == strings.ToLower(h) {
			return true
		}
	}
	return false
}

// Close closes what [Server.Handler] has opened.
func (s *Server) Close() error {
	s.strangers.end(s.enterCounted)
	s.refusals.end(s.enterCounted)
	return errors.Join(s.shelf.close(), s.root.Close())
}

// Serve serves until ctx ends. It calls ready with the address once it listens.
func (s *Server) Serve(ctx context.Context, ready func(address string)) (err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer listener.Close() // the HTTP server does, once it serves
	if _, s.port, err = net.SplitHostPort(listener.Addr().String()); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	handler, err := s.Handler(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	listener = netutil.LimitListener(listener, maxConns)
	server := &http.Server{
		Handler: handler, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTime, ReadTimeout: readTime,
		WriteTimeout: writeTime, IdleTimeout: idleTime, TLSConfig: s.TLS, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx }, // streams end with it
	}
	ready(listener.Addr().String())
	served := make(chan error, 1)
	go func() {
		if s.TLS != nil {
			served <- server.ServeTLS(listener, "", "")
			return
		}
		served <- server.Serve(listener)
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(closing); err != nil {
		_ = server.Close() // disconnect the remaining clients
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
