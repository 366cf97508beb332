package shop

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// nowhere is an address at which nobody listens.
func nowhere(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

// kept are sessions in memory, or an error of where they are kept.
type kept struct {
	tokens map[string]string
	err    error
}

func (k kept) open(_ context.Context, token, user string) error {
	k.tokens[token] = user
	return k.err
}

func (k kept) has(_ context.Context, token string) (bool, error) {
	_, ok := k.tokens[token]
	return ok, k.err
}

// closed is a shop whose database is away.
func closed(t *testing.T, s sessions) *Shop {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), "postgres://shop@"+nowhere(t)+"/shop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &Shop{config: Config{Secret: "key"}, pool: pool, sessions: s, ready: make(chan struct{})}
}

// ask asks the shop once.
func (s *Shop) ask(t *testing.T, method, path, token, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.routes().ServeHTTP(w, r)
	return w
}

// What needs no database is answered without one, and what does is an honest 503.
func TestAShopWithoutItsDatabase(t *testing.T) {
	t.Parallel()
	s := closed(t, signed{})
	token := s.sign("ada")
	for name, c := range map[string]struct {
		method, path, token, body string
		want                      int
	}{
		"alive":               {"GET", "/healthz", "", "", http.StatusOK},
		"not ready":           {"GET", "/readyz", "", "", http.StatusServiceUnavailable},
		"login":               {"POST", "/login", "", `{"user": "ada", "password": "demo"}`, http.StatusOK},
		"wrong password":      {"POST", "/login", "", `{"user": "ada", "password": "x"}`, http.StatusUnauthorized},
		"no user":             {"POST", "/login", "", `{"password": "demo"}`, http.StatusBadRequest},
		"no JSON":             {"POST", "/login", "", `user=ada`, http.StatusBadRequest},
		"too great a login":   {"POST", "/login", "", `{"user": "` + strings.Repeat("a", 1<<17) + `"}`, http.StatusBadRequest},
		"products":            {"GET", "/products", "", "", http.StatusServiceUnavailable},
		"order":               {"POST", "/orders", token, `{"sku": "A1", "quantity": 1}`, http.StatusServiceUnavailable},
		"order, no token":     {"POST", "/orders", "", `{"sku": "A1", "quantity": 1}`, http.StatusUnauthorized},
		"order, false token":  {"POST", "/orders", token + "0", `{"sku": "A1", "quantity": 1}`, http.StatusUnauthorized},
		"order of nothing":    {"POST", "/orders", token, `{"sku": "A1"}`, http.StatusBadRequest},
		"order of less":       {"POST", "/orders", token, `{"sku": "A1", "quantity": -1}`, http.StatusBadRequest},
		"order of no JSON":    {"POST", "/orders", token, `sku=A1`, http.StatusBadRequest},
		"an order":            {"GET", "/orders/6f2a4cbb-52a4-4f1d-8f5c-4f1c9ad0a001", "", "", http.StatusServiceUnavailable},
		"no order can be it":  {"GET", "/orders/17", "", "", http.StatusNotFound},
		"nothing of the kind": {"GET", "/basket", "", "", http.StatusNotFound},
		"another method":      {"GET", "/login", "", "", http.StatusMethodNotAllowed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if w := s.ask(t, c.method, c.path, c.token, c.body); w.Code != c.want {
				t.Errorf("answered %d: %s, expected %d", w.Code, w.Body, c.want)
			}
		})
	}
}

// A session that is kept somewhere is asked for there; where that does not answer, it
// is no reason to send a customer away.
func TestSessionsThatAreKept(t *testing.T) {
	t.Parallel()
	k := kept{tokens: map[string]string{}}
	s := closed(t, k)
	const order = `{"sku": "A1", "quantity": 1}`
	if w := s.ask(t, "POST", "/orders", s.sign("ada"), order); w.Code != http.StatusUnauthorized {
		t.Errorf("without a session: %d", w.Code)
	}
	w := s.ask(t, "POST", "/login", "", `{"user": "ada", "password": "demo"}`)
	var got struct{ Token string }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || k.tokens[got.Token] != "ada" {
		t.Fatalf("%s: %v", w.Body, err)
	}
	if w := s.ask(t, "POST", "/orders", got.Token, order); w.Code != http.StatusServiceUnavailable { // of the database
		t.Errorf("with a session: %d", w.Code)
	}
	s.sessions = kept{tokens: map[string]string{}, err: errors.New("it is away")}
	if w := s.ask(t, "POST", "/login", "", `{"user": "ada", "password": "demo"}`); w.Code != http.StatusServiceUnavailable {
		t.Errorf("logged in where it is away: %d", w.Code)
	}
	if w := s.ask(t, "POST", "/orders", got.Token, order); w.Code != http.StatusServiceUnavailable {
		t.Errorf("ordered where it is away: %d", w.Code)
	}
}

// A token is its user's on every server with the same key, and nobody else's.
func TestTokens(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one, same, other := &Shop{config: Config{Secret: "key"}}, &Shop{config: Config{Secret: "key"}}, &Shop{config: Config{Secret: "another"}}
		user := rapid.String().Draw(t, "user")
		token := one.sign(user)
		bearing := func(token string) *http.Request {
			return &http.Request{Header: http.Header{"Authorization": {"Bearer " + token}}}
		}
		if got, as, ok := same.user(bearing(token)); !ok || got != user || as != token {
			t.Errorf("%q is %q (%v)", user, got, ok)
		}
		if _, _, ok := other.user(bearing(token)); ok {
			t.Errorf("%q is taken by a server with another key", user)
		}
		i := rapid.IntRange(0, len(token)-1).Draw(t, "place")
		forged := []byte(token)
		forged[i] ^= 1
		if _, _, ok := one.user(bearing(string(forged))); ok {
			t.Errorf("%s is taken for %s", forged, token)
		}
	})
}
