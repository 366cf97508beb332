package fault

import (
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Duplicate sends packets twice.
type Duplicate struct {
	Traffic `yaml:",inline"`

	Share unit.Ratio `json:"share,omitempty" yaml:"share,omitempty" jsonschema_description:"The share of the packets, chosen at random (default: all)."`
}

var _ Carried = (*Duplicate)(nil)

// Check implements [Checker].
func (f *Duplicate) Check() error { return f.check() }

func (f *Duplicate) carry() helped {
	return f.outward().filter(helper.Rule{Do: helper.Duplicate, Share: float64(f.Share)}, helper.Features{Duplicate: true})
}
