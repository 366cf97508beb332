package target

import (
	"context"
	"net/netip"
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
)

// Killer ends a component as the loss of its host would: at once, and nothing
// brings it back.
type Killer interface {
	Kill(ctx context.Context) error
}

// StopGrace is the grace period of a graceful stop. After it, the component is killed.
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

// Crasher makes a component's main process die by itself, so that what
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

// Machine is a component of which it is known what its machine has.
type Machine interface {
	// Machine returns what the component can use at most, whatever its limits are.
	Machine(ctx context.Context) (Capacity, error)
}

// Capacity is what a machine has for a component. 0 is unknown.
type Capacity struct {
	CPUs   int   // the processors that the component may run on
	Memory int64 // bytes
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

// Attacher is a component beside which a helper can be put; see pkg/helper.
type Attacher interface {
	// Attach puts a helper with a power beside the component, or returns the one
	// that this process has there.
	Attach(ctx context.Context, power helper.Power) (*helper.Session, error)
	// Attached is this process's helper beside the component's present life.
	Attached(ctx context.Context, power helper.Power) (*helper.Session, bool)
}

// Evictor ends the helpers that other processes have left beside a component:
// what they do is undone with them.
type Evictor interface {
	Evict(ctx context.Context) error
}

// Prober tells, as an error, what the component's kernel cannot do.
type Prober interface {
	Supports(ctx context.Context, features helper.Features) error
}

// Finder looks for other components of a component's environment.
type Finder interface {
	Find(ctx context.Context, selector Selector) ([]Component, error)
}

// Gatewayed is a component that its host reaches by known addresses.
type Gatewayed interface {
	// Gateways are the addresses from which the host reaches the component.
	Gateways(ctx context.Context) ([]netip.Addr, error)
}

// Lifeline is a component that may stand between gameday and the environment's
// engine. Every kind of fault that touches packets asks first.
type Lifeline interface {
	// Lifeline reports whether it does, and how. An error means that it could not
	// be found out, and then nothing may be cut.
	Lifeline(ctx context.Context) (why string, is bool, err error)
}

// Namespace is a part of the kernel's view that components may share.
type Namespace string

// The namespaces that faults work in. Who shares processes shares their files, too: a helper
// reaches the files of a component by way of its processes.
const (
	NetworkNamespace Namespace = "network"
	ProcessNamespace Namespace = "processes"
	SharedMemory     Namespace = "shared memory" // no fault works in it, but components join it
)

// Sharing tells with whom a component shares a namespace: what is done in it is done to all
// of them. Every kind of fault that works in one asks first.
type Sharing interface {
	// Shares returns who shares the namespace with the component. An error means that it
	// could not be found out, and then nothing may be done in it.
	Shares(ctx context.Context, what Namespace) (Sharers, error)
}

// Joinable is a component whose namespaces others may join. They do not get a namespace back
// when the component has ended and is started again: a network is gone, and processes end.
type Joinable interface {
	// Joined returns the names of the running components that have joined a namespace of this
	// one, inside the fence or not.
	Joined(ctx context.Context) (map[Namespace][]string, error)
}

// Sharers are those who share a namespace with a component.
type Sharers struct {
	Host    bool        // the whole machine does
	Owner   string      // whose namespace it is, if the component has joined another one's
	Inside  []Component // inside the fence
	Outside []string    // the names of those outside it
}

// Logger is a component whose log can be read.
type Logger interface {
	// Logs are its last lines since a moment.
	Logs(ctx context.Context, since time.Time, lines int) (string, error)
}
