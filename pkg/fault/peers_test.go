package fault_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// on is an attachment to a network.
func on(name, address, mac string) target.Network {
	n := target.Network{Name: name, MAC: mac}
	if address != "" {
		n.Address = netip.MustParseAddr(address)
	}
	return n
}

// A fault about peers meets all of their addresses: of every network and of both families,
// the link-local ones, those of the network that they have joined, and those that only the
// component's own neighbors show.
func TestInMemoryAllAddressesOfAPeer(t *testing.T) {
	t.Parallel()
	const mac, other = "02:42:ac:13:00:03", "02:42:ac:13:00:09"
	for name, c := range map[string]struct {
		peer      target.Component
		neighbors []helper.Neighbor
		want      string
	}{
		"IPv4":            {target.Component{Networks: []target.Network{on("n", "10.0.0.3", "")}}, nil, "10.0.0.3"},
		"IPv6 alone":      {target.Component{Networks: []target.Network{on("n", "fd00::3", "")}}, nil, "fd00::3"},
		"both":            {target.Component{Networks: []target.Network{on("n", "10.0.0.3", mac), on("n", "fd00::3", mac)}}, nil, "10.0.0.3 fd00::3 fe80::42:acff:fe13:3"},
		"two networks":    {target.Component{Networks: []target.Network{on("m", "10.1.0.3", ""), on("n", "10.0.0.3", "")}}, nil, "10.0.0.3 10.1.0.3"},
		"a joined one":    {target.Component{Joined: []target.Network{on("n", "10.0.0.3", "")}}, nil, "10.0.0.3"},
		"a virtual one":   {target.Component{Networks: []target.Network{on("n", "10.0.0.3", mac)}}, []helper.Neighbor{{Address: netip.MustParseAddr("10.0.0.100"), MAC: strings.ToUpper(mac)}}, "10.0.0.3 10.0.0.100 fe80::42:acff:fe13:3"},
		"one of another":  {target.Component{Networks: []target.Network{on("n", "10.0.0.3", mac)}}, []helper.Neighbor{{Address: netip.MustParseAddr("10.0.0.100"), MAC: other}}, "10.0.0.3 fe80::42:acff:fe13:3"},
		"no hardware one": {target.Component{Networks: []target.Network{on("n", "10.0.0.3", "")}}, []helper.Neighbor{{Address: netip.MustParseAddr("10.0.0.100")}}, "10.0.0.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			c.peer.ID, c.peer.Name, c.peer.Service, c.peer.State = "app-1", "app-1", "app", target.Running
			w.others, w.neighbors = []target.Component{c.peer}, c.neighbors
			begin(t, w, "partition", `{"from": {"service": "app"}, "direction": "in"}`)
			for _, work := range w.inForce {
				var got []string
				for _, p := range workOf[helper.Packets](work, "packets").Rules[0].Peers {
					got = append(got, p.Addr().String())
				}
				slices.Sort(got)
				want := strings.Fields(c.want)
				slices.Sort(want)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// Peers whose packets the fault would not meet are refused, by name.
func TestInMemoryPeersThatCannotBeMet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peers []target.Component
		from  string
		want  string
	}{
		"on the host": {
			[]target.Component{peer("app-2", "10.0.0.4"), {ID: "app-1", Name: "app-1", Service: "app", State: target.Running, Networks: []target.Network{on("host", "", "")}}},
			`{"service": "app"}`, "app-1 uses the network of its host and has no address of its own",
		},
		"on no network": {
			[]target.Component{{ID: "app-1", Name: "app-1", Service: "app", State: target.Running, Networks: []target.Network{on("none", "", "")}}},
			`{"service": "app"}`, "app-1 has no address on any network",
		},
		"stopped":    {[]target.Component{{ID: "app-1", Name: "app-1", Service: "app", State: target.Stopped}}, `{"service": "app"}`, ""},
		"the target": {nil, `{"service": "db"}`, "only db-1 itself matches service db"},
		"a sidecar of the target": {
			[]target.Component{{ID: "app-1", Name: "app-1", Service: "app", State: target.Running, Joined: []target.Network{on("n", "10.0.0.2", "")}}},
			`{"service": "app"}`, "share one network stack",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.others = c.peers
			for _, kind := range []struct{ name, spec string }{{"partition", `{"from": ` + c.from + `}`}, {"delay", `{"by": 5, "peer": ` + c.from + `}`}} {
				_, err := made(t, kind.name, kind.spec).Prepare(t.Context(), w.open(t))
				if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
					t.Errorf("%s: %v, expected %q", kind.name, err, c.want)
				}
			}
		})
	}
}

// A component is no peer of itself, though a selector means it as well.
func TestInMemoryNoPeerOfItself(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.others[0].Service = "db"
	if got := begin(t, w, "partition", `{"from": {"service": "db"}}`).told(); strings.Contains(got, "10.0.0.2/32") || !strings.Contains(got, "10.0.0.3/32") {
		t.Error(got)
	}
}

// A plan names the ways between a component and its peers that a fault does not meet, and
// what its own check does not see.
func TestInMemoryRemarks(t *testing.T) {
	t.Parallel()
	const seen = "checked from inside db-1, by the rules in force and the packets they meet; not checked from any other component"
	app := peer("app-1", "10.0.0.3")
	with := func(change func(c *target.Component)) target.Component {
		c := app
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		kind, spec string
		peers      []target.Component
		want       []string
	}{
		"no peers":     {"isolate", `{}`, nil, []string{seen}},
		"the probe":    {"isolate", `{"keep_probe": true}`, nil, []string{seen, "not met: packets from and to the host, also by way of ports that it publishes (keep_probe)"}},
		"not of peers": {"bandwidth", `{"rate": "1mbit"}`, nil, []string{seen}},
		"no network":   {"fill", `{"path": "/d"}`, nil, nil},
		"peers":        {"partition", `{"from": {"service": "app"}}`, []target.Component{app}, []string{seen}},
		"a published port": {
			"partition", `{"from": {"service": "app"}}`,
			[]target.Component{with(func(c *target.Component) { c.Published = []uint16{80, 443} })},
			[]string{seen, "not met: packets by way of a port that the host publishes for app-1 (80 443), as they have the address of the host"},
		},
		"another network": {
			"drop", `{"peer": {"service": "app"}}`,
			[]target.Component{with(func(c *target.Component) { c.Networks = []target.Network{on("m", "10.1.0.3", "")} })},
			[]string{seen, "no network in common with app-1: only packets that a router forwards can be met"},
		},
		"stopped": {
			"delay", `{"by": 5, "peer": {"service": "app"}}`,
			[]target.Component{with(func(c *target.Component) { c.State, c.Networks = target.Stopped, nil })},
			[]string{seen, "not running now, met once started: app-1"},
		},
		"joined": {
			"reject", `{"peer": {"service": "app"}}`,
			[]target.Component{with(func(c *target.Component) { c.Joined, c.Networks = c.Networks, nil })},
			[]string{seen, "met too: packets of the components with which app-1 shares a network stack"},
		},
		"a sidecar of the target, and another": {
			"drop", `{"peer": {"service": "app"}}`,
			[]target.Component{
				app, with(func(c *target.Component) {
					c.ID, c.Name, c.Joined, c.Networks = "app-2", "app-2", []target.Network{on("n", "10.0.0.2", "")}, nil
				}),
			},
			[]string{seen, "not met: packets to app-2, which shares the network stack of the target"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.others = c.peers
			f, h := made(t, c.kind, c.spec), w.open(t)
			was, err := f.Prepare(t.Context(), h)
			if err != nil {
				t.Fatal(err)
			}
			remarking, ok := f.(fault.Remarking)
			if !ok {
				t.Fatal("it says nothing")
			}
			got, err := remarking.Remarks(t.Context(), h, was)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

// A file that is already as the fault would leave it is refused.
func TestInMemoryAFileThatWouldNotChange(t *testing.T) {
	t.Parallel()
	for spec, refused := range map[string]bool{
		`{"path": "/etc/cert.pem", "do": "replace", "content": "certificate"}`: true,
		`{"path": "/etc/cert.pem", "do": "replace", "content": "other"}`:       false,
		`{"path": "/etc/cert.pem", "do": "chmod", "mode": "0640"}`:             true,
		`{"path": "/etc/cert.pem", "do": "chmod", "mode": "0600"}`:             false,
		`{"path": "/etc/empty", "do": "corrupt"}`:                              true,
		`{"path": "/etc/cert.pem", "do": "corrupt"}`:                           false,
	} {
		w := newWorld()
		w.files["/etc/empty"] = helper.FileSeen{Exists: true}
		_, err := made(t, "file", spec).Prepare(t.Context(), w.open(t))
		if refused != (err != nil) || refused && !strings.Contains(err.Error(), "would change nothing") {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
