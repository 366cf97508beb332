package docker_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
)

// anywhere is a server at all loopback addresses (on Linux, all of 127/8), which
// answers by the address at which it is asked.
func anywhere(t *testing.T, answer func(at string, w http.ResponseWriter, r *http.Request)) over {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
		if !ok {
			t.Error("no address")
			return
		}
		answer(local.AddrPort().Addr().String(), w, r)
	}))
	_ = server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return over{Port: int(netip.MustParseAddrPort(listener.Addr().String()).Port()), Path: "/role"}
}

// A component on two networks is asked on both at once: on the first, no answer
// comes.
func TestRoleOnTwoNetworks(t *testing.T) {
	t.Parallel()
	check := anywhere(t, func(at string, _ http.ResponseWriter, r *http.Request) {
		if at == "127.0.0.2" {
			<-r.Context().Done()
		}
	})
	e := newFakeEngine(t)
	e.Add(rig.Box("n1", rig.Networks("a 127.0.0.2", "b 127.0.0.3")))
	found, err := e.open(roles(map[string]target.Role{"primary": {Ask: check.ask}})).Find(t.Context(), target.Selector{Role: "primary"})
	if err != nil || ids(found) != "n1" {
		t.Errorf("%q %v", ids(found), err)
	}
}

// Of several, those that answer as is asked hold the role, in the order of their
// names. A selector's other fields choose among the holders.
func TestRoleHolders(t *testing.T) {
	t.Parallel()
	check := anywhere(t, func(at string, w http.ResponseWriter, _ *http.Request) {
		if at == "127.0.0.3" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	e := newFakeEngine(t)
	e.Add(rig.Box("c", rig.Networks("a 127.0.0.2"), rig.With("gameday.zone=x")), rig.Box("b", rig.Networks("a 127.0.0.3")), rig.Box("a", rig.Networks("a 127.0.0.4"), rig.With("gameday.zone=y")))
	env := e.open(roles(map[string]target.Role{"primary": {Ask: check.ask}, "replica": {Ask: over{Port: check.Port, Path: "/", Status: http.StatusServiceUnavailable}.ask}}))
	for _, c := range []struct {
		selector target.Selector
		want     string
	}{
		{target.Selector{Role: "primary"}, "a c"},
		{target.Selector{Role: "replica"}, "b"},
		{target.Selector{Role: "primary", Zone: "x"}, "c"},
		{target.Selector{Role: "primary", Name: "b"}, ""},
	} {
		found, err := env.Find(t.Context(), c.selector)
		if err != nil || ids(found) != c.want {
			t.Errorf("%s: %q %v, expected %q", c.selector, ids(found), err, c.want)
		}
	}
}
