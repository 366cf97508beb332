package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Memory lowers the memory limit of a component. It refuses a component without a limit,
// because the engine cannot remove a limit.
type Memory struct {
	Limit unit.Size `json:"limit" yaml:"limit" jsonschema:"required" jsonschema_description:"The memory that the component may use, such as 64MiB."`
}

var _ Limiting = (*Memory)(nil)

// Check implements [Checker].
func (f *Memory) Check() error {
	if f.Limit < 6<<20 {
		return errors.New("limit: expected 6MiB or more, the minimum of the engine")
	}
	return nil
}

func (f *Memory) refuses(was target.Limits, has target.Capacity) error {
	if was.Memory == 0 {
		return errors.New("the component has no memory limit, and Docker cannot remove a limit again: set a limit in the compose file first")
	}
	if int64(f.Limit) >= was.Memory { //nolint:gosec // G115: far above the memory of any machine
		return fmt.Errorf("limit: found %v, expected less than the current limit of %v", f.Limit, unit.Size(was.Memory)) //nolint:gosec // G115: a size
	}
	if has.Memory > 0 && int64(f.Limit) >= has.Memory { //nolint:gosec // G115: far above the memory of any machine
		return fmt.Errorf("limit: found %v, expected less than the memory of the machine, %v", f.Limit, unit.Size(has.Memory))
	}
	return nil
}

func (f *Memory) lower(limits *target.Limits) {
	limits.Memory = int64(f.Limit) //nolint:gosec // G115: far above the memory of any machine
}

func (*Memory) copy(to *target.Limits, from target.Limits) {
	to.Memory, to.Swap = from.Memory, from.Swap
}
