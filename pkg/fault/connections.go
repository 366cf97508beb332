package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Connections limits the number of concurrent connections, as a NAT gateway or a file
// descriptor limit does: packets of new connections above the limit are dropped.
// Connections to the component and connections routed through it both count.
type Connections struct {
	Max   uint32   `json:"max" yaml:"max" jsonschema:"required,minimum=1" jsonschema_description:"The maximum number of concurrent connections."`
	Ports []uint16 `json:"ports,omitempty" yaml:"ports,omitempty" jsonschema_description:"Only connections to these ports."`
}

var _ Carried = (*Connections)(nil)

// Check implements [Checker].
func (f *Connections) Check() error {
	if f.Max == 0 {
		return errors.New("max: expected 1 or more; to refuse all connections, use reject or drop")
	}
	return Traffic{Ports: f.Ports}.check()
}

func (f *Connections) carry() helped {
	return helped{
		power: helper.Network, needs: helper.Features{Packets: true, Limit: true},
		work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
			rule := helper.Rule{Do: helper.Limit, Over: f.Max, Protocol: "tcp", Ports: f.Ports}
			in, forward := rule, rule
			in.Hook, forward.Hook = helper.In, helper.Forward
			return &helper.Packets{Rules: []helper.Rule{in, forward}}, nil
		},
	}
}
