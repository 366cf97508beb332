package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Zone is the loss of an availability zone: all components of it, at once. It is
// no fault itself, and stands for one on each of them.
type Zone struct {
	Name string `json:"name" yaml:"name" jsonschema:"required" jsonschema_description:"The zone: all components with the label gameday.zone of this value."`
	By   string `json:"by,omitempty" yaml:"by,omitempty" jsonschema:"enum=kill,enum=isolate" jsonschema_description:"kill: its hosts are gone; isolate: its network is; kill where it is not set."`
}

var (
	_ Expander = (*Zone)(nil)
	_ Checker  = (*Zone)(nil)
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

// Expand is the fault on each component of the zone.
func (f *Zone) Expand(at target.Selector) (string, any, target.Selector) {
	at.Zone = f.Name
	if f.By == "isolate" {
		return "isolate", new(Isolate), at
	}
	return "kill", new(Kill), at
}

// Expander is the spec of a kind that is no fault itself, and stands for faults
// of another kind.
type Expander interface {
	// Expand is that kind, its spec, and what it is done to.
	Expand(at target.Selector) (kind string, spec any, to target.Selector)
}

// Resolve is what is done, and to whom. It expands a spec that stands for faults
// of another kind, and leaves every other as it is.
func Resolve(kindName string, spec any, at target.Selector) (string, any, target.Selector) {
	if e, ok := spec.(Expander); ok {
		return e.Expand(at)
	}
	return kindName, spec, at
}
