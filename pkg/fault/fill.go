package fault

import (
	"context"
	"errors"
	"path"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Fill fills a file system of the component with an unnamed file, which the kernel removes
// when the helper ends.
type Fill struct {
	Path       string     `json:"path" yaml:"path" jsonschema:"required" jsonschema_description:"The absolute path of a folder in the component; its file system is filled."`
	Leave      unit.Size  `json:"leave,omitempty" yaml:"leave,omitempty" jsonschema_description:"The space to leave free, such as 1MiB (default: none)."`
	LeaveShare unit.Ratio `json:"leave_share,omitempty" yaml:"leave_share,omitempty" jsonschema_description:"The space to leave free, as a share of the file system, such as 5%."`
	Host       bool       `json:"host,omitempty" yaml:"host,omitempty" jsonschema_description:"Allow the fault to fill the host's own file system; 10% of it always stays free."`
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
