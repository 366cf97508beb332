// Package shop is the application of the labs: a small shop on PostgreSQL. A failed query
// is a 503, the shop reconnects to a lost database, and it acknowledges an order only
// after the commit.
package shop

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Config is the shop's configuration.
type Config struct {
	Listen   string // address to listen on
	Database string // PostgreSQL connection string
	Secret   string // signing key of session tokens, the same on every server
	Sessions string // the store of sessions; see newSessions
	Pay      string // the payment provider's addresses; see newPayments
	Routes   string // routes to add before serving; see route
}

// queryTimeout is the timeout of a query and of a connection attempt.
const queryTimeout = 1500 * time.Millisecond

// poolSize is the number of open connections of a server.
const poolSize = 6

// connectionLife is the minimum lifetime of a connection.
const connectionLife = 10 * time.Second

const schema = `
CREATE TABLE IF NOT EXISTS products (sku text PRIMARY KEY, name text NOT NULL, cents int NOT NULL);
CREATE TABLE IF NOT EXISTS orders (id uuid DEFAULT gen_random_uuid() PRIMARY KEY,
	customer text NOT NULL, sku text NOT NULL REFERENCES products, quantity int NOT NULL, at timestamptz NOT NULL DEFAULT now());
INSERT INTO products VALUES ('A1', 'Anvil', 4999), ('B2', 'Bellows', 1999), ('C3', 'Crucible', 2999) ON CONFLICT DO NOTHING;`

// Shop serves the API.
type Shop struct {
	config   Config
	pool     *pgxpool.Pool
	sessions sessions
	payments *payments
	ready    chan struct{} // closed when the tables exist
}

// Serve runs the shop until ctx ends.
func Serve(ctx context.Context, config Config) error {
	if err := route(config.Routes); err != nil {
		return err
	}
	sessions, err := newSessions(config.Sessions)
	if err != nil {
		return err
	}
	pooled, err := pgxpool.ParseConfig(config.Database)
	if err != nil {
		return fmt.Errorf("parse the database's address: %w", err)
	}
	// Keep all connections open: connecting is slow, and a burst of new connections
	// after a start looks like an outage.
	pooled.MaxConns, pooled.MinConns = poolSize, poolSize
	pooled.HealthCheckPeriod = 500 * time.Millisecond
	// Replace connections from time to time, so that they follow the database's DNS
	// name if the database moves.
	pooled.MaxConnLifetime, pooled.MaxConnLifetimeJitter = connectionLife, connectionLife/2
	pooled.ConnConfig.ConnectTimeout = queryTimeout
	pool, err := pgxpool.NewWithConfig(ctx, pooled)
	if err != nil {
		return fmt.Errorf("open the database: %w", err)
	}
	defer pool.Close()
	s := &Shop{config: config, pool: pool, sessions: sessions, payments: newPayments(config.Pay), ready: make(chan struct{})}
	go s.prepare(ctx)
	return serve(ctx, config.Listen, s.routes())
}

// serve serves until ctx ends, and all who were being served then.
func serve(ctx context.Context, listen string, handler http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(served)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // requests that still run are cut off
		}
	})
	err = server.Serve(listener)
	if !stop() {
		<-served // the process ends with this function, and not before its last answer
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// prepare creates the tables as soon as the database answers. If several servers start at
// once, the lock lets one of them go first.
func (s *Shop) prepare(ctx context.Context) {
	for {
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(7)"); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, schema)
			return err
		})
		if err == nil {
			close(s.ready)
			return
		}
		slog.Warn("no database yet", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (s *Shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.HandleFunc("GET /{$}", s.front)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /products", s.products)
	mux.HandleFunc("POST /orders", s.order)
	mux.HandleFunc("GET /orders/{id}", s.find)
	return mux
}

func (s *Shop) readyz(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.ready:
	default:
		fail(w, errors.New("the tables do not exist yet"))
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	err := s.pool.Ping(ctx)
	if err == nil {
		_, err = s.sessions.has(ctx, "") // an error if the store does not answer
	}
	if open := s.pool.Stat().TotalConns(); err == nil && open < poolSize {
		err = fmt.Errorf("%d of %d connections are open", open, poolSize)
	}
	if err != nil {
		fail(w, err)
	}
}

// login returns a token for the demo's password. It needs the session store, if there is
// one, but not the database.
func (s *Shop) login(w http.ResponseWriter, r *http.Request) {
	var who struct{ User, Password string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&who); err != nil || who.User == "" {
		http.Error(w, "expected user and password", http.StatusBadRequest)
		return
	}
	if who.Password != "demo" {
		http.Error(w, "wrong password", http.StatusUnauthorized)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	token := s.sign(who.User)
	if err := s.sessions.open(ctx, token, who.User); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"token": token})
}

func (s *Shop) sign(user string) string {
	mac := hmac.New(sha256.New, []byte(s.config.Secret))
	mac.Write([]byte(user))
	return hex.EncodeToString([]byte(user)) + "." + hex.EncodeToString(mac.Sum(nil))
}

// user is the user of a request's token.
func (s *Shop) user(r *http.Request) (user, token string, ok bool) {
	token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	encoded, _, _ := strings.Cut(token, ".")
	name, err := hex.DecodeString(encoded)
	return string(name), token, err == nil && hmac.Equal([]byte(token), []byte(s.sign(string(name))))
}

func (s *Shop) order(w http.ResponseWriter, r *http.Request) {
	user, token, ok := s.user(r)
	if !ok {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	var wanted struct {
		SKU      string
		Quantity int
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&wanted); err != nil || wanted.SKU == "" || wanted.Quantity < 1 {
		http.Error(w, "expected sku and quantity", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	if open, err := s.sessions.has(ctx, token); err != nil {
		fail(w, err)
		return
	} else if !open {
		http.Error(w, "log in again", http.StatusUnauthorized)
		return
	}
	// A random ID: after a failover the new primary could assign a sequence number
	// again, and a lost order would look like an existing one.
	id := uuid.NewString()
	err := s.payments.charge(ctx, id)
	if err == nil {
		_, err = s.pool.Exec(ctx, "INSERT INTO orders (id, customer, sku, quantity) VALUES ($1, $2, $3, $4)", id, user, wanted.SKU, wanted.Quantity)
	}
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusCreated, map[string]string{"id": id})
}

func (s *Shop) find(w http.ResponseWriter, r *http.Request) {
	var id pgtype.UUID
	if id.Scan(r.PathValue("id")) != nil {
		http.Error(w, "order not found", http.StatusNotFound) // not a UUID
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTimeout)
	defer cancel()
	var sku string
	var quantity int
	err := s.pool.QueryRow(ctx, "SELECT sku, quantity FROM orders WHERE id = $1", id).Scan(&sku, &quantity)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		http.Error(w, "order not found", http.StatusNotFound)
	case err != nil:
		fail(w, err)
	default:
		answer(w, http.StatusOK, map[string]any{"id": id.String(), "sku": sku, "quantity": quantity})
	}
}

// fail is the response if a dependency does not answer.
func fail(w http.ResponseWriter, err error) {
	slog.Warn("request failed", "error", err)
	http.Error(w, "a dependency does not answer", http.StatusServiceUnavailable)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}
