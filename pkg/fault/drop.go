package fault

import (
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Drop loses packets, all of them or a share, and nobody is told.
type Drop struct {
	Traffic `yaml:",inline"`

	Share unit.Ratio `json:"share,omitempty" yaml:"share,omitempty" jsonschema_description:"So many of the packets, at random; all of them where it is not set."`
}

var _ Carried = (*Drop)(nil)

// Check implements [Checker].
func (f *Drop) Check() error { return f.check() }

func (f *Drop) carry() helped {
	return f.filter(helper.Rule{Do: helper.Drop, Share: float64(f.Share)}, helper.Features{})
}
