package server

import (
	"maps"

	"github.com/gameday-dev/gameday/pkg/store"
)

// Rules are those of all routes.
func (s *Server) Rules() map[string]store.Role { return maps.Clone(s.rules) }
