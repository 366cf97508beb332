package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Zone is the loss of an availability zone: all components of it, at once. The
// plan resolves it to one fault on each of them; see [Resolve].
type Zone struct {
	Name string `json:"name" yaml:"name" jsonschema:"required" jsonschema_description:"The zone: all components with the label gameday.zone of this value."`
	By   string `json:"by,omitempty" yaml:"by,omitempty" jsonschema:"enum=kill,enum=isolate" jsonschema_description:"kill: its hosts are gone; isolate: its network is; kill where it is not set."`
}

var (
	_ Fault   = (*Zone)(nil)
	_ Checker = (*Zone)(nil)
)

// Targetless tells that a zone names its components itself.
func (*Zone) Targetless() {}

// Check implements [Checker].
func (f *Zone) Check() error {
	if f.Name == "" {
		return errors.New("name: expected the name of a zone")
	}
	if f.By != "" && f.By != "kill" && f.By != "isolate" {
		return fmt.Errorf("by: found %q, expected kill or isolate", f.By)
	}
	return nil
}

// Resolve is what is done, and to whom, where a spec stands for faults of
// another kind. It changes nothing else.
func Resolve(kindName string, spec any, at target.Selector) (string, any, target.Selector) {
	zone, ok := spec.(*Zone)
	if !ok {
		return kindName, spec, at
	}
	at.Zone = zone.Name
	if zone.By == "isolate" {
		return zone.By, new(Isolate), at
	}
	return "kill", new(Kill), at
}

func (f *Zone) inner() Fault {
	_, spec, _ := Resolve("zone", f, target.Selector{})
	fault, _ := Of(spec)
	return fault
}

// Prepare is that of the fault on one component.
func (f *Zone) Prepare(ctx context.Context, h target.Handle) (State, error) {
	return f.inner().Prepare(ctx, h)
}

// Inject is that of the fault on one component.
func (f *Zone) Inject(ctx context.Context, h target.Handle, was State) error {
	return f.inner().Inject(ctx, h, was)
}

// Revert is that of the fault on one component.
func (f *Zone) Revert(ctx context.Context, h target.Handle, was State) error {
	return f.inner().Revert(ctx, h, was)
}
