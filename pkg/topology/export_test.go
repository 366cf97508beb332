package topology

// Drawn is a map of nodes and edges as they were seen.
func Drawn(nodes []Node, edges []Edge) Map {
	m := Map{Environment: "test", Nodes: nodes, Edges: edges}
	for i := range m.Nodes {
		m.Nodes[i].Layer = -1
	}
	m.predict()
	return m
}
