package main_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
)

// outward is an address of this machine for which proxies would be used: not a loopback one.
func outward(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	for _, a := range all {
		if p, parseErr := netip.ParsePrefix(a.String()); parseErr == nil && p.Addr().Is4() && p.Addr().IsGlobalUnicast() {
			return p.Addr().String()
		}
	}
	t.Fatalf("this machine has no address but loopback: %v", err)
	return ""
}

// serverAt is a server at an address.
func serverAt(t *testing.T, address string, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	_ = s.Listener.Close()
	s.Listener = listener
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// What is asked inside an environment is asked directly, whatever HTTP_PROXY says: roles,
// journeys, look-ups of writes. Stop conditions ask outside, where a proxy may be the only
// way (case 80).
func TestNoProxyInsideAnEnvironment(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var direct, proxied []string
	note := func(to *[]string, what string) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(*to, what) {
			*to = append(*to, what)
		}
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { note(&proxied, r.URL.Path) }))
	t.Cleanup(proxy.Close)
	address := outward(t)
	var n atomic.Int64
	shop := serverAt(t, address, func(w http.ResponseWriter, r *http.Request) {
		note(&direct, strings.TrimRight(r.URL.Path, "0123456789"))
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
			_ = json.NewEncoder(w).Encode(map[string]any{"id": strconv.FormatInt(n.Add(1), 10)})
		}
	})
	port := netip.MustParseAddrPort(shop.Listener.Addr().String()).Port()
	r := newRigged(t, rig.Box("db-1", rig.Service("db"), rig.Networks("back "+address)))
	r.entry = shop.URL
	r.environment(fmt.Sprintf(", roles: {primary: {http: {port: %d, path: /role}}}", port))
	r.write("journeys/checkout.yaml", "version: 1\nname: checkout\nsteps: [{name: order, post: /orders, json: {item: 1}, expect: {status: 201}, acknowledges: $.id}]\nconfirm: {get: '/look/{{.id}}', expect: {status: 200}}\n")
	r.scenario("kill: {target: {role: primary}}", ", rpo: 0s")
	r.append("scenarios/x.yaml", "abort_when: [{http_fails: {get: 'http://"+address+":1/outside', status: 200}, for: 20s}]\n")
	r.env = []string{"HTTP_PROXY=" + proxy.URL, "http_proxy=" + proxy.URL, "NO_PROXY=", "no_proxy="}
	out := r.gameday("run", "x")
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(direct)
	if out.code != 0 || !slices.Equal(direct, []string{"/look/", "/orders", "/role"}) || !slices.Equal(proxied, []string{"/outside"}) {
		t.Errorf("directly: %v, by the proxy: %v: %v", direct, proxied, out)
	}
	r.clean()
}

// orders is a shop that takes orders, remembers them by the text of their ids, and finds
// them again. odd changes how it looks one up: it reports whether it has answered.
func orders(t *testing.T, id func(n int64) string, odd func(w http.ResponseWriter, r *http.Request) bool) *httptest.Server {
	t.Helper()
	var n atomic.Int64
	var known sync.Map
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			given := id(n.Add(1))
			var text string
			if json.Unmarshal([]byte(given), &text) != nil {
				text = given // a number, as it is written
			}
			known.Store(text, true)
			w.WriteHeader(http.StatusCreated)
			_, _ = fmt.Fprintf(w, `{"id": %s}`, given)
		case odd != nil && odd(w, r):
		default:
			if _, ok := known.Load(strings.TrimPrefix(r.URL.Path, "/look/")); !ok {
				w.WriteHeader(http.StatusNotFound)
			}
		}
	}))
	t.Cleanup(shop.Close)
	return shop
}

// A system in which nothing is broken is never accused: whatever its ids look like, and
// however its look-ups fail, no write is called lost and nothing is proven (case 02; that no id at all counts no write, case 03, is in pkg/probe).
func TestAHealthySystemIsNotAccused(t *testing.T) {
	t.Parallel()
	counted := func(format string) func(int64) string {
		return func(n int64) string { return fmt.Sprintf(format, n) }
	}
	always := func(text string) func(int64) string { return func(int64) string { return text } }
	answer := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(status); return true }
	}
	var looked atomic.Int64
	var rows sync.WaitGroup
	defer rows.Wait()
	for name, c := range map[string]struct {
		id   func(n int64) string
		odd  func(http.ResponseWriter, *http.Request) bool
		code []int
	}{
		"numbers":             {counted("%d"), nil, []int{0}},
		"large numbers":       {counted("900719925474%07d"), nil, []int{0}},
		"beyond 64 bits":      {counted("98765432109876543210%06d"), nil, []int{0}},
		"texts":               {counted(`"o-%d"`), nil, []int{0}},
		"other alphabets":     {counted(`"№ %d é"`), nil, []int{0}},
		"slashes":             {counted(`"2026/%d"`), nil, []int{0}},
		"question marks":      {counted(`"a?b=%d&c#d%%25"`), nil, []int{0}},
		"floats":              {counted("%d.5"), nil, []int{0, 3}},
		"zero":                {always("0"), nil, []int{0, 3}},
		"true":                {always("true"), nil, []int{0, 3}},
		"a list":              {counted("[%d]"), nil, []int{0, 3}},
		"an object":           {counted(`{"n": %d}`), nil, []int{0, 3}},
		"looked up elsewhere": {counted("%d"), answer(http.StatusNotFound), []int{3}},
		"gone, they say":      {counted("%d"), answer(http.StatusGone), []int{3}},
		"not allowed":         {counted("%d"), answer(http.StatusUnauthorized), []int{3}},
		"forbidden":           {counted("%d"), answer(http.StatusForbidden), []int{3}},
		"too many questions":  {counted("%d"), answer(http.StatusTooManyRequests), []int{3}},
		"an error":            {counted("%d"), answer(http.StatusInternalServerError), []int{3}},
		"sent to another place": {counted("%d"), func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/login", http.StatusFound)
			return true
		}, []int{3}},
		"a token that expires": {counted("%d"), func(w http.ResponseWriter, _ *http.Request) bool {
			if looked.Add(1) > 40 {
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
			return false
		}, []int{0, 3}},
	} {
		r := newRigged(t, rig.Box("db-1", rig.Service("db")))
		r.entry = orders(t, c.id, c.odd).URL
		r.environment("")
		r.write("journeys/checkout.yaml", "version: 1\nname: checkout\nsteps: [{name: order, post: /orders, json: {item: 1}, expect: {status: 201}, acknowledges: $.id}]\nconfirm: {get: '/look/{{.id}}', expect: {status: 200}}\n")
		r.scenario("noop: {target: {service: db}}", ", rpo: 0s")
		rows.Go(func() { r.notAccused(name, c.code) })
	}
}

// ownDoubt is whether a run says that this machine was too busy to tell: it accuses nothing.
func ownDoubt(reason string, code int) bool {
	return code == 3 && (reason == "load-stalled" || reason == "rate-not-kept")
}

// notAccused runs x, and fails if it blames the system.
func (r *rigged) notAccused(name string, codes []int) {
	r.t.Helper()
	out := r.gameday("run", "x", "--json")
	var v verdict
	if err := json.Unmarshal([]byte(out.stdout), &v); err != nil || !slices.Contains(codes, out.code) && !ownDoubt(v.Reason, out.code) || v.Verdict == "proven" || v.Writes != nil && v.Writes.Lost > 0 {
		r.t.Errorf("%s: expected one of %v: %s %s %+v %v\n%s", name, codes, v.Verdict, v.Reason, v.Writes, out.code, out.stderr)
	}
	r.clean()
}

// Nor is it for what surrounds it: an engine with another clock, components that others
// restart, a fault where no user goes.
func TestOddSurroundingsAccuseNothing(t *testing.T) {
	t.Parallel()
	event := func(at int64) string {
		return fmt.Sprintf(`{"Type":"container","Action":"restart","Actor":{"ID":"db-1","Attributes":{"name":"db-1"}},"time":%d,"timeNano":%d000000000}`, at, at)
	}
	var rows sync.WaitGroup
	defer rows.Wait()
	for name, c := range map[string]struct {
		fault   string
		arrange func(r *rigged)
	}{
		"an engine years ago": {"noop", func(r *rigged) { r.events(event(1)) }},
		"an engine to come":   {"noop", func(r *rigged) { r.events(event(4_000_000_000)) }},
		"started tomorrow": {"noop", func(r *rigged) {
			r.engine.Add(rig.Box("new-1", rig.Service("new"), rig.Set("2099-01-01T00:00:00Z", "State", "StartedAt")))
		}},
		"killed, where no user goes":  {"kill", func(*rigged) {}},
		"paused, where no user goes":  {"pause", func(*rigged) {}},
		"restarted by others":         {"noop", func(r *rigged) { r.others("restart") }},
		"paused, restarted by others": {"pause", func(r *rigged) { r.others("restart") }}, // case 12
		"put back by others":          {"kill", func(r *rigged) { r.others("start") }},
	} {
		r := newRigged(t, rig.Box("db-1", rig.Service("db")))
		r.scenario(c.fault+": {target: {service: db}}", "")
		c.arrange(r)
		rows.Go(func() {
			r.notAccused(name, []int{0, 3})
			if status := r.engine.Status("db-1"); status != "running" {
				t.Errorf("%s: left %s", name, status)
			}
		})
	}
}

// events has the engine tell of these, and of nothing else.
func (r *rigged) events(text string) {
	r.engine.Handle("GET /events", func(w http.ResponseWriter, request *http.Request) {
		_, _ = w.Write([]byte(text))
		_ = http.NewResponseController(w).Flush()
		<-request.Context().Done()
	})
}

// others give the database an order two seconds after the first helper has come, which is
// while the fault lasts.
func (r *rigged) others(order string) {
	ordered := make(chan struct{})
	go func() {
		defer close(ordered)
		for len(r.engine.Helpers()) == 0 {
			select {
			case <-r.t.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
		<-time.After(2500 * time.Millisecond)
		response, err := http.Post("http"+strings.TrimPrefix(r.engine.Host(), "tcp")+"/v1.41/containers/db-1/"+order, "application/json", nil) //nolint:noctx // another person's command
		if err == nil {
			_ = response.Body.Close()
		}
	}()
	r.t.Cleanup(func() { <-ordered })
}
