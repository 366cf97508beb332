package topology

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"gonum.org/v1/gonum/graph/flow"
	"gonum.org/v1/gonum/graph/simple"
)

// predict puts the nodes into layers, and says which of them are single points of
// failure by the map alone: every way from the users to what serves them in the
// end leads through them (they dominate it, Lengauer and Tarjan 1979), and there
// is no other of their tier.
func (m *Map) predict() {
	g, out := m.graph()
	m.layer(out)
	tiers := map[string][]int{}
	for i, n := range m.Nodes {
		if n.Layer >= 0 {
			tiers[n.Tier] = append(tiers[n.Tier], i)
		}
	}
	// One more node for each tier, reached by way of any of its components: what
	// users need is one of them.
	ends := map[string]int64{}
	for tier, members := range tiers {
		ends[tier] = int64(len(m.Nodes) + 1 + len(ends))
		for _, i := range members {
			g.SetEdge(simple.Edge{F: simple.Node(int64(i + 1)), T: simple.Node(ends[tier])})
		}
	}
	dominators := flow.DominatorsSLT(simple.Node(0), g)
	for _, tier := range slices.Sorted(maps.Keys(ends)) {
		for d := dominators.DominatorOf(ends[tier]); d != nil && d.ID() != 0; d = dominators.DominatorOf(d.ID()) {
			m.Nodes[d.ID()-1].suspect(tier, m.Members(m.Nodes[d.ID()-1].Tier))
		}
	}
	slices.SortStableFunc(m.Nodes, func(a, b Node) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(a.Component, b.Component))
	})
}

// suspect marks a node by which every way to a tier leads. Where its own tier has
// other members, they are taken for standbys: an experiment shows whether they
// are.
func (n *Node) suspect(tier string, members int) {
	switch {
	case members > 1:
		n.Why = fmt.Sprintf("all paths to tier %s pass through it, but tier %s has %d more components", tier, n.Tier, members-1)
	default:
		n.Predicted, n.Why = true, "the only component of tier "+n.Tier
	}
}

// Members are how many of a tier there are, reached by users or standing by.
func (m Map) Members(tier string) int {
	n := 0
	for _, node := range m.Nodes {
		if node.Tier == tier && !node.Protected && !node.Stopped {
			n++
		}
	}
	return n
}

// graph has the users as node 0 and the others in the order of the map; out are
// the same edges by name. What was only declared carries no user.
func (m *Map) graph() (g *simple.DirectedGraph, out map[string][]string) {
	number := map[string]int64{Entry: 0}
	for i, n := range m.Nodes {
		number[n.Component] = int64(i + 1)
	}
	g, out = simple.NewDirectedGraph(), map[string][]string{}
	g.AddNode(simple.Node(0))
	for _, e := range m.Edges {
		if e.From != e.To && !e.Declared {
			g.SetEdge(simple.Edge{F: simple.Node(number[e.From]), T: simple.Node(number[e.To])})
			out[e.From] = append(out[e.From], e.To)
		}
	}
	return g, out
}

// order puts what users do not reach behind everything else.
func order(n Node) int {
	if n.Layer < 0 {
		return 1 << 30
	}
	return n.Layer
}

// layer counts the steps from the users, by the shortest way.
func (m *Map) layer(out map[string][]string) {
	depth := map[string]int{Entry: 0}
	for queue := []string{Entry}; len(queue) > 0; queue = queue[1:] {
		for _, to := range out[queue[0]] {
			if _, seen := depth[to]; !seen {
				depth[to] = depth[queue[0]] + 1
				queue = append(queue, to)
			}
		}
	}
	for i := range m.Nodes {
		if d, ok := depth[m.Nodes[i].Component]; ok {
			m.Nodes[i].Layer = d
		}
	}
}

// Serves reports whether users reach a node, or it stands by for one that they do:
// it is of the same tier.
func (m Map) Serves(n Node) bool {
	return slices.ContainsFunc(m.Nodes, func(other Node) bool { return other.Tier == n.Tier && other.Layer >= 0 })
}

// ZoneNode is a zone as if it were a component: it is predicted where it holds all
// of a tier.
type ZoneNode struct {
	Zone  string
	Tiers []string // of which it holds all
}

// Zones are those in which something stands that users reach, by name.
func (m Map) Zones() []ZoneNode {
	zones := map[string]map[string]bool{}
	for _, n := range m.Nodes {
		if !m.Serves(n) || n.Zone == "" {
			continue
		}
		if zones[n.Tier] == nil {
			zones[n.Tier] = map[string]bool{}
		}
		zones[n.Tier][n.Zone] = true
	}
	whole := map[string][]string{}
	for tier, in := range zones {
		for zone := range in {
			if whole[zone] == nil {
				whole[zone] = []string{}
			}
			if len(in) == 1 {
				whole[zone] = append(whole[zone], tier)
			}
		}
	}
	var all []ZoneNode
	for _, zone := range slices.Sorted(maps.Keys(whole)) {
		slices.Sort(whole[zone])
		all = append(all, ZoneNode{Zone: zone, Tiers: whole[zone]})
	}
	return all
}
