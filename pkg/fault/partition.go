package fault

import (
	"errors"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Partition drops all packets between a component and others, without notice to the
// senders. It includes components that start while the fault lasts.
type Partition struct {
	From      target.Selector `json:"from" yaml:"from" jsonschema:"required" jsonschema_description:"The components to disconnect the target from."`
	Direction Direction       `json:"direction,omitempty" yaml:"direction,omitempty" jsonschema:"enum=both,enum=in,enum=out" jsonschema_description:"in: drop packets to the target; out: drop packets from the target (default: both)."`
}

var _ Carried = (*Partition)(nil)

// Check implements [Checker].
func (f *Partition) Check() error {
	if f.From.IsZero() {
		return errors.New("from: expected the components to disconnect the target from, such as from: {service: app}")
	}
	if err := checkPeers("from", f.From); err != nil {
		return err
	}
	return f.Direction.check()
}

func (f *Partition) carry() helped {
	return Traffic{Peer: f.From, Direction: f.Direction}.filter(helper.Rule{Do: helper.Drop}, helper.Features{})
}
