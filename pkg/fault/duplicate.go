package fault

import (
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Duplicate sends what leaves the component twice.
type Duplicate struct {
	Traffic `yaml:",inline"`

	Share unit.Ratio `json:"share,omitempty" yaml:"share,omitempty" jsonschema_description:"So many of the packets, at random; all of them where it is not set."`
}

var _ Carried = (*Duplicate)(nil)

// Check implements [Checker].
func (f *Duplicate) Check() error { return f.check() }

func (f *Duplicate) carry() helped {
	return f.outward().filter(helper.Rule{Do: helper.Duplicate, Share: float64(f.Share)}, helper.Features{Duplicate: true})
}
