package topology

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/gameday-dev/gameday/internal/plaintext"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Outside are the connections of one component to addresses that no component of the
// environment has. What is there is no node: it cannot be broken, and nothing is
// predicted about it.
type Outside struct {
	Component   string `json:"component"`     // that makes the connections
	Via         string `json:"via,omitempty"` // the component that is their gateway, if one is
	Reached     bool   `json:"reached"`       // by users: their way leads outside here
	Connections int    `json:"connections"`   // that were seen, each once
	Peers       []Peer `json:"addresses"`
}

// Peer is an address outside.
type Peer struct {
	Address     netip.Addr `json:"address"`
	Ports       []uint16   `json:"ports"`
	Connections int        `json:"connections"`
}

// beyond is the name of the node that stands for all that is outside.
const beyond = "outside the fence"

// connection is one to the outside, however often it is seen.
type connection struct {
	local, remote netip.AddrPort
}

// leave takes in a connection of a component to what is no component.
func (o *observer) leave(id string, s helper.Socket) {
	if o.left[id] == nil {
		o.left[id] = map[string]map[connection]bool{}
	}
	via := ""
	if s.Via.IsValid() {
		via = o.at[s.Via]
	}
	if via != "" {
		o.edge(id, via, s.Remote.Port())
	}
	if o.left[id][via] == nil {
		o.left[id][via] = map[connection]bool{}
	}
	o.left[id][via][connection{s.Local, s.Remote}] = true
}

// outside is what was seen of the outside, in order. The nodes have their layers.
func (o *observer) outside(m Map) []Outside {
	reached := map[string]bool{}
	for _, n := range m.Nodes {
		reached[n.Component] = n.Layer >= 0
	}
	var all []Outside
	for id, ways := range o.left {
		for via, connections := range ways {
			one := Outside{Component: o.nodes[id].Component, Connections: len(connections), Peers: peers(connections)}
			if via != "" {
				one.Via = o.nodes[via].Component
			}
			one.Reached = reached[one.Component]
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Outside) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Via, b.Via))
	})
	return all
}

func peers(connections map[connection]bool) []Peer {
	ports, count := map[netip.Addr]map[uint16]bool{}, map[netip.Addr]int{}
	for c := range connections {
		a := c.remote.Addr()
		if ports[a] == nil {
			ports[a] = map[uint16]bool{}
		}
		ports[a][c.remote.Port()] = true
		count[a]++
	}
	var all []Peer
	for _, a := range slices.SortedFunc(maps.Keys(ports), netip.Addr.Compare) {
		all = append(all, Peer{Address: a, Ports: slices.Sorted(maps.Keys(ports[a])), Connections: count[a]})
	}
	return all
}

// String is a peer as text shows it.
func (p Peer) String() string {
	ports := make([]string, len(p.Ports))
	for i, port := range p.Ports {
		ports[i] = strconv.Itoa(int(port))
	}
	host := p.Address.String()
	if p.Address.Is6() {
		host = "[" + host + "]"
	}
	return host + ":" + strings.Join(ports, ",")
}

// leaves is the component from which the connections leave the fence.
func (o Outside) leaves() string { return cmp.Or(o.Via, o.Component) }

// total is how much of the outside was seen: 7 connections to 3 addresses.
func (m Map) total() string {
	connections, addresses := 0, map[netip.Addr]bool{}
	for _, o := range m.Outside {
		connections += o.Connections
		for _, p := range o.Peers {
			addresses[p.Address] = true
		}
	}
	return counted(connections, len(addresses))
}

func counted(connections, addresses int) string {
	return plural(connections, "connection", "connections") + " to " + plural(addresses, "address", "addresses")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// crossings are the connections to the outside by the component from which they leave.
func (m Map) crossings() []Edge {
	ports := map[string]map[uint16]bool{}
	for _, o := range m.Outside {
		from := o.leaves()
		if ports[from] == nil {
			ports[from] = map[uint16]bool{}
		}
		for _, p := range o.Peers {
			for _, port := range p.Ports {
				ports[from][port] = true
			}
		}
	}
	var all []Edge
	for _, from := range slices.Sorted(maps.Keys(ports)) {
		all = append(all, Edge{From: from, To: beyond, Ports: slices.Sorted(maps.Keys(ports[from]))})
	}
	return all
}

// mostPeers is how many addresses of a component text names; the JSON has all.
const mostPeers = 5

// outsideText is what text says of the outside; nothing if there is none.
func (m Map) outsideText() string {
	if len(m.Outside) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s: %s\n", beyond, m.total())
	leads := false
	for _, o := range m.Outside {
		names := make([]string, 0, mostPeers+1)
		for _, p := range o.Peers[:min(len(o.Peers), mostPeers)] {
			names = append(names, p.String())
		}
		if more := len(o.Peers) - mostPeers; more > 0 {
			names = append(names, fmt.Sprintf("and %d more", more))
		}
		via := ""
		if o.Via != "" {
			via = " via " + plaintext.Line(o.Via)
		}
		fmt.Fprintf(&b, "  %s → %s%s: %s\n", plaintext.Line(o.Component), counted(o.Connections, len(o.Peers)), via, strings.Join(names, ", "))
		leads = leads || o.Reached
	}
	if leads {
		b.WriteString("  user requests depend on these addresses: they may be single points of failure too, but gameday makes no prediction for them\n")
	}
	return b.String()
}
