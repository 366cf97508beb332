package fault

import (
	"context"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// DNS makes the component's name lookups fail: those by the engine's own
// server at 127.0.0.11, and those by any other.
type DNS struct {
	Answer string `json:"answer,omitempty" yaml:"answer,omitempty" jsonschema:"enum=timeout,enum=refused" jsonschema_description:"timeout: no answer comes; refused: it is told at once that nobody answers; timeout where it is not set."`
}

var _ Carried = (*DNS)(nil)

// Check implements [Checker].
func (f *DNS) Check() error {
	if f.Answer != "" && f.Answer != "timeout" && f.Answer != "refused" {
		return fmt.Errorf("answer: found %q, expected timeout or refused", f.Answer)
	}
	return nil
}

// A timeout is lost answers: a lost question is told to the sender at once.
// Both are met before the engine rewrites the addresses of its own server.
func (f *DNS) carry() helped {
	rule := helper.Rule{Hook: helper.In, Do: helper.Drop, Ports: []uint16{53}, From: true, Early: true, Loopback: true}
	if f.Answer == "refused" {
		rule = helper.Rule{Hook: helper.Out, Do: helper.Reject, Ports: []uint16{53}, Early: true, Loopback: true}
	}
	return helped{
		power: helper.Network, needs: helper.Features{Packets: true},
		work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
			return &helper.Packets{Rules: []helper.Rule{rule}}, nil
		},
	}
}
