package topology

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// observer gathers what is seen.
type observer struct {
	nodes map[string]*Node      // by id of the component
	at    map[netip.Addr]string // id by address
	edges map[[2]string]map[uint16]bool
	ports map[string]map[uint16]bool                // by id: on which it was seen to listen
	hosts map[netip.Addr]bool                       // whose connections are no user's
	over  map[string]map[helper.Socket]bool         // by id: connections that had ended before anybody looked
	left  map[string]map[string]map[connection]bool // by id, and the id of the gateway if any: connections to the outside
}

func newObserver() *observer {
	return &observer{
		nodes: map[string]*Node{}, at: map[netip.Addr]string{}, edges: map[[2]string]map[uint16]bool{}, ports: map[string]map[uint16]bool{},
		over: map[string]map[helper.Socket]bool{}, left: map[string]map[string]map[connection]bool{},
	}
}

// add makes the nodes. A service with one component gives it its name.
func (o *observer) add(components []target.Component) {
	of := map[string]int{}
	for _, c := range components {
		of[c.Service]++
	}
	for _, c := range components {
		n := &Node{
			Component: c.Name, Name: c.Name, Zone: c.Zone, ID: c.ID, Target: c, Protected: c.Protected, Stopped: c.State == target.Stopped, Layer: -1,
			Tier: cmp.Or(c.Labels[labelTier], c.Service, c.Name),
		}
		if c.Service != "" && of[c.Service] == 1 {
			n.Component = c.Service
		}
		o.nodes[c.ID] = n
		for _, network := range c.Networks {
			if network.Address.IsValid() {
				o.at[network.Address] = c.ID
			}
		}
	}
}

// see takes one component's sockets in. A connection from a port on which it
// listens, or did at a look before, came to it; every other it has made itself.
func (o *observer) see(id string, sockets []helper.Socket) {
	sockets = o.since(id, sockets)
	listens := o.ports[id]
	if listens == nil {
		listens = map[uint16]bool{}
		o.ports[id] = listens
	}
	for _, s := range sockets {
		if !s.Remote.IsValid() {
			listens[s.Local.Port()] = true
		}
	}
	for _, s := range sockets {
		if !s.Remote.IsValid() {
			continue
		}
		other, known := o.at[s.Remote.Addr()]
		switch {
		case listens[s.Local.Port()] && o.hosts[s.Remote.Addr()]:
		case listens[s.Local.Port()] && !known:
			o.edge(Entry, id, s.Local.Port()) // from outside of the fence
		case listens[s.Local.Port()]:
			o.edge(other, id, s.Local.Port())
		case known && s.Via.IsValid() && o.at[s.Via] != "":
			// By way of a gateway that is a component too.
			o.edge(id, o.at[s.Via], s.Remote.Port())
			o.edge(o.at[s.Via], other, s.Remote.Port())
		case known:
			o.edge(id, other, s.Remote.Port())
		default:
			o.leave(id, s)
		}
	}
}

// since leaves out the connections that had ended before the first look.
func (o *observer) since(id string, sockets []helper.Socket) []helper.Socket {
	over, looked := o.over[id]
	if !looked {
		over = map[helper.Socket]bool{}
		for _, s := range sockets {
			if s.Ended {
				over[s] = true
			}
		}
		o.over[id] = over
	}
	return slices.DeleteFunc(sockets, func(s helper.Socket) bool { return over[s] })
}

func (o *observer) edge(from, to string, port uint16) {
	key := [2]string{from, to}
	if o.edges[key] == nil {
		o.edges[key] = map[uint16]bool{}
	}
	if port != 0 {
		o.edges[key][port] = true
	}
}
