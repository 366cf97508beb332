package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Memory lowers the memory limit of a component. One that has none is refused:
// an engine cannot take the limit away again.
type Memory struct {
	Limit unit.Size `json:"limit" yaml:"limit" jsonschema:"required" jsonschema_description:"How much it may use: 64MiB."`
}

var _ Limiting = (*Memory)(nil)

// Check implements [Checker].
func (f *Memory) Check() error {
	if f.Limit < 6<<20 {
		return errors.New("limit: expected 6MiB or more, as the engine does")
	}
	return nil
}

func (f *Memory) refuses(was target.Limits) error {
	if was.Memory == 0 {
		return errors.New("the component has no memory limit, and Docker cannot remove one once it is set: set a limit in the compose file first")
	}
	if int64(f.Limit) >= was.Memory { //nolint:gosec // G115: no machine has so much
		return fmt.Errorf("limit: %v would be no less, as it may use %v already", f.Limit, unit.Size(was.Memory)) //nolint:gosec // G115: a size
	}
	return nil
}

func (f *Memory) lower(limits *target.Limits) {
	limits.Memory = int64(f.Limit) //nolint:gosec // G115: no machine has so much
}

func (*Memory) copy(to *target.Limits, from target.Limits) {
	to.Memory, to.Swap = from.Memory, from.Swap
}
