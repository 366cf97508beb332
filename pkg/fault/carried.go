package fault

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Warmer is a fault that can make ready what its order needs, so that the order
// takes no longer than it must. It changes nothing in the component.
type Warmer interface {
	Warm(ctx context.Context, h target.Handle) error
}

// Feeler is a fault that can tell whether anything has met it.
type Feeler interface {
	// Felt is how many packets it has met so far, and whether that can be told.
	Felt(ctx context.Context, h target.Handle, was State) (packets uint64, known bool, err error)
}

// Checker is a spec that can tell what is wrong with its settings, as a person
// wrote them.
type Checker interface {
	Check() error
}

// Carried is the spec of a kind that a helper carries out: all that tells one
// such kind from another. [Of] makes the fault of it.
type Carried interface {
	Checker
	carry() helped
}

// viaHelper is the fault of a spec that a helper carries out. On disk it is its
// spec.
type viaHelper struct{ Carried }

var (
	_ Fault    = (*viaHelper)(nil)
	_ Verifier = (*viaHelper)(nil)
	_ Warmer   = (*viaHelper)(nil)
	_ Feeler   = (*viaHelper)(nil)
)

// MarshalJSON writes the spec.
func (f *viaHelper) MarshalJSON() ([]byte, error) { return json.Marshal(f.Carried) }

// UnmarshalJSON reads the spec.
func (f *viaHelper) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, f.Carried) }

// Prepare refuses what the kernel cannot do, and what would cut gameday off.
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

// Inject is one line to the helper.
func (f *viaHelper) Inject(ctx context.Context, h target.Handle, was State) error {
	return f.carry().inject(ctx, h, was)
}

// InForce asks the helper.
func (f *viaHelper) InForce(ctx context.Context, h target.Handle, was State) error {
	_, err := f.carry().inForce(ctx, h, was)
	return err
}

// Felt counts the packets that a network fault has met.
func (f *viaHelper) Felt(ctx context.Context, h target.Handle, was State) (uint64, bool, error) {
	spec := f.carry()
	if spec.power != helper.Network {
		return 0, false, nil
	}
	reply, err := spec.inForce(ctx, h, was)
	return reply.Packets, err == nil, err
}

// Revert takes it back.
func (f *viaHelper) Revert(ctx context.Context, h target.Handle, was State) error {
	return f.carry().revert(ctx, h, was)
}

// notOwnLifeline refuses a component through which gameday reaches the
// environment. A component that cannot tell is refused too.
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
		return fmt.Errorf("gameday reaches the engine %s, and would cut itself off", why)
	}
	return nil
}
