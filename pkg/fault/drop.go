package fault

import (
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
)

// Drop drops packets, all or a share, without notice to their sender.
type Drop struct {
	Traffic `yaml:",inline"`

	Share unit.Ratio `json:"share,omitempty" yaml:"share,omitempty" jsonschema_description:"The share of the packets, chosen at random (default: all)."`
}

var _ Carried = (*Drop)(nil)

// Check implements [Checker].
func (f *Drop) Check() error { return f.check() }

func (f *Drop) carry() helped {
	return f.filter(helper.Rule{Do: helper.Drop, Share: float64(f.Share)}, helper.Features{})
}
