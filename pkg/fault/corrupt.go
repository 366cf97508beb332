package fault

import (
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Corrupt flips a bit in packets. The receiver discards them because of their checksum.
type Corrupt struct {
	Traffic `yaml:",inline"`

	Share unit.Ratio `json:"share" yaml:"share" jsonschema:"required" jsonschema_description:"The share of the packets, chosen at random."`
}

var _ Carried = (*Corrupt)(nil)

// Check implements [Checker].
func (f *Corrupt) Check() error { return f.check() }

func (f *Corrupt) carry() helped {
	return f.outward().queued(helper.Queue{Corrupt: float64(f.Share)})
}
