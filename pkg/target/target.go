// Package target defines environments, components, and what can be done to them.
//
// An [Environment] finds components and opens them. What can be done to an
// opened one differs from environment to environment, so a [Handle] is asked
// for a capability of one or two methods with [As]:
//
//	killer, err := target.As[target.Killer](handle)
//
// This package only defines interfaces. The drivers (pkg/target/docker) implement them.
package target

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// Errors that callers branch on.
var (
	ErrGone        = errors.New("is gone")                              // the component no longer exists
	ErrUnsupported = errors.New("is not supported")                     // the handle or environment lacks a capability
	ErrNoRole      = errors.New("no component currently has this role") // a role was asked and no component answered to it
)

// State is what a component is doing.
type State string

// The states of a component.
const (
	Running    State = "running"
	Paused     State = "paused"
	Stopped    State = "stopped"
	Restarting State = "restarting"
)

// Component is one box of the architecture, as it was when it was looked at.
type Component struct {
	ID        string            `json:"id"`
	Name      string            `json:"name"`
	Identity  string            `json:"identity,omitempty"` // a name that survives replacement of its container
	Service   string            `json:"service,omitempty"`  // several components may serve one
	Zone      string            `json:"zone,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	DependsOn []string          `json:"depends_on,omitempty"` // services that it is declared to need
	Networks  []Network         `json:"networks,omitempty"`
	Joined    []Network         `json:"joined,omitempty"` // those of the component whose network it has joined, having none
	State     State             `json:"state"`
	Healthy   bool              `json:"healthy"`            // false only where a health check says so
	Checking  bool              `json:"checking,omitempty"` // its health check has not said anything yet
	Restart   string            `json:"restart,omitempty"`  // the restart policy, in the environment's word
	Started   time.Time         `json:"started"`            // of its current or last process
	Restarts  int               `json:"restarts"`           // by the restart policy
	Protected bool              `json:"protected"`          // must never be touched
	Vanishes  bool              `json:"vanishes,omitempty"` // the environment removes it when it stops
	// Published are the ports of its host by which it can be reached, too.
	Published []uint16 `json:"published,omitempty"`
}

// Network is one network that a component is attached to.
type Network struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
	MAC     string     `json:"mac,omitempty"` // the hardware address there, if it is known: 02:42:ac:13:00:02
}

// Up reports whether the component serves, as far as the environment knows.
func (c Component) Up() bool { return c.State == Running && c.Healthy }

// Environment is where game days happen: a fence around components.
type Environment interface {
	// Find returns the components that a selector means, in the order of their
	// names. A role is asked now, whatever was found before. No match is an
	// empty slice; an unanswered role is [ErrNoRole].
	Find(ctx context.Context, selector Selector) ([]Component, error)
	// Open returns a handle on the component with an ID. It is an [ErrGone]
	// if there is none, and an error if it lies outside the fence.
	Open(ctx context.Context, id string) (Handle, error)
}

// Handle is one opened component.
type Handle interface {
	// Look returns the component as it is now, or [ErrGone].
	Look(ctx context.Context) (Component, error)
}
