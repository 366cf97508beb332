// Package fault has the kinds of faults, which are injected into components and reverted:
// one file for each kind.
//
// A fault is its spec. Its exported fields are the YAML of a scenario, and it keeps
// nothing in memory between its methods:
//
//	Prepare ──state──▶ journal ──▶ Inject ──▶ InForce … ──▶ Revert
//
// Prepare reads what Revert will need and changes nothing. Spec, component and state are
// on disk before Inject begins. Revert works from them alone, in any process, at any later
// time. Two invariants hold for every kind:
//
//   - no effect without a durable entry;
//   - no entry ends unless its Revert returned nil.
//
// To add a kind, copy noop.go, list the kind in [Kinds], and call the conformance suite
// from its test.
package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/internal/kind"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// State is the state of a component before a fault, as Prepare read it. Each kind has its
// own format.
type State = json.RawMessage

// Fault is a fault that can be injected into one component and reverted.
type Fault interface {
	// Prepare reads what Revert will need and changes nothing in the component. It
	// returns an error if the fault would have no effect or could not be reverted.
	Prepare(ctx context.Context, h target.Handle) (State, error)
	// Inject puts the fault in force. The process may die at any point of it.
	Inject(ctx context.Context, h target.Handle, was State) error
	// Revert restores the component's state as Prepare read it. It is safe to repeat,
	// and safe if Inject did not run or did not complete. It must not change anything
	// that the fault did not change. The caller handles a component that is gone.
	Revert(ctx context.Context, h target.Handle, was State) error
}

// ErrNotInForce is returned by InForce if the fault is not, or no longer, in force. Every
// other error of InForce means that the status is unknown.
var ErrNotInForce = errors.New("the fault is not in force")

// Verifier is a fault that can verify that it is in force. A run keeps verifying it while
// the fault lasts, unless the fault is a [Healer].
type Verifier interface {
	// InForce returns nil while the fault is in force, else an [ErrNotInForce] that says
	// what it found.
	InForce(ctx context.Context, h target.Handle, was State) error
}

// Healer is a fault with a momentary effect, after which the platform may recover by
// itself.
type Healer interface {
	// Healed reports whether nothing is left to revert.
	Healed(ctx context.Context, h target.Handle, was State) (bool, error)
}

// Interruptible is a fault whose Inject ends with its context, so that no effect comes
// after the revert. A run does not cancel the Inject of other kinds, because an engine may
// complete a request after its caller has disconnected.
type Interruptible interface {
	// Interruptible does nothing: it marks the kind.
	Interruptible()
}

// Kinds are all kinds of faults, by name. [Specs] also has the kinds that expand to faults
// of another kind.
func Kinds() kind.Set[Fault] {
	return kind.Set[Fault]{
		{Name: "bandwidth", Doc: "Limit the bandwidth of a component's outgoing traffic.", New: func() Fault { return &viaHelper{new(Bandwidth)} }},
		{Name: "command", Doc: "Run your own commands, for faults that gameday does not have.", New: func() Fault { return new(Command) }},
		{Name: "connections", Doc: "Limit the number of concurrent connections, as a NAT gateway does.", New: func() Fault { return &viaHelper{new(Connections)} }},
		{Name: "corrupt", Doc: "Corrupt a share of the packets.", New: func() Fault { return &viaHelper{new(Corrupt)} }},
		{Name: "cpu", Doc: "Lower the CPU limit, as a noisy neighbour does.", New: func() Fault { return &viaLimits{new(CPU)} }},
		{Name: "crash", Doc: "Crash the main process; a restart policy may restart the component.", New: func() Fault { return new(Crash) }},
		{Name: "delay", Doc: "Delay packets.", New: func() Fault { return &viaHelper{new(Delay)} }},
		{Name: "dns", Doc: "Make name lookups time out or fail.", New: func() Fault { return &viaHelper{new(DNS)} }},
		{Name: "drop", Doc: "Drop packets, all or a share, without notice to the sender.", New: func() Fault { return &viaHelper{new(Drop)} }},
		{Name: "duplicate", Doc: "Send packets twice.", New: func() Fault { return &viaHelper{new(Duplicate)} }},
		{Name: "file", Doc: "Remove, corrupt or replace a file, such as a certificate.", New: func() Fault { return new(File) }},
		{Name: "fill", Doc: "Fill a disk.", New: func() Fault { return &viaHelper{new(Fill)} }},
		{Name: "hang", Doc: "Stop some processes without ending them, while others continue.", New: func() Fault { return &viaHelper{new(Hang)} }},
		{Name: "isolate", Doc: "Disconnect a running component from its network.", New: func() Fault { return &viaHelper{new(Isolate)} }},
		{Name: "kill", Doc: "Kill a component as if its host were lost; no restart policy restarts it.", New: func() Fault { return new(Kill) }},
		{Name: "manual", Doc: "Ask a person to inject and revert a fault by hand.", New: func() Fault { return new(Manual) }},
		{Name: "memory", Doc: "Lower the memory limit.", New: func() Fault { return &viaLimits{new(Memory)} }},
		{Name: "noop", Doc: "Do nothing, to show a game day without a fault.", New: func() Fault { return new(Noop) }},
		{Name: "partition", Doc: "Drop all packets between a component and others.", New: func() Fault { return &viaHelper{new(Partition)} }},
		{Name: "pause", Doc: "Freeze all processes: connections stay open but get no answer.", New: func() Fault { return new(Pause) }},
		{Name: "pids", Doc: "Lower the limit on processes and threads.", New: func() Fault { return &viaLimits{new(PIDs)} }},
		{Name: "process", Doc: "Kill a process in the component, or send it another signal.", New: func() Fault { return new(Process) }},
		{Name: "readonly", Doc: "Remount a volume of the component read-only.", New: func() Fault { return &viaHelper{new(ReadOnly)} }},
		{Name: "reject", Doc: "Reject packets with an error to the sender.", New: func() Fault { return &viaHelper{new(Reject)} }},
		{Name: "reorder", Doc: "Change the order of packets.", New: func() Fault { return &viaHelper{new(Reorder)} }},
		{Name: "restart", Doc: "Restart a component gracefully, as a deployment does.", New: func() Fault { return new(Restart) }},
		{Name: "stop", Doc: "Stop a component gracefully, as maintenance does; no restart policy restarts it.", New: func() Fault { return new(Stop) }},
	}
}

// Specs are the kinds that a scenario can name, by name, for code that only reads and
// writes their settings.
func Specs() kind.Set[any] {
	all := Kinds()
	specs := make(kind.Set[any], len(all), len(all)+1)
	for i, k := range all {
		specs[i] = kind.Kind[any]{Name: k.Name, Doc: k.Doc, New: func() any { return specOf(k.New()) }}
	}
	return append(specs, kind.Kind[any]{Name: "zone", Doc: "Kill or isolate all components of an availability zone at once.", New: func() any { return new(Zone) }})
}

func specOf(f Fault) any {
	switch f := f.(type) {
	case *viaHelper:
		return f.Carried
	case *viaLimits:
		return f.Limiting
	}
	return f
}

// Of returns the fault of a spec of [Specs]. It is false for a spec that expands to faults
// of another kind; see [Resolve].
func Of(spec any) (Fault, bool) {
	switch spec := spec.(type) {
	case Carried:
		return &viaHelper{spec}, true
	case Limiting:
		return &viaLimits{spec}, true
	}
	f, ok := spec.(Fault)
	return f, ok
}

// Entry returns the journal entry of a fault on a component.
func Entry(id, kindName string, f Fault, c target.Component, was State) (journal.Entry, error) {
	spec, err := json.Marshal(f)
	if err != nil {
		return journal.Entry{}, fmt.Errorf("encode the spec of fault %s: %w", kindName, err)
	}
	e := journal.Entry{ID: id, Kind: kindName, Spec: spec, Component: c.ID, Identity: c.Identity, Name: c.Name, State: was, Settle: Settle}
	if patient, ok := f.(Patient); ok {
		e.Patience = patient.Patience()
	}
	if slow, ok := f.(Settler); ok {
		e.Settle = slow.Settles()
	}
	return e, nil
}

// Settle is the default time during which the order of a fault may still take effect after
// the process that gave it has died: a helper ends with its connection.
const Settle = 3 * time.Second

// EngineSettle replaces [Settle] for a request to an engine, which completes it though its
// caller has disconnected. It is as long as a run waits for the answer to such a request.
const EngineSettle = 30 * time.Second

// Patient is a fault whose Inject or Revert may take longer than a request to an engine.
type Patient interface {
	// Patience is the timeout of Inject, and that of Revert.
	Patience() time.Duration
}

// Settler is a fault whose order may take effect later than [Settle].
type Settler interface {
	// Settles is the time that replaces [Settle].
	Settles() time.Duration
}

// Lander is a fault that can tell from its component that its effect is there: what takes
// effect after it was reverted is reverted at once.
type Lander interface {
	// Landed reports whether the effect is there. It is false if that is unknown.
	Landed(ctx context.Context, h target.Handle, was State) bool
}

// ErrEnded is wrapped by the error of an Inject that has failed, and of which nothing is
// still under way.
var ErrEnded = errors.New("the order has ended")

// endedError is an error that is [ErrEnded].
type endedError struct{ error }

// Is implements [errors.Is].
func (endedError) Is(target error) bool { return target == ErrEnded }

// Unwrap implements [errors.Unwrap].
func (e endedError) Unwrap() error { return e.error }

// ErrUnknownKind is the error for a kind that this version of gameday does not have.
var ErrUnknownKind = errors.New("unknown kind of fault")

// Decode decodes the fault of an entry.
func Decode(e journal.Entry) (Fault, error) {
	k, ok := Kinds().Find(e.Kind)
	if !ok {
		return nil, fmt.Errorf("%w %q: use a newer version of gameday to undo it", ErrUnknownKind, e.Kind)
	}
	f := k.New()
	if err := json.Unmarshal(e.Spec, f); err != nil {
		return nil, fmt.Errorf("read the spec of fault %s: %w", e.Kind, err)
	}
	return f, nil
}
