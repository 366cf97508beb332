package fault

import (
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/pkg/agent"
)

// Delay holds packets up. They keep their order.
//
// They are held in user space, which carries some ten thousand packets a
// second; what is more passes without delay (see docs/faults.md).
type Delay struct {
	Traffic `yaml:",inline"`

	By     time.Duration `json:"by" yaml:"by" jsonschema:"required" jsonschema_description:"How long."`
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
	}
	return f.check()
}

// One way is delayed where nothing is said, so that a round trip takes so much
// longer.
func (f *Delay) carry() helped {
	return f.outward().queued(agent.Queue{Delay: f.By, Jitter: f.Jitter})
}
