// Package topology is the architecture as it is: components, and who talks to
// whom, read from the connections that are open while users walk their journeys.
//
// From that it predicts single points of failure; only an experiment proves them.
package topology

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Entry is the name of where users come from.
const Entry = "users"

// labelTier is the label by which components say what they are for.
const labelTier = "gameday.tier"

// Map is an architecture.
type Map struct {
	Environment string `json:"environment"`
	Nodes       []Node `json:"nodes"`
	Edges       []Edge `json:"edges"`
}

// Node is one component.
type Node struct {
	Component string           `json:"component"` // its service, or its name where services have several
	Name      string           `json:"name"`      // the container's
	Tier      string           `json:"tier"`      // what it is one of several of: a label, else its service
	Zone      string           `json:"zone,omitempty"`
	Layer     int              `json:"layer"` // steps from the users; -1 where they do not reach it
	Protected bool             `json:"protected,omitempty"`
	Predicted bool             `json:"predicted"` // a single point of failure, by the map alone
	Why       string           `json:"why,omitempty"`
	ID        string           `json:"-"`
	Target    target.Component `json:"-"`
}

// Edge says that one component needs another.
type Edge struct {
	From     string   `json:"from"` // a component, or [Entry]
	To       string   `json:"to"`
	Ports    []uint16 `json:"ports,omitempty"`    // on which it was seen
	Declared bool     `json:"declared,omitempty"` // it was declared, and not seen
}

// observer gathers what is seen.
type observer struct {
	nodes map[string]*Node      // by id of the component
	at    map[netip.Addr]string // id by address
	edges map[[2]string]map[uint16]bool
	hosts map[netip.Addr]bool               // whose connections are no user's
	over  map[string]map[helper.Socket]bool // by id: connections that had ended before anybody looked
}

// Users is what is known of them that no connection shows.
type Users struct {
	// Inside says that they set out on a network of the environment: what comes from
	// the host then is none of them.
	Inside bool
	// Ask are the addresses of the name servers that they ask.
	Ask []string
}

// Observe looks at the connections of every component for so long, which should be
// while users walk their journeys.
func Observe(ctx context.Context, env target.Environment, name string, users Users, lasts time.Duration) (Map, error) {
	components, err := env.Find(ctx, target.Selector{})
	if err != nil {
		return Map{}, err
	}
	if len(components) == 0 {
		return Map{}, errors.New("the environment has no components: is it up?")
	}
	o := observer{nodes: map[string]*Node{}, at: map[netip.Addr]string{}, edges: map[[2]string]map[uint16]bool{}, over: map[string]map[helper.Socket]bool{}}
	o.add(components)
	sessions, hosts, err := attach(ctx, env, components)
	if err != nil {
		return Map{}, err
	}
	if users.Inside {
		o.hosts = hosts
	}
	for _, text := range users.Ask {
		if address, err := netip.ParseAddr(text); err == nil && o.at[address] != "" {
			o.edge(Entry, o.at[address], dnsPort)
		}
	}
	looking, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	if err := o.watch(looking, sessions); err != nil {
		return Map{}, err
	}
	return o.draw(name), ctx.Err()
}

// dnsPort is where name servers are asked.
const dnsPort = 53

// attaching is how many helpers are started at a time: an engine does not start
// more of them any faster.
const attaching = 4

// attach puts a helper beside every component that has a network. Hosts are the
// addresses by which the host reaches them.
func attach(ctx context.Context, env target.Environment, components []target.Component) (sessions map[string]*helper.Session, hosts map[netip.Addr]bool, err error) {
	var mu sync.Mutex
	sessions, hosts = map[string]*helper.Session{}, map[netip.Addr]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(attaching)
	for _, c := range components {
		if c.State != target.Running || len(c.Networks) == 0 || !c.Networks[0].Address.IsValid() {
			continue
		}
		group.Go(func() error {
			session, found, err := attachTo(ctx, env, c)
			if err != nil {
				return fmt.Errorf("look at %s: %w", c.Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			sessions[c.ID] = session
			for _, a := range found {
				hosts[a] = true
			}
			return nil
		})
	}
	return sessions, hosts, group.Wait()
}

func attachTo(ctx context.Context, env target.Environment, c target.Component) (*helper.Session, []netip.Addr, error) {
	h, err := env.Open(ctx, c.ID)
	if err != nil {
		return nil, nil, err
	}
	attacher, err := target.As[target.Attacher](h)
	if err != nil {
		return nil, nil, err
	}
	gatewayed, err := target.As[target.Gatewayed](h)
	if err != nil {
		return nil, nil, err
	}
	session, err := attacher.Attach(ctx, helper.Network)
	if err != nil {
		return nil, nil, err
	}
	hosts, err := gatewayed.Gateways(ctx)
	return session, hosts, err
}

// every is how often connections are looked at: short ones must be met too.
const every = 100 * time.Millisecond

func (o *observer) watch(ctx context.Context, sessions map[string]*helper.Session) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		for id, session := range sessions {
			reply, err := session.Do(ctx, helper.Sockets(true))
			if ctx.Err() != nil {
				return nil // it was looked at for as long as was asked
			}
			if err != nil {
				return fmt.Errorf("look at %s: %w", o.nodes[id].Name, err)
			}
			o.see(id, reply.Sockets)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
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
			Component: c.Name, Name: c.Name, Zone: c.Zone, ID: c.ID, Target: c, Protected: c.Protected, Layer: -1,
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
// listens came to it; every other it has made itself.
func (o *observer) see(id string, sockets []helper.Socket) {
	sockets = o.since(id, sockets)
	listens := map[uint16]bool{}
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

// draw puts what was seen, and what is declared, in order.
func (o *observer) draw(environment string) Map {
	names := map[string]string{Entry: Entry}
	services := map[string][]string{}
	for id, n := range o.nodes {
		names[id] = n.Component
		services[n.Target.Service] = append(services[n.Target.Service], id)
	}
	declared := map[[2]string]bool{}
	for id, n := range o.nodes {
		for _, service := range n.Target.DependsOn {
			for _, other := range services[service] {
				key := [2]string{id, other}
				if o.edges[key] == nil {
					declared[key] = true
					o.edge(id, other, 0)
				}
			}
		}
	}
	m := Map{Environment: environment}
	for key, ports := range o.edges {
		m.Edges = append(m.Edges, Edge{
			From: names[key[0]], To: names[key[1]], Ports: slices.Sorted(maps.Keys(ports)), Declared: declared[key],
		})
	}
	slices.SortFunc(m.Edges, func(a, b Edge) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	for _, n := range o.nodes {
		m.Nodes = append(m.Nodes, *n)
	}
	slices.SortFunc(m.Nodes, func(a, b Node) int { return cmp.Compare(a.Component, b.Component) })
	m.predict()
	return m
}
