package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Connections is a ceiling on connections at the same time, as a NAT gateway or
// a file descriptor limit has one: above it, new ones are lost silently. Those
// that pass through the component count as those that end there.
type Connections struct {
	Max   uint32   `json:"max" yaml:"max" jsonschema:"required,minimum=1" jsonschema_description:"So many at the same time, and no more."`
	Ports []uint16 `json:"ports,omitempty" yaml:"ports,omitempty" jsonschema_description:"Only connections to these ports."`
}

var _ Carried = (*Connections)(nil)

// Check implements [Checker].
func (f *Connections) Check() error {
	if f.Max == 0 {
		return errors.New("max: expected 1 or more; to let none in, use reject or drop")
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
