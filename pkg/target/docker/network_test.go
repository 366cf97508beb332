package docker_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/enginetest/rig"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

type gatewayed interface {
	Gateways(ctx context.Context) ([]netip.Addr, error)
}

// networkWith is a network that the engine inspects, with gateways.
func (e *fakeEngine) networkWith(id string, gateways ...string) {
	o := rig.Recorded().Network
	configs := []any{}
	for _, g := range gateways {
		configs = append(configs, rig.Object{"Gateway": g})
	}
	rig.At(o, "IPAM")["Config"], o["Id"] = configs, id
	e.Answer("GET /networks/"+id, http.StatusOK, text(o))
}

func TestGateways(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		networks []string
		asked    map[string][]string // networks that have to be asked, and their gateways
		want     string
	}{
		"one network":         {[]string{"a 172.19.0.2 172.19.0.1"}, nil, "172.19.0.1"},
		"both kinds":          {[]string{"a 172.19.0.2 172.19.0.1 fd00::2 fd00::1"}, nil, "172.19.0.1 fd00::1"},
		"two networks":        {[]string{"b 172.20.0.2 172.20.0.1", "a 172.19.0.2 172.19.0.1"}, nil, "172.19.0.1 172.20.0.1"},
		"one twice":           {[]string{"b 172.19.0.3 172.19.0.1", "a 172.19.0.2 172.19.0.1"}, nil, "172.19.0.1"},
		"an internal one":     {[]string{"a 172.19.0.2 -"}, map[string][]string{"a": {"172.19.0.1"}}, "172.19.0.1"},
		"internal, two kinds": {[]string{"a 172.19.0.2 -"}, map[string][]string{"a": {"172.19.0.1", "fd00::1"}}, "172.19.0.1 fd00::1"},
		"internal, without":   {[]string{"a 172.19.0.2 -"}, map[string][]string{"a": {""}}, ""},
		"internal and other":  {[]string{"a 172.19.0.2 -", "b 172.20.0.2 172.20.0.1"}, map[string][]string{"a": {"172.19.0.1"}}, "172.19.0.1 172.20.0.1"},
		"no network":          {nil, nil, ""},
		"none":                {[]string{"none"}, map[string][]string{"none": {}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.Add(rig.Box("db", rig.Networks(c.networks...)))
			for id, gateways := range c.asked {
				e.networkWith("id-of-"+id, gateways...)
			}
			all, err := opened[gatewayed](t, e.open(), "db").Gateways(t.Context())
			var got []string
			for _, a := range all {
				got = append(got, a.String())
			}
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%v %v, expected %s", got, err, c.want)
			}
		})
	}
}

func TestGatewaysThatCannotBeHad(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db", rig.Networks("a 172.19.0.2 -")))
	g := opened[gatewayed](t, e.open(), "db")
	e.Answer("GET /networks/id-of-a", http.StatusInternalServerError, `{"message":"datastore is locked"}`)
	if all, err := g.Gateways(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "look at the networks of container db: ") || !strings.Contains(err.Error(), "datastore is locked") {
		t.Errorf("%v %v", all, err)
	}
	e.Remove("db")
	if all, err := g.Gateways(t.Context()); !errors.Is(err, target.ErrGone) {
		t.Errorf("%v %v, expected that it is gone", all, err)
	}
}

// The traffic of a container that has joined the network of another has the addresses of
// that one, inside the fence or not.
func TestJoinedNetworks(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	joins := func(id string) rig.Edit { return rig.Set("container:"+id, "HostConfig", "NetworkMode") }
	e.Add(
		rig.Box("app", rig.Networks("a 172.19.0.2 - fd00::2")), rig.Box("proxy", rig.Networks(), joins("app")), rig.Box("meter", rig.Networks(), joins("proxy")),
		rig.Box("orphan", rig.Networks(), joins("moon")), rig.Box("round", rig.Networks(), joins("round")),
	)
	env := e.open()
	for name, want := range map[string]string{"app": "", "proxy": "172.19.0.2 fd00::2", "meter": "172.19.0.2 fd00::2", "orphan": "", "round": ""} {
		found, err := env.Find(t.Context(), target.Selector{Name: name})
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		c, err := opened[target.Handle](t, env, name).Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, joined := range [][]target.Network{found[0].Joined, c.Joined} {
			var got []string
			for _, n := range joined {
				got = append(got, n.Address.String())
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, expected %s", name, got, want)
			}
		}
	}
}

// Ports of the host, once each.
func TestPublishedPorts(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Add(rig.Box("db", rig.Set(rig.Object{
		"5432/tcp": []any{rig.Object{"HostIp": "0.0.0.0", "HostPort": "15432"}, rig.Object{"HostIp": "::", "HostPort": "15432"}}, "80/tcp": []any{rig.Object{"HostPort": "8080"}}, "81/tcp": nil,
	}, "NetworkSettings", "Ports")))
	c, err := opened[target.Handle](t, e.open(), "db").Look(t.Context())
	if diff := cmp.Diff([]uint16{8080, 15432}, c.Published); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// The engine is at 127.0.0.1 and a port: a container there, or one that publishes the
// port, is between gameday and the engine.
func TestLifeline(t *testing.T) {
	t.Parallel()
	publishes := func(host string, ports ...string) rig.Edit {
		bindings := []any{}
		for _, port := range ports {
			bindings = append(bindings, rig.Object{"HostIp": host, "HostPort": port})
		}
		return rig.Set(bindings, "NetworkSettings", "Ports", "2375/tcp")
	}
	for name, c := range map[string]struct {
		edits func(port string) []rig.Edit
		why   string
	}{
		"elsewhere":            {func(string) []rig.Edit { return []rig.Edit{rig.Networks("a 172.19.0.2")} }, ""},
		"no address":           {func(string) []rig.Edit { return []rig.Edit{rig.Networks("none")} }, ""},
		"at its address":       {func(string) []rig.Edit { return []rig.Edit{rig.Networks("a 127.0.0.1")} }, ", which is this container"},
		"at one of two":        {func(string) []rig.Edit { return []rig.Edit{rig.Networks("a 172.19.0.2", "b 127.0.0.1")} }, ", which is this container"},
		"publishes the port":   {func(port string) []rig.Edit { return []rig.Edit{publishes("0.0.0.0", port)} }, ", a port that this container publishes"},
		"publishes it as well": {func(port string) []rig.Edit { return []rig.Edit{publishes("127.0.0.1", "1", port)} }, ", a port that this container publishes"},
		"publishes another":    {func(string) []rig.Edit { return []rig.Edit{publishes("0.0.0.0", "1")} }, ""},
		"only exposes a port":  {func(string) []rig.Edit { return []rig.Edit{rig.Set(nil, "NetworkSettings", "Ports", "2375/tcp")} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			at, err := url.Parse(e.Host())
			if err != nil {
				t.Fatal(err)
			}
			e.Add(rig.Box("proxy", c.edits(at.Port())...))
			why, is, err := opened[target.Lifeline](t, e.open(), "proxy").Lifeline(t.Context())
			if want := "at " + at.Host + c.why; err != nil || is != (c.why != "") || is && why != want {
				t.Errorf("%t %q %v, expected %q", is, why, err, want)
			}
		})
	}
}

// No packet travels on a socket: no container is between gameday and the engine.
func TestLifelineOnASocket(t *testing.T) {
	t.Parallel()
	e := newFakeEngineOn(t, func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		_ = server.Listener.Close()
		var config net.ListenConfig
		listener, err := config.Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "docker.sock"))
		if err != nil {
			t.Fatal(err)
		}
		server.Listener = listener
		server.Start()
		return server
	})
	e.Add(rig.Box("proxy", rig.Networks("a 127.0.0.1")))
	if why, is, err := opened[target.Lifeline](t, e.open(), "proxy").Lifeline(t.Context()); is || err != nil {
		t.Errorf("%q %v", why, err)
	}
}

// knows makes the engine list networks by name, as it does: it takes a name for a part
// of one.
func (e *fakeEngine) knows(networks ...rig.Object) {
	e.Handle("GET /networks", func(w http.ResponseWriter, r *http.Request) {
		var filters struct{ Name, Label map[string]bool }
		decode(e.tb, r.URL.Query().Get("filters"), &filters)
		found := []string{}
		for _, n := range networks {
			matches := true
			for label := range filters.Label {
				matches = matches && rig.Labelled(rig.At(n, "Labels"), label)
			}
			for name := range filters.Name {
				matches = matches && strings.Contains(n["Name"].(string), name)
			}
			if matches {
				found = append(found, text(n))
			}
		}
		rig.Reply(w, http.StatusOK, "["+strings.Join(found, ",")+"]")
	})
}

// TestWorkersNetwork looks up the network on which a load worker starts.
func TestWorkersNetwork(t *testing.T) {
	t.Parallel()
	network := func(id, name, project, inCompose string) rig.Object {
		o := rig.Recorded().Network
		o["Id"], o["Name"], o["Labels"] = id, name, rig.Object{"com.docker.compose.project": project, "com.docker.compose.network": inCompose}
		return o
	}
	all := []rig.Object{
		network("1", "bank_back", "bank", "back"), network("2", "shop_back", "shop", "back"), network("3", "shop_front", "shop", "front"),
		network("4", "back-office", "", ""), network("5", "back", "", ""),
	}
	byName := func(e *fakeEngine) { // the engine finds a network by its name, whatever its labels
		for _, n := range all {
			e.Answer("GET /networks/"+n["Name"].(string), http.StatusOK, text(n))
		}
		e.Answer("GET /networks/moon", http.StatusNotFound, `{"message":"network moon not found"}`)
	}
	for name, c := range map[string]struct {
		options func(*opening)
		network string
		want    string
		says    string // in the error, if there is one
	}{
		"as in the compose file":     {nil, "back", "2", ""},
		"another":                    {nil, "front", "3", ""},
		"as the engine names it":     {nil, "shop_front", "3", ""},
		"one that is not compose's":  {nil, "back-office", "4", ""},
		"none":                       {nil, "moon", "", "there is no network moon for the users inside, neither of compose project shop nor of that name"},
		"without compose":            {behind("team=shop"), "back", "5", ""},
		"without compose, by a part": {behind("team=shop"), "office", "", "there is no network office for the users inside"},
		"without compose, none":      {behind("team=shop"), "moon", "", "there is no network moon for the users inside"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newFakeEngine(t)
			e.knows(all...)
			byName(e)
			options := func(*opening) {}
			if c.options != nil {
				options = c.options
			}
			got, err := docker.NetworkID(t.Context(), e.open(options), c.network)
			if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.HasPrefix(err.Error(), c.says) {
				t.Errorf("%q %v, expected %q, %q", got, err, c.want, c.says)
			}
		})
	}
}

// A worker whose network is not there is not started: nothing is left behind.
func TestWorkerWithoutANetwork(t *testing.T) {
	t.Parallel()
	e := newFakeEngine(t)
	e.Answer("GET /networks", http.StatusOK, `[]`)
	e.Answer("GET /networks/moon", http.StatusNotFound, `{"message":"network moon not found"}`)
	env := e.open()
	if _, err := env.StartWorker(t.Context(), "moon"); err == nil || !strings.Contains(err.Error(), "there is no network moon") {
		t.Error(err)
	}
	e.Answer("GET /networks", http.StatusInternalServerError, `{"message":"datastore is locked"}`)
	if _, err := env.StartWorker(t.Context(), "moon"); err == nil || !strings.HasPrefix(err.Error(), "look for network moon: ") || !strings.Contains(err.Error(), "datastore is locked") {
		t.Error(err)
	}
	if n := len(e.Questions("POST", "/containers/create")); n != 0 {
		t.Errorf("%d containers were created", n)
	}
}

func TestGoArch(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, machine := range []string{"x86_64", "aarch64", "amd64", "arm64", "riscv64"} {
		got[machine] = docker.GoArch(machine)
	}
	want := map[string]string{"x86_64": "amd64", "aarch64": "arm64", "amd64": "amd64", "arm64": "arm64", "riscv64": "riscv64"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
