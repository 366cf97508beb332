package fault

import (
	"fmt"

	"github.com/gameday-dev/gameday/pkg/target"
)

// CPU lowers the CPU limit of a component, which has the effect of a noisy neighbour.
type CPU struct {
	Cores float64 `json:"cores" yaml:"cores" jsonschema:"required" jsonschema_description:"The number of CPU cores that the component may use: 0.1 is a tenth of a core."`
}

var _ Limiting = (*CPU)(nil)

// Check implements [Checker].
func (f *CPU) Check() error {
	if f.Cores < 0.01 || f.Cores > 10_000 {
		return fmt.Errorf("cores: found %v, expected 0.01 to 10000", f.Cores)
	}
	return nil
}

// kernelPeriod is the kernel's default period of a quota, in microseconds.
const kernelPeriod = 100_000

func (f *CPU) refuses(was target.Limits, has target.Capacity) error {
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
		return fmt.Errorf("cores: found %v, expected less than the current limit of %v", f.Cores, cores)
	}
	if has.CPUs > 0 && f.Cores >= float64(has.CPUs) {
		return fmt.Errorf("cores: found %v, expected less than the %d that the component may run on", f.Cores, has.CPUs)
	}
	return nil
}

func (f *CPU) lower(limits *target.Limits) {
	// The engine refuses a quota on a component with a limit in NanoCPUs.
	if limits.NanoCPUs > 0 {
		limits.NanoCPUs = int64(f.Cores * 1e9)
		return
	}
	limits.CPUPeriod, limits.CPUQuota = kernelPeriod, int64(f.Cores*kernelPeriod)
}

func (*CPU) copy(to *target.Limits, from target.Limits) {
	to.NanoCPUs, to.CPUQuota, to.CPUPeriod = from.NanoCPUs, from.CPUQuota, from.CPUPeriod
}
