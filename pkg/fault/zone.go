package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// Zone is the loss of an availability zone. It is not a fault itself: it expands to a
// fault on each component of the zone.
type Zone struct {
	Name string `json:"name" yaml:"name" jsonschema:"required" jsonschema_description:"The zone: all components whose label gameday.zone has this value."`
	By   string `json:"by,omitempty" yaml:"by,omitempty" jsonschema:"enum=kill,enum=isolate" jsonschema_description:"kill: kill the components; isolate: disconnect them from their network (default: kill)."`
}

var (
	_ Expander = (*Zone)(nil)
	_ Checker  = (*Zone)(nil)
)

// Targetless marks the kind: the zone itself selects the components.
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

// Expand implements [Expander].
func (f *Zone) Expand(at target.Selector) (string, any, target.Selector) {
	at.Zone = f.Name
	if f.By == "isolate" {
		return "isolate", new(Isolate), at
	}
	return "kill", new(Kill), at
}

// Expander is the spec of a kind that expands to faults of another kind.
type Expander interface {
	// Expand returns that kind, its spec and its targets.
	Expand(at target.Selector) (kind string, spec any, to target.Selector)
}

// Resolve expands an [Expander] to the other kind, its spec and its targets. It returns
// every other spec unchanged.
func Resolve(kindName string, spec any, at target.Selector) (string, any, target.Selector) {
	if e, ok := spec.(Expander); ok {
		return e.Expand(at)
	}
	return kindName, spec, at
}
