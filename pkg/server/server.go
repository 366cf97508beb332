// Package server is the daemon's page and its API.
//
// Every route has a rule, which says what role it needs; one without a rule is
// forbidden to everybody. What changes something needs a token on this machine too.
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

	"github.com/gameday-dev/gameday/pkg/daemon"
	"github.com/gameday-dev/gameday/pkg/register"
	"github.com/gameday-dev/gameday/pkg/store"
)

// Bounds of what a client may ask of the server.
const (
	maxBody    = 1 << 20 // bytes
	maxHeader  = 64 << 10
	headerTime = 5 * time.Second
	readTime   = 30 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = 2 * time.Minute
)

// Config is how the server is reached, and by whom.
type Config struct {
	Listen  string      // host:port
	TLS     *tls.Config // nil where it is not
	Proxied bool        // a proxy in front of it does TLS, and says who asks
	Hosts   []string    // names that it answers to, beside those of Listen and of this machine
	Version string
}

// Server is the page and the API of a daemon.
type Server struct {
	Config
	Daemon *daemon.Daemon
	Log    *slog.Logger
	Runs   string // folder of the runs' folders
	// Known checks what a person asks for, and gives the environment that it means.
	Known func(what, environment string) (string, error)
	// Names are the scenarios and environments that there are.
	Names func() (scenarios, environments []string, err error)
	// Register reads what was decided about single points of failure.
	Register func() (register.Register, error)

	root  *os.Root                      // the runs' folders, out of which no name and no link leads
	files fs.FS                         // the same
	shelf shelf                         // what is known of the runs
	views map[string]*template.Template // the pages by name
	lasts context.Context               //nolint:containedctx // that of Serve, for what prometheus asks without one
	open  bool                          // whoever is on this machine may look on without a token
	rules map[string]store.Role
	mux   *http.ServeMux
}

//go:embed static
var static embed.FS

// loopback tells whether only this machine reaches an address.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// Check refuses what would be unsafe.
func (c Config) Check() error {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen %s: expected an address and a port, such as 127.0.0.1:8420", c.Listen)
	}
	if !loopback(c.Listen) && c.TLS == nil && !c.Proxied {
		return fmt.Errorf("--listen %s: other machines reach it, and tokens would travel in clear: give --tls-cert and --tls-key, or --behind-proxy where a proxy in front of it does TLS", c.Listen)
	}
	return nil
}

// Handler is all of the server. The folder of runs must be there. The caller closes the
// server once nothing is asked of the handler any more.
func (s *Server) Handler(ctx context.Context) (http.Handler, error) {
	s.lasts = ctx
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

// handle is the only way onto the server: with a rule.
func (s *Server) handle(pattern string, role store.Role, handler http.HandlerFunc) {
	s.rules[pattern] = role
	s.mux.HandleFunc(pattern, handler)
}

// safely answers only to its own names, and tells browsers what pages may do.
func (s *Server) safely(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !s.answersTo(r.Host) {
			// A name that somebody has made to lead here: DNS rebinding.
			http.Error(w, "gameday does not answer to this name: give it with --host", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// answersTo tells whether a Host header names this server.
func (s *Server) answersTo(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	name = strings.ToLower(strings.Trim(name, "[]"))
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() || name == "localhost" {
		return true
	}
	own, _, _ := net.SplitHostPort(s.Listen) // Check has looked at it
	if own != "" && name == strings.ToLower(own) {
		return true
	}
	if ip := net.ParseIP(name); ip != nil && !loopback(s.Listen) {
		return true // an address is nobody's name: it cannot be made to lead here
	}
	for _, h := range s.Hosts {
		if name == strings.ToLower(h) {
			return true
		}
	}
	return false
}

// Close lets go of what [Server.Handler] has opened.
func (s *Server) Close() error {
	return errors.Join(s.shelf.close(), s.root.Close())
}

// Serve serves until ctx ends. ready is told the address once it listens.
func (s *Server) Serve(ctx context.Context, ready func(address string)) (err error) {
	handler, err := s.Handler(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		Handler: handler, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTime, ReadTimeout: readTime,
		WriteTimeout: writeTime, IdleTimeout: idleTime, TLSConfig: s.TLS, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx }, // what streams ends with it
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
		_ = server.Close() // whoever still reads is cut off
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
