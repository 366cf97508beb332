package fault

import (
	"context"
	"errors"
	"path"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// ReadOnly makes a mount of a component read-only, as a file system does that
// has met an error. It is possible while no process has a file there open for
// writing; otherwise the kernel refuses, and so does this.
type ReadOnly struct {
	Path string `json:"path" yaml:"path" jsonschema:"required" jsonschema_description:"Where it is mounted, in the component."`
}

var _ Carried = (*ReadOnly)(nil)

// Check implements [Checker].
func (f *ReadOnly) Check() error {
	if !path.IsAbs(f.Path) || path.Clean(f.Path) == "/" {
		return errors.New("path: expected the absolute path of a mount in the component, and not its root")
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
