package fault

import (
	"context"
	"errors"

	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Hang stops processes of a component (SIGSTOP), and lets them go on: a worker
// that hangs, beside others that do not.
type Hang struct {
	Process string `json:"process" yaml:"process" jsonschema:"required" jsonschema_description:"The name of their program, without folders."`
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

// The numbers are Linux's, whatever this is compiled for.
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
