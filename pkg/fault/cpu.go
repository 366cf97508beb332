package fault

import (
	"errors"
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// CPU leaves a component a part of a processor, as a noisy neighbour does.
type CPU struct {
	Cores float64 `json:"cores" yaml:"cores" jsonschema:"required" jsonschema_description:"How many processors it may use: 0.1 is a tenth of one."`
}

var _ Limiting = (*CPU)(nil)

// Check implements [Checker].
func (f *CPU) Check() error {
	if f.Cores < 0.01 {
		return errors.New("cores: expected 0.01 or more")
	}
	return nil
}

// kernelPeriod is the period of a quota if none is set, in microseconds.
const kernelPeriod = 100_000

func (f *CPU) refuses(was target.Limits) error {
	var cores float64
	switch {
	case was.NanoCPUs > 0:
		cores = float64(was.NanoCPUs) / 1e9
	case was.CPUQuota > 0 && was.CPUPeriod > 0:
		cores = float64(was.CPUQuota) / float64(was.CPUPeriod)
	case was.CPUQuota > 0:
		cores = float64(was.CPUQuota) / kernelPeriod
	}
	if cores > 0 && f.Cores >= cores {
		return fmt.Errorf("cores: %v would be no less, as it may use %v processors already", f.Cores, cores)
	}
	return nil
}

func (f *CPU) lower(limits *target.Limits) {
	// What was limited in the one way cannot be in the other.
	if limits.NanoCPUs > 0 {
		limits.NanoCPUs = int64(f.Cores * 1e9)
		return
	}
	limits.CPUPeriod, limits.CPUQuota = kernelPeriod, int64(f.Cores*kernelPeriod)
}

func (*CPU) copy(to *target.Limits, from target.Limits) {
	to.NanoCPUs, to.CPUQuota, to.CPUPeriod = from.NanoCPUs, from.CPUQuota, from.CPUPeriod
}
