package topology

import (
	"slices"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Drawn is a map of nodes and edges as they were seen.
func Drawn(nodes []Node, edges []Edge) Map {
	m := Map{Environment: "test", Nodes: nodes, Edges: edges}
	for i := range m.Nodes {
		m.Nodes[i].Layer = -1
	}
	m.predict()
	return m
}

// Seen is a map of components whose sockets were looked at, again and again: looks are
// by id.
func Seen(components []target.Component, looks ...map[string][]helper.Socket) Map {
	o := newObserver()
	o.add(components)
	for _, look := range looks {
		for id, sockets := range look {
			o.see(id, slices.Clone(sockets))
		}
	}
	return o.draw("test")
}
