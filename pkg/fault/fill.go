package fault

import (
	"context"
	"errors"
	"path"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Fill fills a file system of the component. The file that fills it has no
// name, and goes with the helper.
type Fill struct {
	Path       string     `json:"path" yaml:"path" jsonschema:"required" jsonschema_description:"A folder of the file system to fill, in the component."`
	Leave      unit.Size  `json:"leave,omitempty" yaml:"leave,omitempty" jsonschema_description:"So much stays free: 1MiB; nothing where it is not set."`
	LeaveShare unit.Ratio `json:"leave_share,omitempty" yaml:"leave_share,omitempty" jsonschema_description:"So much stays free, as a share of the whole: 5%."`
	Host       bool       `json:"host,omitempty" yaml:"host,omitempty" jsonschema_description:"Even where it is the host's own file system; a tenth of that stays free in any case."`
}

var _ Carried = (*Fill)(nil)

// Check implements [Checker].
func (f *Fill) Check() error {
	if !path.IsAbs(f.Path) {
		return errors.New("path: expected an absolute path in the component")
	}
	return nil
}

func (f *Fill) carry() helped {
	return helped{
		power: helper.Disk, tries: true,
		work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
			return &helper.Fill{
				Path: f.Path, Leave: uint64(f.Leave), LeaveShare: float64(f.LeaveShare), Host: f.Host,
			}, nil
		},
	}
}
