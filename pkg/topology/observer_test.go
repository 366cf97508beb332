package topology_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/topology"
)

// drawnEdges are the edges of a map with their ports.
func drawnEdges(m topology.Map) (all []string) {
	for _, e := range m.Edges {
		all = append(all, fmt.Sprint(e.From, " ", e.To, " ", e.Ports))
	}
	return all
}

// What connections say: who has made them, to whom, and by way of which gateway.
func TestConnections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lb, app, nat []string
		want         []string
	}{
		"a user":                         {lb: []string{"0.0.0.0:80", "198.18.0.2:80 192.0.2.1:5000"}, want: []string{"users lb [80]"}},
		"a user of IPv6":                 {lb: []string{"[::]:81", "[2001:db8::2]:81 [2001:db8::9]:5000"}, want: []string{"users lb [81]"}},
		"one asks the other":             {lb: []string{"198.18.0.2:5000 198.18.0.3:8082"}, want: []string{"lb app [8082]"}},
		"seen from the other end":        {app: []string{"0.0.0.0:8082", "198.18.0.3:8082 198.18.0.2:5000"}, want: []string{"lb app [8082]"}},
		"seen from both":                 {lb: []string{"198.18.0.2:5000 198.18.0.3:8082"}, app: []string{"0.0.0.0:8082", "198.18.0.3:8082 198.18.0.2:5000"}, want: []string{"lb app [8082]"}},
		"two ports":                      {lb: []string{"198.18.0.2:5000 198.18.0.3:8082", "198.18.0.2:5001 198.18.0.3:8081"}, want: []string{"lb app [8081 8082]"}},
		"by way of a gateway":            {lb: []string{"198.18.0.2:5000 198.18.0.3:8082 198.18.0.4"}, want: []string{"lb nat [8082]", "nat app [8082]"}},
		"by way of a gateway that is no": {lb: []string{"198.18.0.2:5000 198.18.0.3:8082 198.18.0.99"}, want: []string{"lb app [8082]"}},
		"over before anybody looked":     {lb: []string{"198.18.0.2:5000 198.18.0.3:8082 ended"}, want: nil},
		"itself":                         {lb: []string{"198.18.0.2:5000 198.18.0.2:8082"}, want: []string{"lb lb [8082]"}},
		"nothing but ports":              {lb: []string{"0.0.0.0:80"}, nat: []string{"[::]:22"}, want: nil},
	} {
		m := topology.Seen(
			[]target.Component{component("lb", "198.18.0.2"), component("app", "198.18.0.3"), component("nat", "198.18.0.4")},
			map[string][]helper.Socket{"lb": sockets(t, c.lb...), "app": sockets(t, c.app...), "nat": sockets(t, c.nat...)},
		)
		if diff := cmp.Diff(c.want, drawnEdges(m)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if len(m.Outside) != 0 {
			t.Errorf("%s: outside is %+v", name, m.Outside)
		}
	}
}

// A connection that was made and has ended between two looks counts; one that had ended
// before the first does not.
func TestShortConnectionsCount(t *testing.T) {
	t.Parallel()
	components := []target.Component{component("lb", "198.18.0.2"), component("app", "198.18.0.3"), component("db", "198.18.0.4")}
	m := topology.Seen(components,
		map[string][]helper.Socket{"lb": sockets(t, "198.18.0.2:5000 198.18.0.3:8082 ended")},
		map[string][]helper.Socket{"lb": sockets(t, "198.18.0.2:5000 198.18.0.3:8082 ended", "198.18.0.2:5001 198.18.0.4:5433 ended")},
	)
	if diff := cmp.Diff([]string{"lb db [5433]"}, drawnEdges(m)); diff != "" {
		t.Error(diff)
	}
}

// A server that has stopped listening has not called its users: what came to it stays so.
func TestAServerThatStopsListening(t *testing.T) {
	t.Parallel()
	m := topology.Seen([]target.Component{component("lb", "198.18.0.2"), component("app", "198.18.0.3")},
		map[string][]helper.Socket{"app": sockets(t, "0.0.0.0:8082")},
		map[string][]helper.Socket{"app": sockets(t, "198.18.0.3:8082 198.18.0.2:5000 ended", "198.18.0.3:8082 192.0.2.1:5000 ended")},
	)
	if diff := cmp.Diff([]string{"lb app [8082]", "users app [8082]"}, drawnEdges(m)); diff != "" {
		t.Error(diff)
	}
	if len(m.Outside) > 0 {
		t.Errorf("%+v", m.Outside)
	}
}

// A service with one component gives it its name; of one with several each has its own,
// and they are one tier unless a label says otherwise.
func TestNamesAndTiers(t *testing.T) {
	t.Parallel()
	two := func(id, address string) target.Component {
		c := component(id, address)
		c.Service = "app"
		return c
	}
	labelled := component("cache", "198.18.0.9")
	labelled.Labels, labelled.Zone, labelled.Protected = map[string]string{"gameday.tier": "store"}, "a", true
	nameless := component("x", "198.18.0.10")
	nameless.Service = ""
	m := topology.Seen([]target.Component{two("a1", "198.18.0.3"), two("a2", "198.18.0.4"), component("db", "198.18.0.5"), labelled, nameless})
	var got []string
	for _, n := range m.Nodes {
		text := n.Component + " of " + n.Tier
		if n.Protected {
			text += " in " + n.Zone + ", protected"
		}
		if n.Layer != -1 {
			t.Errorf("users reach %s", n.Component)
		}
		got = append(got, text)
	}
	want := "cache of store in a, protected; db of db; test_a1_1 of app; test_a2_1 of app; test_x_1 of test_x_1"
	if text := strings.Join(got, "; "); text != want {
		t.Errorf("%s, expected %s", text, want)
	}
	if m.Members("app") != 2 || m.Members("store") != 0 || m.Members("nothing") != 0 {
		t.Errorf("members: %d %d", m.Members("app"), m.Members("store"))
	}
}
