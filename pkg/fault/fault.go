// Package fault breaks things and mends them again: one kind, one file.
//
// A fault is its spec: its exported fields are the YAML of a scenario, its
// methods are what it does, and it keeps nothing in memory between them:
//
//	Prepare ──state──▶ journal ──▶ Inject ──▶ InForce … ──▶ Revert
//
// Prepare reads what undoing will need and changes nothing. Spec, component
// and state are on disk before Inject begins, and Revert works from them alone,
// in any process, at any later time. Two invariants hold for every kind:
//
//   - no effect without a durable entry;
//   - no entry ended unless its Revert returned nil.
//
// To add a kind, copy noop.go, name it in [Kinds], and call the conformance
// suite from its test.
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

// State is what was so before a fault, as its Prepare saw it.
type State = json.RawMessage

// Fault breaks one component, and mends it.
type Fault interface {
	// Prepare reads what Revert will need. It changes nothing in the
	// component, and refuses one on which the fault would have no effect or
	// could not be undone.
	Prepare(ctx context.Context, h target.Handle) (State, error)
	// Inject has its effect. It may be cut off anywhere.
	Inject(ctx context.Context, h target.Handle, was State) error
	// Revert puts the component back as Prepare saw it. It is safe to repeat,
	// safe when Inject never ran or ran halfway, and mends nothing that was so
	// before. The caller has already dealt with a component that is gone.
	Revert(ctx context.Context, h target.Handle, was State) error
}

// ErrNotInForce is what InForce finds where a fault is not, or no longer, in
// force. Any other error means that it could not be found out.
var ErrNotInForce = errors.New("the fault is not in force")

// Verifier is a fault that can tell whether it is in force. All but those
// whose effect is over in a moment keep being asked while they last.
type Verifier interface {
	// InForce returns nil while the fault is in force, else [ErrNotInForce]
	// with what it found.
	InForce(ctx context.Context, h target.Handle, was State) error
}

// Healer is a fault whose effect is a moment, after which the platform may put
// things right by itself.
type Healer interface {
	// Healed tells whether nothing is left to undo.
	Healed(ctx context.Context, h target.Handle, was State) (bool, error)
}

// Interruptible is a fault whose order ends with the context that it was given:
// nothing of it comes after the undoing. The order of every other kind may be
// carried out by an engine whose caller has hung up, and is not cut off.
type Interruptible interface {
	// Interruptible does nothing: it marks the kind.
	Interruptible()
}

// Kinds are all kinds of faults, by name; [Specs] also has those that stand for
// faults of another kind.
func Kinds() kind.Set[Fault] {
	return kind.Set[Fault]{
		{Name: "bandwidth", Doc: "What leaves the component is bounded.", New: func() Fault { return &viaHelper{new(Bandwidth)} }},
		{Name: "command", Doc: "Your own commands break and mend, for what gameday does not know.", New: func() Fault { return new(Command) }},
		{Name: "connections", Doc: "A ceiling on connections at the same time, as a NAT gateway has one.", New: func() Fault { return &viaHelper{new(Connections)} }},
		{Name: "corrupt", Doc: "A share of the packets arrives broken.", New: func() Fault { return &viaHelper{new(Corrupt)} }},
		{Name: "cpu", Doc: "A part of a processor is left, as beside a noisy neighbour.", New: func() Fault { return &viaLimits{new(CPU)} }},
		{Name: "crash", Doc: "The main process dies by itself; a restart policy may bring it back.", New: func() Fault { return new(Crash) }},
		{Name: "delay", Doc: "Packets arrive later.", New: func() Fault { return &viaHelper{new(Delay)} }},
		{Name: "dns", Doc: "Name lookups time out, or are refused.", New: func() Fault { return &viaHelper{new(DNS)} }},
		{Name: "drop", Doc: "Packets are lost, all or a share.", New: func() Fault { return &viaHelper{new(Drop)} }},
		{Name: "duplicate", Doc: "Packets arrive twice.", New: func() Fault { return &viaHelper{new(Duplicate)} }},
		{Name: "file", Doc: "A file is gone, broken or another one, such as a certificate.", New: func() Fault { return new(File) }},
		{Name: "fill", Doc: "A disk is full.", New: func() Fault { return &viaHelper{new(Fill)} }},
		{Name: "hang", Doc: "Processes stop and do not end, beside others that go on.", New: func() Fault { return &viaHelper{new(Hang)} }},
		{Name: "isolate", Doc: "The component's network is gone: it runs, and reaches nobody.", New: func() Fault { return &viaHelper{new(Isolate)} }},
		{Name: "kill", Doc: "The host is gone: killed at once, and nothing brings it back.", New: func() Fault { return new(Kill) }},
		{Name: "manual", Doc: "A person does it, and undoes it: for what has no switch.", New: func() Fault { return new(Manual) }},
		{Name: "memory", Doc: "The memory limit is lower.", New: func() Fault { return &viaLimits{new(Memory)} }},
		{Name: "noop", Doc: "Nothing happens: what a game day looks like without a fault.", New: func() Fault { return new(Noop) }},
		{Name: "partition", Doc: "The component is cut off from others, silently.", New: func() Fault { return &viaHelper{new(Partition)} }},
		{Name: "pause", Doc: "All processes freeze: connections stay open and nobody answers.", New: func() Fault { return new(Pause) }},
		{Name: "pids", Doc: "Fewer processes and threads are allowed.", New: func() Fault { return &viaLimits{new(PIDs)} }},
		{Name: "process", Doc: "A process in the component is killed, or gets another signal.", New: func() Fault { return new(Process) }},
		{Name: "readonly", Doc: "A mount of the component can no longer be written to.", New: func() Fault { return &viaHelper{new(ReadOnly)} }},
		{Name: "reject", Doc: "Packets are refused, and the sender is told.", New: func() Fault { return &viaHelper{new(Reject)} }},
		{Name: "reorder", Doc: "A share of the packets overtakes the others.", New: func() Fault { return &viaHelper{new(Reorder)} }},
		{Name: "restart", Doc: "An orderly restart, as in a deployment.", New: func() Fault { return new(Restart) }},
		{Name: "stop", Doc: "An orderly stop, as in maintenance; nothing brings it back.", New: func() Fault { return new(Stop) }},
	}
}

// Specs are the kinds that a scenario can name, by name, as those see them who
// only read and write their settings.
func Specs() kind.Set[any] {
	all := Kinds()
	specs := make(kind.Set[any], len(all), len(all)+1)
	for i, k := range all {
		specs[i] = kind.Kind[any]{Name: k.Name, Doc: k.Doc, New: func() any { return specOf(k.New()) }}
	}
	return append(specs, kind.Kind[any]{Name: "zone", Doc: "A whole availability zone is gone, at once.", New: func() any { return new(Zone) }})
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

// Of is the fault of a spec that [Specs] made. It is false for a spec that stands
// for others; see [Resolve].
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

// Entry is the journal's entry for a fault on a component.
func Entry(id, kindName string, f Fault, c target.Component, was State) (journal.Entry, error) {
	spec, err := json.Marshal(f)
	if err != nil {
		return journal.Entry{}, fmt.Errorf("write down %s: %w", kindName, err)
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

// Settle is how long an engine may still carry out an order after whoever gave
// it has hung up, for a kind that does not say otherwise.
const Settle = 3 * time.Second

// Patient is a fault whose order, or undoing, may take longer than an engine
// needs.
type Patient interface {
	Patience() time.Duration
}

// Settler is a fault whose order takes the engine longer than [Settle].
type Settler interface {
	Settles() time.Duration
}

// ErrUnknownKind is an entry of a kind that this gameday does not have.
var ErrUnknownKind = errors.New("unknown kind of fault")

// Decode turns an entry back into its fault.
func Decode(e journal.Entry) (Fault, error) {
	k, ok := Kinds().Find(e.Kind)
	if !ok {
		return nil, fmt.Errorf("%w %q: it takes a newer gameday to undo it", ErrUnknownKind, e.Kind)
	}
	f := k.New()
	if err := json.Unmarshal(e.Spec, f); err != nil {
		return nil, fmt.Errorf("read spec of %s: %w", e.Kind, err)
	}
	return f, nil
}
