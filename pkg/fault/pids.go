package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// PIDs lowers the limit on the processes and threads of a component.
type PIDs struct {
	Max int64 `json:"max" yaml:"max" jsonschema:"required,minimum=1" jsonschema_description:"The maximum number of processes and threads."`
}

var _ Limiting = (*PIDs)(nil)

// Check implements [Checker].
func (f *PIDs) Check() error {
	if f.Max < 1 {
		return errors.New("max: expected 1 or more")
	}
	if f.Max >= kernelPIDs {
		return fmt.Errorf("max: found %d, expected less than %d, the most that a kernel can have", f.Max, kernelPIDs)
	}
	return nil
}

// kernelPIDs is how many processes and threads a kernel can have at most, PID_MAX_LIMIT of
// include/linux/threads.h.
const kernelPIDs = 4 << 20

func (f *PIDs) refuses(was target.Limits, _ target.Capacity) error {
	if was.PIDs > 0 && f.Max >= was.PIDs {
		return fmt.Errorf("max: found %d, expected less than the current limit of %d processes and threads", f.Max, was.PIDs)
	}
	return nil
}

func (f *PIDs) lower(limits *target.Limits) { limits.PIDs = f.Max }

func (*PIDs) copy(to *target.Limits, from target.Limits) { to.PIDs = from.PIDs }
