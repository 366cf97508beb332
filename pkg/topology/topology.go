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
	// Outside is what components reach that is none.
	Outside []Outside `json:"outside,omitempty"`
}

// Node is one component.
type Node struct {
	Component string           `json:"component"` // its service, or its name where services have several
	Name      string           `json:"name"`      // the container's
	Tier      string           `json:"tier"`      // what it is one of several of: a label, else its service
	Zone      string           `json:"zone,omitempty"`
	Layer     int              `json:"layer"` // steps from the users; -1 if they do not reach it
	Protected bool             `json:"protected,omitempty"`
	Stopped   bool             `json:"stopped,omitempty"` // it does not run: a finished one-shot, or a replica that is down
	Predicted bool             `json:"predicted"`         // a single point of failure, by the map alone
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

// Users is what is known of them that no connection shows.
type Users struct {
	// Inside says that they come from a network of the environment: what comes from
	// the host then is none of them.
	Inside bool
	// Ask are the addresses of the name servers that they ask.
	Ask []string
}

// Observe looks at the connections of every component for the given duration, which should be
// while users walk their journeys.
func Observe(ctx context.Context, env target.Environment, name string, users Users, lasts time.Duration) (Map, error) {
	components, err := env.Find(ctx, target.Selector{})
	if err != nil {
		return Map{}, err
	}
	if len(components) == 0 {
		return Map{}, errors.New("the environment has no components: is it up?")
	}
	o := newObserver()
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

// draw puts what was seen, and what compose declares, in order.
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
	m.Outside = o.outside(m)
	return m
}
