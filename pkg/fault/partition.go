package fault

import (
	"errors"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Partition cuts a component off from others, silently: packets between them
// are lost, and nobody is told. Components that come while it lasts are cut off
// too.
type Partition struct {
	From      target.Selector `json:"from" yaml:"from" jsonschema:"required" jsonschema_description:"Whom the component is cut off from."`
	Direction Direction       `json:"direction,omitempty" yaml:"direction,omitempty" jsonschema:"enum=both,enum=in,enum=out" jsonschema_description:"in: it does not hear them; out: they do not hear it; both where it is not set."`
}

var _ Carried = (*Partition)(nil)

// Check implements [Checker].
func (f *Partition) Check() error {
	if f.From.IsZero() {
		return errors.New("from: expected whom to cut off from, such as from: {service: app}")
	}
	return f.Direction.check()
}

func (f *Partition) carry() helped {
	return Traffic{Peer: f.From, Direction: f.Direction}.filter(helper.Rule{Do: helper.Drop}, helper.Features{})
}
