package journeyfrom_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// password is what the shop's only user has.
const password = "correct-Horse-77"

// shop is a shop as a browser sees it: a form with a hidden token for the login, a cookie,
// redirects, an API of JSON with a token of its own, assets.
type shop struct {
	*httptest.Server
	mu       sync.Mutex
	sessions map[string]string // cookie → CSRF token of its forms, "" once it is used
	users    map[string]bool   // cookies that are logged in
	tokens   map[string]bool   // of the API
	orders   map[string]string // by number: of the cookie
	refused  []string          // requests that were not as they should be
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{sessions: map[string]string{}, users: map[string]bool{}, tokens: map[string]bool{}, orders: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/login?next=%2Fcart", http.StatusFound)
	})
	mux.HandleFunc("GET /login", s.form)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("GET /welcome", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/cart", http.StatusSeeOther) })
	mux.HandleFunc("GET /cart", s.cart)
	mux.HandleFunc("POST /api/token", s.token)
	mux.HandleFunc("POST /api/orders", s.order)
	mux.HandleFunc("GET /api/orders/{id}", s.look)
	mux.HandleFunc("POST /checkout", s.checkout)
	mux.HandleFunc("GET /orders/{id}", s.look)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, "body{color:#123}")
	})
	mux.HandleFunc("GET /shop.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, script)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// script buys over the API, as a page does.
const script = `
async function buy() {
  const csrf = document.querySelector('meta[name=csrf-token]').content;
  const made = await (await fetch('/api/token', {method: 'POST', headers: {'X-CSRF-Token': csrf}})).json();
  const order = await (await fetch('/api/orders', {method: 'POST', body: JSON.stringify({lines: [{sku: 'blue-mug', quantity: 2}]}),
    headers: {'Content-Type': 'application/json', Authorization: 'Bearer ' + made.access_token}})).json();
  const found = await (await fetch('/api/orders/' + order.order.id, {headers: {Authorization: 'Bearer ' + made.access_token}})).json();
  document.querySelector('#bought').textContent = found.id;
  document.body.dataset.bought = 1;
}`

func (s *shop) session(r *http.Request) string {
	c, err := r.Cookie("shop_session")
	if err != nil {
		return ""
	}
	return c.Value
}

func (s *shop) refuse(w http.ResponseWriter, r *http.Request, code int, why string) {
	s.refused = append(s.refused, r.Method+" "+r.URL.Path+": "+why)
	http.Error(w, why, code)
}

func (s *shop) form(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, token := rand.Text(), rand.Text()+"+\\"
	s.sessions[id] = token
	http.SetCookie(w, &http.Cookie{Name: "shop_session", Value: id, Path: "/", HttpOnly: true})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!doctype html><title>Log in – Shop</title><link rel="stylesheet" href="/style.css"><link rel="icon" href="data:,">
<form method="get" action="/search"><input type="hidden" name="csrf_token" value="search"></form>
<form method="post" action="/login"><input type="hidden" name="csrf_token" value="%s"><input type="hidden" name="action" value="login">
<input name="email"><input name="password" type="password"><button id="go">Log in</button></form>`, token)
}

func (s *shop) login(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.session(r)
	token := s.sessions[id]
	switch {
	case token == "" || r.PostFormValue("csrf_token") != token:
		s.refuse(w, r, http.StatusForbidden, "the token of the form is not that of the session")
	case r.PostFormValue("email") != "ann@shop.example" || r.PostFormValue("password") != password || r.PostFormValue("action") != "login":
		s.refuse(w, r, http.StatusUnauthorized, "wrong user or password")
	default:
		fresh := rand.Text() // a session gets another ID when its user logs in
		s.users[fresh], s.sessions[fresh], s.sessions[id] = true, rand.Text(), ""
		http.SetCookie(w, &http.Cookie{Name: "shop_session", Value: fresh, Path: "/", HttpOnly: true})
		http.Redirect(w, r, "/welcome", http.StatusFound)
	}
}

func (s *shop) cart(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.users[s.session(r)] {
		s.refuse(w, r, http.StatusUnauthorized, "not logged in")
		return
	}
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, `<!doctype html><title>Your cart</title><meta name="csrf-token" content="%s"><script src="/shop.js"></script><link rel="icon" href="data:,">
<p id="bought"></p><button id="buy" onclick="buy()">Buy</button>
<form method="post" action="/checkout"><input type="hidden" name="nonce" value="%[1]s"><input type="hidden" name="sku" value="blue-mug"><button id="checkout">Check out</button></form>`, s.sessions[s.session(r)])
}

func (s *shop) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.session(r); !s.users[id] || r.Header.Get("X-CSRF-Token") != s.sessions[id] {
		s.refuse(w, r, http.StatusForbidden, "the token of the page is not that of the session")
		return
	}
	token := rand.Text() + rand.Text()
	s.tokens["Bearer "+token] = true
	answer(w, http.StatusOK, map[string]any{"access_token": token, "expires_in": 3600})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func (s *shop) number(r *http.Request) string {
	id := strconv.Itoa(70_000 + len(s.orders))
	s.orders[id] = s.session(r)
	return id
}

func (s *shop) order(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tokens[r.Header.Get("Authorization")] || r.Header.Get("Content-Type") != "application/json" {
		s.refuse(w, r, http.StatusUnauthorized, "no token")
		return
	}
	id, _ := strconv.Atoi(s.number(r))
	answer(w, http.StatusCreated, map[string]any{"order": map[string]any{"id": id}})
}

func (s *shop) checkout(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.session(r); !s.users[id] || r.PostFormValue("nonce") != s.sessions[id] || r.PostFormValue("sku") != "blue-mug" {
		s.refuse(w, r, http.StatusForbidden, "the token of the form is not that of the session")
		return
	}
	http.Redirect(w, r, "/orders/"+s.number(r), http.StatusSeeOther)
}

func (s *shop) look(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner := s.orders[r.PathValue("id")]
	switch {
	case owner == "":
		s.refuse(w, r, http.StatusNotFound, "no such order")
	case !s.users[s.session(r)] || owner != s.session(r):
		s.refuse(w, r, http.StatusForbidden, "the order of another user")
	case r.URL.Path[:5] == "/api/":
		answer(w, http.StatusOK, map[string]any{"id": r.PathValue("id"), "paid": false})
	default:
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>Order %s</title><link rel="icon" href="data:,"><p id="done">Thank you</p>`, r.PathValue("id"))
	}
}

// secrets are all that must not stand in a journey.
func (s *shop) secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []string{password}
	for id, token := range s.sessions {
		all = append(all, id, token)
	}
	for token := range s.tokens {
		all = append(all, strings.TrimPrefix(token, "Bearer "))
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}
