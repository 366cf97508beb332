package fault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Delay holds packets up. They keep their order.
//
// They are held in user space, which every kernel can do, and which carries
// some twenty thousand packets a second. The kernel's own way (netem) carries
// more, where a kernel has it; it knows no peers and ports, and stays when the
// helper is killed, until it is undone from the journal.
type Delay struct {
	Traffic `yaml:",inline"`

	By     time.Duration `json:"by" yaml:"by" jsonschema:"required" jsonschema_description:"How long."`
	Via    string        `json:"via,omitempty" yaml:"via,omitempty" jsonschema:"enum=userspace,enum=netem" jsonschema_description:"netem: the kernel's own way, for all that leaves the component; userspace where it is not set."`
	Jitter time.Duration `json:"jitter,omitempty" yaml:"jitter,omitempty" jsonschema_description:"Up to so much more or less."`
}

var _ Carried = (*Delay)(nil)

// MaxDelay bounds a delay: a packet that is held up for longer is a lost one.
const MaxDelay = time.Minute

// Check implements [Checker].
func (f *Delay) Check() error {
	switch {
	case f.By <= 0 || f.By > MaxDelay:
		return fmt.Errorf("by: found %v, expected more than 0 and at most %v", f.By, MaxDelay)
	case f.Jitter < 0 || f.Jitter > f.By:
		return fmt.Errorf("jitter: found %v, expected 0 to %v, as by is", f.Jitter, f.By)
	case f.Via != "" && f.Via != "userspace" && f.Via != "netem":
		return fmt.Errorf("via: found %q, expected userspace or netem", f.Via)
	case f.Via == "netem" && !f.everything():
		return errors.New("via: netem delays all that leaves the component: expected no peer, protocol, ports or direction")
	}
	return f.check()
}

// One way is delayed where nothing is said, so that a round trip takes so much
// longer.
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
