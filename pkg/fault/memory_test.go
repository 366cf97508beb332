package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// world is an environment in memory: one component that can be broken in every way,
// others on its network, and the helpers beside it. It counts what is done to it.
type world struct {
	mu      sync.Mutex
	c       target.Component
	others  []target.Component
	gone    bool
	limits  target.Limits
	orders  []string // what has changed, or would change, the component
	broken  error    // what every call of the engine answers, if it is set
	exec    target.ExecResult
	execErr error
	life    string // why the component is a lifeline; "" if it is none
	lacks   error  // what the kernel cannot do
	healing bool   // a restart policy brings a crashed component back

	neighbors []helper.Neighbor
	processes []string
	files     map[string]helper.FileSeen
	kept      []helper.Order // what the kernel keeps when a helper is killed
	inForce   map[string]helper.Order
	sessions  map[*memory]map[helper.Power]*helper.Session
	wrong     string // what a helper answers to every order, if it is set
}

// moment is a time that a component started at.
func moment(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC) }

func newWorld() *world {
	return &world{
		c: target.Component{
			ID: "id", Name: "db-1", Service: "db", State: target.Running, Healthy: true, Started: moment(1),
			Networks: []target.Network{{Name: "n", Address: netip.MustParseAddr("10.0.0.2")}},
		},
		others:    []target.Component{peer("app-1", "10.0.0.3"), peer("app-2", "10.0.0.4")},
		limits:    target.Limits{Memory: 512 << 20, Swap: 1 << 30, PIDs: 100, CPUQuota: 200_000, CPUPeriod: 100_000},
		processes: []string{"postgres", "walwriter"},
		files:     map[string]helper.FileSeen{"/etc/cert.pem": {Exists: true, Content: []byte("certificate"), Mode: 0o640, UID: 7}},
		inForce:   map[string]helper.Order{},
		sessions:  map[*memory]map[helper.Power]*helper.Session{},
	}
}

func peer(name, address string) target.Component {
	return target.Component{
		ID: name, Name: name, Service: "app", State: target.Running, Healthy: true,
		Networks: []target.Network{{Name: "n", Address: netip.MustParseAddr(address)}},
	}
}

// memory is the component as one process of gameday has opened it, with all
// capabilities.
type memory struct {
	*world

	t *testing.T
}

var (
	_ target.Killer  = (*memory)(nil)
	_ target.Stopper = (*memory)(nil)
	_ target.Pauser  = (*memory)(nil)
	_ target.Crasher = (*memory)(nil)
	_ target.Limiter = (*memory)(nil)
	_ target.Execer  = (*memory)(nil)
)

// open is the component as a new process opens it.
func (w *world) open(t *testing.T) *memory {
	t.Helper()
	return &memory{w, t}
}

// snapshot is all of the world that a fault may change, but for when the component
// was started.
func (w *world) snapshot() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	data, err := json.Marshal([]any{w.c.State, w.limits, w.processes, w.files, w.kept, w.inForce, w.gone})
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// ordered are the orders so far.
func (w *world) ordered() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.orders)
}

// call is one call of the engine.
func (w *world) call(order string, do func()) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.gone:
		return target.ErrGone
	case w.broken != nil:
		return w.broken
	}
	if order != "" {
		w.orders = append(w.orders, order)
	}
	if do != nil {
		do()
	}
	return nil
}

// Look implements [target.Handle].
func (w *world) Look(context.Context) (c target.Component, err error) {
	err = w.call("", func() { c = w.c })
	return c, err
}

// down ends the component's processes, with its namespaces.
func (w *world) down() {
	w.c.State, w.kept, w.inForce = target.Stopped, nil, map[string]helper.Order{}
	w.end()
}

func (w *world) up() {
	if w.c.State != target.Running {
		w.c.State, w.c.Started = target.Running, w.c.Started.Add(time.Second)
		w.processes = []string{"postgres", "walwriter"}
	}
}

func (w *world) Kill(context.Context) error  { return w.call("kill", w.down) }
func (w *world) Stop(context.Context) error  { return w.call("stop", w.down) }
func (w *world) Start(context.Context) error { return w.call("start", w.up) }
func (w *world) WarmCrash(context.Context) error {
	return w.call("", nil)
}

func (w *world) Crash(context.Context) error {
	return w.call("crash", func() {
		w.down()
		if w.healing {
			w.up()
		}
	})
}

func (w *world) Pause(context.Context) error {
	return w.call("pause", func() { w.c.State = target.Paused })
}

func (w *world) Unpause(context.Context) error {
	return w.call("unpause", func() { w.c.State = target.Running })
}

func (w *world) Limits(context.Context) (l target.Limits, err error) {
	err = w.call("", func() { l = w.limits })
	return l, err
}

func (w *world) SetLimits(_ context.Context, to target.Limits) error {
	return w.call("limits", func() { w.limits = to })
}

func (w *world) Exec(ctx context.Context, command []string) (target.ExecResult, error) {
	if command[0] == "wait" {
		<-ctx.Done()
		return target.ExecResult{}, ctx.Err()
	}
	err := w.call("exec "+command[0], nil)
	return w.exec, errors.Join(err, w.execErr)
}

func (w *world) Find(_ context.Context, s target.Selector) (found []target.Component, err error) {
	role := s.Role
	s.Role = ""
	err = w.call("", func() {
		for _, c := range append([]target.Component{w.c}, w.others...) {
			if s.Match(c) && (role == "" || c.Labels["role"] == role) {
				found = append(found, c)
			}
		}
	})
	return found, err
}

func (w *world) Gateways(context.Context) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, w.call("", nil)
}

func (w *world) Lifeline(context.Context) (why string, is bool, err error) {
	return w.life, w.life != "", nil
}

func (w *world) Shares(context.Context, target.Namespace) (target.Sharers, error) {
	return target.Sharers{}, w.call("", nil)
}

func (w *world) Supports(context.Context, helper.Features) error {
	return errors.Join(w.call("", nil), w.lacks)
}

// lookOnly is a component that can be looked at, and nothing else.
type lookOnly struct{ target.Handle }
