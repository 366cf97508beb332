package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Hang stops processes of a component with SIGSTOP, like a worker that hangs while others
// work. Revert continues them.
type Hang struct {
	Process string `json:"process" yaml:"process" jsonschema:"required" jsonschema_description:"The program name of the processes, without a folder."`
}

var _ Carried = (*Hang)(nil)

// Check implements [Checker].
func (f *Hang) Check() error { return checkProcess(f.Process) }

func checkProcess(name string) error {
	if name == "" {
		return errors.New("process: expected the name of a program")
	}
	return nil
}

// The signal numbers are Linux's, on every platform.
const (
	sigCont = 18
	sigStop = 19
)

func (f *Hang) carry() helped {
	return helped{
		power: helper.Process, tries: true, keeps: true,
		work: func(context.Context, target.Handle, helpedState) (helper.Work, error) {
			return &helper.Signal{Process: f.Process, Signal: sigStop, Undo: sigCont}, nil
		},
	}
}
