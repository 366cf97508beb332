package fault

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// DNS makes the component's name lookups fail, by the engine's own server at 127.0.0.11
// and by all other servers.
type DNS struct {
	Answer string `json:"answer,omitempty" yaml:"answer,omitempty" jsonschema:"enum=timeout,enum=refused" jsonschema_description:"timeout: lookups get no answer; refused: lookups fail at once because the port is closed (default: timeout)."`
}

var _ Carried = (*DNS)(nil)

// Check implements [Checker].
func (f *DNS) Check() error {
	if f.Answer != "" && f.Answer != "timeout" && f.Answer != "refused" {
		return fmt.Errorf("answer: found %q, expected timeout or refused", f.Answer)
	}
	return nil
}

// A timeout drops the answers, because the kernel would report a dropped question to its
// sender at once. Both rules run early, before the engine rewrites the address of its own
// server.
func (f *DNS) carry() helped {
	rule := helper.Rule{Hook: helper.In, Do: helper.Drop, Ports: []uint16{53}, From: true, Early: true, Loopback: true}
	if f.Answer == "refused" {
		rule = helper.Rule{Hook: helper.Out, Do: helper.Reject, Ports: []uint16{53}, To: true, Early: true, Loopback: true}
	}
	return helped{
		power: helper.Network, needs: helper.Features{Packets: true},
		work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
			return &helper.Packets{Rules: []helper.Rule{rule}}, nil
		},
	}
}
