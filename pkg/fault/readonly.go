package fault

import (
	"context"
	"errors"
	"path"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// ReadOnly remounts a volume of a component read-only, as the kernel does after an error
// of the file system. The kernel refuses that while a process has a file there open for
// writing.
type ReadOnly struct {
	Path string `json:"path" yaml:"path" jsonschema:"required" jsonschema_description:"The absolute path of the mount in the component."`
}

var _ Carried = (*ReadOnly)(nil)

// Check implements [Checker].
func (f *ReadOnly) Check() error {
	if !path.IsAbs(f.Path) || path.Clean(f.Path) == "/" {
		return errors.New("path: expected the absolute path of a mount in the component other than /")
	}
	return nil
}

func (f *ReadOnly) carry() helped {
	return helped{
		power: helper.Mounts, tries: true, keeps: true,
		work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
			return &helper.Mount{Path: f.Path}, nil
		},
	}
}
