package server

import (
	"context"
	"maps"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gameday-dev/gameday/pkg/store"
)

// Rules are the rules of all routes.
func (s *Server) Rules() map[string]store.Role { return maps.Clone(s.rules) }

// EndMinute writes what was counted to the audit log.
func (s *Server) EndMinute() {
	s.strangers.end(s.enterCounted)
	s.refusals.end(s.enterCounted)
}

// Crowd counts entries of the audit log.
type Crowd = crowd

// NewCrowd is a crowd that keeps the first entries of a minute.
func NewCrowd(name string, first int) *Crowd { return &crowd{name: name, first: first} }

// Add is an entry more.
func (c *crowd) Add(e store.Entry, write func(store.Entry)) { c.add(e, write) }

// Streams are the open streams of each person.
type Streams = streams

// Join is a stream more.
func (s *streams) Join(ctx context.Context, name string) (context.Context, func()) {
	return s.join(ctx, name)
}

// The limits of streams and sessions.
const (
	StreamTime       = streamTime
	MaxPerPerson     = maxPerPerson
	PlainSessionTime = plainSessionTime
	SessionTime      = sessionTime
)

// IsLocalPath reports whether a text is the path of a page of this site.
func IsLocalPath(text string) bool { return isLocalPath(text) }

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
