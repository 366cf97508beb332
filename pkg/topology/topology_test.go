package topology_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/enginetest"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// nodes are "name tier zone", edges "from to".
func drawn(nodes, edges string) topology.Map {
	var ns []topology.Node
	for line := range strings.SplitSeq(nodes, ", ") {
		f := strings.Fields(line)
		n := topology.Node{Component: f[0], Name: f[0], Tier: f[1]}
		if len(f) > 2 {
			n.Zone = f[2]
		}
		ns = append(ns, n)
	}
	var es []topology.Edge
	for line := range strings.SplitSeq(edges, ", ") {
		f := strings.Fields(line)
		es = append(es, topology.Edge{From: f[0], To: f[1], Declared: len(f) > 2})
	}
	return topology.Drawn(ns, es)
}

func predicted(m topology.Map) string {
	var all []string
	for _, n := range m.Nodes {
		if n.Predicted {
			all = append(all, n.Component)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestPredictions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ nodes, edges, want string }{
		"the straight line":      {"lb lb, app app, db db", "users lb, lb app, app db", "app db lb"},
		"two app servers":        {"lb lb, a1 app, a2 app, db db", "users lb, lb a1, lb a2, a1 db, a2 db", "db lb"},
		"all of it twice":        {"l1 lb, l2 lb, a1 app, a2 app, d1 db, d2 db", "users l1, users l2, l1 a1, l1 a2, l2 a1, l2 a2, a1 d1, a2 d1, d1 d2", ""},
		"a standby":              {"l1 lb, l2 lb, a1 app, a2 app, d1 db, d2 db", "users l1, l1 a1, l1 a2, a1 d1, a2 d1", ""},
		"a database each":        {"l1 lb, l2 lb, a1 app, a2 app, d1 db, d2 db", "users l1, users l2, l1 a1, l1 a2, l2 a1, l2 a2, a1 d1, a2 d2", ""},
		"a cache on the way":     {"l1 lb, l2 lb, a1 app, a2 app, r1 cache", "users l1, users l2, l1 a1, l2 a2, a1 r1, a2 r1", "r1"},
		"what is only declared":  {"lb lb, a1 app, db db", "users lb, lb a1, a1 db declared", "a1 lb"},
		"a circle changes not":   {"l1 lb, l2 lb, a1 app, a2 app", "users l1, users l2, l1 a1, l2 a2, a1 a2, a2 a1", ""},
		"nobody reaches anybody": {"lb lb", "lb lb", ""},
	} {
		if got := predicted(drawn(c.nodes, c.edges)); got != c.want {
			t.Errorf("%s: %q, expected %q", name, got, c.want)
		}
	}
}

// A prediction depends on who talks to whom, and not on the order in which that was seen;
// a second component of a tier beside the first, with the same edges, clears it.
func TestPredictionsAsLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "nodes")
		var nodes []topology.Node
		for i := range n {
			name := string(rune('a' + i))
			nodes = append(nodes, topology.Node{Component: name, Name: name, Tier: fmt.Sprint("tier", rapid.IntRange(0, n).Draw(t, "tier"))})
		}
		var edges []topology.Edge
		for range rapid.IntRange(0, 3*n).Draw(t, "edges") {
			from := rapid.IntRange(-1, n-1).Draw(t, "from")
			e := topology.Edge{From: topology.Entry, To: nodes[rapid.IntRange(0, n-1).Draw(t, "to")].Component}
			if from >= 0 {
				e.From = nodes[from].Component
			}
			edges = append(edges, e)
		}
		m := topology.Drawn(slices.Clone(nodes), edges)
		other := topology.Drawn(rapid.Permutation(nodes).Draw(t, "other nodes"), rapid.Permutation(edges).Draw(t, "other edges"))
		if got, again := predicted(m), predicted(other); got != again {
			t.Fatalf("%q, and in another order %q", got, again)
		}
		for _, node := range m.Nodes {
			if node.Predicted && (node.Layer < 0 || m.Members(node.Tier) != 1) {
				t.Fatalf("%+v is predicted", node)
			}
			if !node.Predicted {
				continue
			}
			doubled := slices.Clone(edges)
			for _, e := range edges {
				if e.From == node.Component {
					e.From = "twin"
					doubled = append(doubled, e)
				}
			}
			for _, e := range doubled {
				if e.To == node.Component {
					e.To = "twin"
					doubled = append(doubled, e)
				}
			}
			for _, again := range topology.Drawn(append(slices.Clone(nodes), topology.Node{Component: "twin", Tier: node.Tier}), doubled).Nodes {
				if again.Component == node.Component && again.Predicted {
					t.Fatalf("%s is predicted beside its twin", node.Component)
				}
			}
		}
	})
}

func TestZones(t *testing.T) {
	t.Parallel()
	m := drawn("l1 lb a, l2 lb b, a1 app a, a2 app a", "users l1, users l2, l1 a1, l2 a2")
	if got := m.Zones(); len(got) != 2 || got[0].Zone != "a" || !slices.Equal(got[0].Tiers, []string{"app"}) || len(got[1].Tiers) > 0 {
		t.Errorf("%+v", got)
	}
}

// Every format is drawn, and the SVG is XML.
func TestFormats(t *testing.T) {
	t.Parallel()
	m := drawn("lb lb a, a1 app a, a2 app b, db db a, <odd> x", "users lb, lb a1, lb a2, a1 db, a2 db")
	marks := map[string]topology.Mark{"db": topology.Red, "a1": topology.Green, "a2": topology.Amber}
	for name, format := range topology.Formats() {
		var out, again bytes.Buffer
		if err := errors.Join(format(&out, m, marks), format(&again, m, marks)); err != nil {
			t.Fatal(err)
		}
		if out.String() != again.String() {
			t.Errorf("%s: drawn twice, and not the same", name)
		}
		if !strings.Contains(out.String(), "db") || !strings.Contains(out.String(), "proven") {
			t.Errorf("%s: %s", name, out.String())
		}
		if name == "svg" {
			for d := xml.NewDecoder(&out); ; {
				if _, err := d.Token(); err == io.EOF { //nolint:errorlint // bare, as documented
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// Real containers, real connections: one talks to the other and to this machine, which
// is outside, and this machine to it.
func TestObserve(t *testing.T) {
	t.Parallel()
	b := enginetest.New(t)
	back := b.Start("no", "gameday.tier=back", "com.docker.compose.service=back")
	front := b.StartWith(container.HostConfig{}, "gameday.tier=front", "com.docker.compose.service=front")
	b.Echo(front)
	conn, err := net.Dial("tcp", b.Address(front)+":7") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var talking sync.WaitGroup
	talking.Go(func() { // from the front to the back, again and again
		for ctx.Err() == nil {
			b.Exec(front, "/gameday-lab", "reach", "hold", netip.AddrPortFrom(netip.MustParseAddr(b.Address(back)), 8080).String(), "300ms")
		}
	})
	outside, err := net.Listen("tcp", ":0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	_, port, err := net.SplitHostPort(outside.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here := netip.MustParseAddr(b.Inspect(front).NetworkSettings.Networks["bridge"].Gateway)
	talking.Go(func() {
		for ctx.Err() == nil {
			b.Exec(front, "/gameday-lab", "reach", "hold", net.JoinHostPort(here.String(), port), "300ms")
		}
	})
	m, err := topology.Observe(t.Context(), b.Env, "test", topology.Users{}, 3*time.Second)
	talking.Wait()
	if err != nil {
		t.Fatal(err)
	}
	var edges []string
	for _, e := range m.Edges {
		edges = append(edges, e.From+" "+e.To)
	}
	if !slices.Equal(edges, []string{"front back", "users front"}) || predicted(m) != "back front" {
		t.Errorf("%v, predicted %s", edges, predicted(m))
	}
	if len(m.Outside) != 1 || m.Outside[0].Component != "front" || !m.Outside[0].Reached || m.Outside[0].Peers[0].Address != here || m.Outside[0].Connections < 2 {
		t.Errorf("outside: %+v", m.Outside)
	}
}
