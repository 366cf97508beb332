package fault

import (
	"errors"
	"fmt"
	"time"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Reorder changes the order of packets: it delays all but a share of them.
type Reorder struct {
	Traffic `yaml:",inline"`

	Share unit.Ratio    `json:"share" yaml:"share" jsonschema:"required" jsonschema_description:"The share of the packets that are not delayed, chosen at random."`
	By    time.Duration `json:"by" yaml:"by" jsonschema:"required" jsonschema_description:"How long the other packets are delayed."`
}

var _ Carried = (*Reorder)(nil)

// Check implements [Checker].
func (f *Reorder) Check() error {
	if f.By <= 0 || f.By > MaxDelay {
		return fmt.Errorf("by: found %v, expected more than 0 and at most %v", f.By, MaxDelay)
	}
	if f.Share >= 1 {
		return errors.New("share: found 100%, which leaves no packet to overtake: expected less")
	}
	return f.check()
}

func (f *Reorder) carry() helped {
	return f.outward().queued(helper.Queue{Delay: f.By, Reorder: float64(f.Share)})
}
