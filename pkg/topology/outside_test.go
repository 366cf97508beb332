package topology_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/topology"
)

var update = flag.Bool("update", false, "write the golden files anew")

// component is one with an address, by which its id is called too.
func component(name, address string) target.Component {
	return target.Component{
		ID: name, Name: "test_" + name + "_1", Service: name, State: target.Running,
		Networks: []target.Network{{Address: netip.MustParseAddr(address)}},
	}
}

// socket is "local", "local remote" or "local remote via", and "ended" at the end.
func socket(t *testing.T, text string) helper.Socket {
	t.Helper()
	text, ended := strings.CutSuffix(text, " ended")
	fields := strings.Fields(text)
	s := helper.Socket{Local: netip.MustParseAddrPort(fields[0]), Ended: ended}
	if len(fields) > 1 {
		s.Remote = netip.MustParseAddrPort(fields[1])
	}
	if len(fields) > 2 {
		s.Via = netip.MustParseAddr(fields[2])
	}
	return s
}

func sockets(t *testing.T, all ...string) []helper.Socket {
	t.Helper()
	var found []helper.Socket
	for _, text := range all {
		found = append(found, socket(t, text))
	}
	return found
}

// web is an environment whose app and nightly batch talk to the outside, the batch by
// way of a gateway.
func web(t *testing.T) topology.Map {
	t.Helper()
	components := []target.Component{component("lb", "198.18.0.2"), component("app", "198.18.0.3"), component("nat", "198.18.0.4"), component("batch", "198.18.0.5")}
	first := map[string][]helper.Socket{
		"lb":  sockets(t, "0.0.0.0:80", "198.18.0.2:80 192.0.2.1:50000", "198.18.0.2:40000 198.18.0.3:8080"),
		"app": sockets(t, "[::]:8080", "198.18.0.3:8080 198.18.0.2:40000", "198.18.0.3:41000 203.0.113.7:443", "198.18.0.3:41001 203.0.113.7:443", "198.18.0.3:41002 203.0.113.7:5432", "198.18.0.3:41003 [2001:db8::1]:443", "198.18.0.3:41004 203.0.113.9:443 ended"),
		"nat": nil,
		"batch": sockets(t, "198.18.0.5:42000 203.0.113.20:443 198.18.0.4", "198.18.0.5:42001 203.0.113.21:443 198.18.0.4", "198.18.0.5:42002 203.0.113.22:443 198.18.0.4",
			"198.18.0.5:42003 203.0.113.23:443 198.18.0.4", "198.18.0.5:42004 203.0.113.24:443 198.18.0.4", "198.18.0.5:42005 203.0.113.25:443 198.18.0.4", "198.18.0.5:42006 203.0.113.26:443 198.18.0.4"),
	}
	// The same connections, seen a second time: one has ended since.
	second := map[string][]helper.Socket{
		"app": sockets(t, "[::]:8080", "198.18.0.3:41000 203.0.113.7:443 ended", "198.18.0.3:41001 203.0.113.7:443", "198.18.0.3:41004 203.0.113.9:443 ended"),
	}
	return topology.Seen(components, first, second)
}

// Connections to addresses outside the fence are counted, each once, and are told beside
// the components: they are no single points of failure of the environment.
func TestTheOutsideIsCounted(t *testing.T) {
	t.Parallel()
	m := web(t)
	address := netip.MustParseAddr
	if len(m.Outside) != 2 {
		t.Fatalf("%+v", m.Outside)
	}
	want := topology.Outside{Component: "app", Reached: true, Connections: 4, Peers: []topology.Peer{
		{Address: address("203.0.113.7"), Ports: []uint16{443, 5432}, Connections: 3}, {Address: address("2001:db8::1"), Ports: []uint16{443}, Connections: 1},
	}}
	if diff := cmp.Diff(want, m.Outside[0], cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if o := m.Outside[1]; o.Component != "batch" || o.Via != "nat" || o.Reached || o.Connections != 7 || len(o.Peers) != 7 {
		t.Errorf("%+v", o)
	}
	if got := predicted(m); got != "app lb" {
		t.Errorf("predicted: %s", got)
	}
	var edges []string
	for _, e := range m.Edges {
		edges = append(edges, e.From+" "+e.To)
	}
	if diff := cmp.Diff([]string{"batch nat", "lb app", "users lb"}, edges); diff != "" {
		t.Error(diff)
	}
}

// An environment that keeps to itself is drawn as before.
func TestNothingOutside(t *testing.T) {
	t.Parallel()
	m := topology.Seen([]target.Component{component("lb", "198.18.0.2")}, map[string][]helper.Socket{
		"lb": sockets(t, "0.0.0.0:80", "198.18.0.2:80 192.0.2.1:50000"),
	})
	for name, format := range topology.Formats() {
		var out bytes.Buffer
		if err := format(&out, m, nil); err != nil || strings.Contains(out.String(), "outside") {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
	if data, err := json.Marshal(m); err != nil || bytes.Contains(data, []byte("outside")) {
		t.Errorf("%v %s", err, data)
	}
}

// What each format draws of a map, word for word.
func TestDrawings(t *testing.T) {
	t.Parallel()
	formats := topology.Formats()
	formats["json"] = func(w io.Writer, m topology.Map, _ map[string]topology.Mark) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	}
	all := drawn("lb lb a, a1 app a, a2 app b, db db a, <odd> x", "users lb, lb a1, lb a2, a1 db, a2 db, <odd> db declared")
	for name, c := range map[string]struct {
		m     topology.Map
		marks map[string]topology.Mark
	}{
		"outside": {web(t), nil},
		"marked":  {all, map[string]topology.Mark{"db": topology.Red, "a1": topology.Green, "a2": topology.Amber}},
	} {
		for format, draw := range formats {
			var out bytes.Buffer
			if err := draw(&out, c.m, c.marks); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name+"."+format), out.Bytes())
			if format == "svg" {
				wellFormed(t, &out)
			}
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, got, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-update writes it anew):\n%s", path, diff)
	}
}

func wellFormed(t *testing.T, r io.Reader) {
	t.Helper()
	for d := xml.NewDecoder(r); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
