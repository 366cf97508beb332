package fault

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Warmer is a fault that can prepare for its injection, so that Inject is fast.
type Warmer interface {
	// Warm starts what Inject needs, such as a helper. It changes nothing in the
	// component.
	Warm(ctx context.Context, h target.Handle) error
}

// Feeler is a fault that can count the packets that it has affected.
type Feeler interface {
	// Felt is the number of packets affected so far. It is false if the fault does not
	// count packets.
	Felt(ctx context.Context, h target.Handle, was State) (packets uint64, known bool, err error)
}

// Reaching is a fault that works in a namespace of its component, and so on all that share
// it.
type Reaching interface {
	Reaches() target.Namespace
}

// Checker is a spec that can validate its settings.
type Checker interface {
	// Check returns an error that names the invalid setting.
	Check() error
}

// Carried is the spec of a kind that runs in a helper. [Of] turns it into a fault.
type Carried interface {
	Checker
	carry() helped
}

// viaHelper is the fault of a [Carried] spec. It is stored as the spec.
type viaHelper struct{ Carried }

var (
	_ Fault    = (*viaHelper)(nil)
	_ Verifier = (*viaHelper)(nil)
	_ Warmer   = (*viaHelper)(nil)
	_ Feeler   = (*viaHelper)(nil)
	_ Reaching = (*viaHelper)(nil)
)

// MarshalJSON encodes the spec.
func (f *viaHelper) MarshalJSON() ([]byte, error) { return json.Marshal(f.Carried) }

// UnmarshalJSON decodes the spec.
func (f *viaHelper) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, f.Carried) }

// Prepare refuses a fault that the kernel does not support, or that would disconnect
// gameday from the engine.
func (f *viaHelper) Prepare(ctx context.Context, h target.Handle) (State, error) {
	spec := f.carry()
	if spec.power == helper.Network {
		if err := notOwnLifeline(ctx, h); err != nil {
			return nil, err
		}
	}
	return spec.prepare(ctx, h)
}

// Warm starts the helper.
func (f *viaHelper) Warm(ctx context.Context, h target.Handle) error {
	_, err := attach(ctx, h, f.carry().power)
	return err
}

// Inject sends one request to the helper.
func (f *viaHelper) Inject(ctx context.Context, h target.Handle, was State) error {
	return f.carry().inject(ctx, h, was)
}

// InForce asks the helper for the status.
func (f *viaHelper) InForce(ctx context.Context, h target.Handle, was State) error {
	_, err := f.carry().inForce(ctx, h, was)
	return err
}

// Felt implements [Feeler] for network faults.
func (f *viaHelper) Felt(ctx context.Context, h target.Handle, was State) (uint64, bool, error) {
	spec := f.carry()
	if spec.power != helper.Network {
		return 0, false, nil
	}
	reply, err := spec.inForce(ctx, h, was)
	return reply.Packets, err == nil, err
}

// Revert undoes the helper's work.
func (f *viaHelper) Revert(ctx context.Context, h target.Handle, was State) error {
	return f.carry().revert(ctx, h, was)
}

// Reaches implements [Reaching].
func (f *viaHelper) Reaches() target.Namespace {
	if f.carry().power == helper.Network {
		return target.NetworkNamespace
	}
	return target.ProcessNamespace
}

// notOwnLifeline refuses a component through which gameday reaches the engine: a network
// fault on it could not be reverted. It also refuses a component for which that is
// unknown.
func notOwnLifeline(ctx context.Context, h target.Handle) error {
	lifeline, err := target.As[target.Lifeline](h)
	if err != nil {
		return err
	}
	why, cut, err := lifeline.Lifeline(ctx)
	if err != nil {
		return err
	}
	if cut {
		return fmt.Errorf("gameday reaches the engine %s, so this fault would disconnect gameday: choose another target", why)
	}
	return nil
}
