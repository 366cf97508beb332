package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Delay delays packets and keeps their order.
//
// By default it holds them in user space, which every kernel supports, up to about 20,000
// packets a second. The kernel's netem handles more, but not every kernel has it; it
// cannot select peers or ports, and it stays in force if the helper is killed, until the
// journal is undone.
type Delay struct {
	Traffic `yaml:",inline"`

	By     time.Duration `json:"by" yaml:"by" jsonschema:"required" jsonschema_description:"How long packets are delayed."`
	Via    string        `json:"via,omitempty" yaml:"via,omitempty" jsonschema:"enum=userspace,enum=netem" jsonschema_description:"userspace: in the helper; netem: in the kernel, for all outgoing packets (default: userspace)."`
	Jitter time.Duration `json:"jitter,omitempty" yaml:"jitter,omitempty" jsonschema_description:"The maximum random deviation from the delay, in both directions."`
}

var _ Carried = (*Delay)(nil)

// MaxDelay is the longest delay: a packet that arrives later than that is lost to its
// receiver.
const MaxDelay = time.Minute

// Check implements [Checker].
func (f *Delay) Check() error {
	switch {
	case f.By <= 0 || f.By > MaxDelay:
		return fmt.Errorf("by: found %v, expected more than 0 and at most %v", f.By, MaxDelay)
	case f.Jitter < 0 || f.Jitter > f.By:
		return fmt.Errorf("jitter: found %v, expected 0 to %v, the value of by", f.Jitter, f.By)
	case f.Via != "" && f.Via != "userspace" && f.Via != "netem":
		return fmt.Errorf("via: found %q, expected userspace or netem", f.Via)
	case f.Via == "netem" && !f.everything():
		return errors.New("via: netem delays all outgoing packets: expected no peer, protocol, ports or direction")
	}
	return f.check()
}

// By default only outgoing packets are delayed, so that a round trip takes longer by the
// delay and not by twice the delay.
func (f *Delay) carry() helped {
	if f.Via == "netem" {
		return helped{
			power: helper.Network, needs: helper.Features{Netem: true}, tries: true, keeps: true,
			work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
				return &helper.Shape{Delay: f.By, Jitter: f.Jitter}, nil
			},
		}
	}
	return f.outward().queued(helper.Queue{Delay: f.By, Jitter: f.Jitter})
}
