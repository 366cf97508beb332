// Package target says what can be broken and what may be asked of it.
//
// An [Environment] finds components and opens them. What can be done to an
// opened one differs from environment to environment, so a [Handle] is asked
// for a capability of one or two methods with [As]:
//
//	killer, err := target.As[target.Killer](handle)
//
// Nothing here touches anything: the rooms below it (pkg/target/docker) do.
package target

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"time"
)

// Errors that callers branch on.
var (
	ErrGone        = errors.New("is gone")                // the component no longer exists
	ErrUnsupported = errors.New("cannot be asked of it")  // the handle lacks a capability
	ErrNoRole      = errors.New("nobody holds this role") // a role was asked and no component answered to it
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
	Service   string            `json:"service,omitempty"` // several components may serve one
	Zone      string            `json:"zone,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Networks  []Network         `json:"networks,omitempty"`
	State     State             `json:"state"`
	Healthy   bool              `json:"healthy"`           // false only where a health check says so
	Restart   string            `json:"restart,omitempty"` // the restart policy, in the environment's word
	Started   time.Time         `json:"started"`           // of its current or last process
	Restarts  int               `json:"restarts"`          // by the restart policy
	Protected bool              `json:"protected"`         // must never be touched
}

// Network is one network that a component is attached to.
type Network struct {
	Name    string     `json:"name"`
	Address netip.Addr `json:"address"`
}

// Up tells whether the component serves, as far as the environment knows.
func (c Component) Up() bool { return c.State == Running && c.Healthy }

// Environment is where game days happen: a fence around components.
type Environment interface {
	// Find returns the components that a selector means, in the order of their
	// names. A role is asked now, whatever was found before. No match is an
	// empty slice; an unanswered role is [ErrNoRole].
	Find(ctx context.Context, selector Selector) ([]Component, error)
	// Open returns a handle on the component with an ID. It is an [ErrGone]
	// where there is none, and an error where it lies outside the fence.
	Open(ctx context.Context, id string) (Handle, error)
}

// Handle is one opened component.
type Handle interface {
	// Look returns the component as it is now, or [ErrGone].
	Look(ctx context.Context) (Component, error)
}

// Killer ends a component as the loss of its host would: at once, and nothing
// brings it back.
type Killer interface {
	Kill(ctx context.Context) error
}

// StopGrace is how long a component that is asked to end is left to it before
// it is ended.
const StopGrace = 10 * time.Second

// Stopper asks a component to end within [StopGrace], and starts one that is
// not running.
type Stopper interface {
	Starter
	Stop(ctx context.Context) error
}

// Starter starts a component that is not running. One that runs is left alone.
type Starter interface {
	Start(ctx context.Context) error
}

// Pauser freezes all processes of a component, and lets them go on.
type Pauser interface {
	Pause(ctx context.Context) error
	Unpause(ctx context.Context) error
}

// Crasher makes a component's main process die by itself, so that whoever
// looks after it (a restart policy) sees a crash and not an order.
type Crasher interface {
	Crash(ctx context.Context) error
	// WarmCrash makes ready what a crash needs, so that it takes no longer than
	// it must.
	WarmCrash(ctx context.Context) error
}

// Limits bound what a component may use.
type Limits struct {
	NanoCPUs  int64 `json:"nano_cpus,omitempty"`  // billionths of a processor
	CPUQuota  int64 `json:"cpu_quota,omitempty"`  // microseconds in each period; 0 or less for no limit
	CPUPeriod int64 `json:"cpu_period,omitempty"` // microseconds; 0 for the kernel's own
	Memory    int64 `json:"memory,omitempty"`     // bytes; 0 for no limit
	Swap      int64 `json:"swap,omitempty"`       // bytes, memory included
	PIDs      int64 `json:"pids,omitempty"`       // 0 or less for no limit
}

// Effective are the limits as far as they limit: there are several ways to
// write that there is none.
func (l Limits) Effective() Limits {
	if l.CPUQuota <= 0 {
		l.CPUQuota, l.CPUPeriod = 0, 0
	}
	l.PIDs = max(l.PIDs, 0)
	l.Swap = 0 // follows memory
	return l
}

// Limiter has limits that can be changed while it runs.
type Limiter interface {
	Limits(ctx context.Context) (Limits, error)
	SetLimits(ctx context.Context, to Limits) error
}

// Execer runs a command inside a component.
type Execer interface {
	Exec(ctx context.Context, command []string) (ExecResult, error)
}

// ExecResult is how a command ended.
type ExecResult struct {
	ExitCode int
	Output   string // stdout and stderr, at most 64 KiB
}

// Watcher is an environment that tells what happens to its components.
type Watcher interface {
	// Watch calls on for every event until ctx ends. It returns only then, or
	// when the events can no longer be had.
	Watch(ctx context.Context, on func(Event)) error
}

// Event is something that happened to a component, by the environment's clock.
type Event struct {
	At        time.Time
	Component string // its name
	Action    string // start, die, pause, …, in the environment's word
	Detail    string
}

// As asks a handle, or an environment, for a capability.
func As[C any](of any) (C, error) {
	capability, ok := of.(C)
	if !ok {
		return capability, fmt.Errorf("%s %w", reflect.TypeFor[C]().Name(), ErrUnsupported)
	}
	return capability, nil
}
