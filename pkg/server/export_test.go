package server

import (
	"maps"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gameday-dev/gameday/pkg/store"
)

// Rules are the rules of all routes.
func (s *Server) Rules() map[string]store.Role { return maps.Clone(s.rules) }

// Metrics are the names of gameday's own metrics.
func Metrics() map[string]bool {
	f := newFigures(&Server{})
	names := map[string]bool{}
	for _, d := range []*prometheus.Desc{f.runs, f.recovery, f.atLeast, f.last, f.undo, f.jobs, f.up, f.schedule} {
		_, rest, _ := strings.Cut(d.String(), `fqName: "`)
		name, _, _ := strings.Cut(rest, `"`)
		names[name] = true
	}
	return names
}
