package fault

import (
	"github.com/gameday-dev/gameday/pkg/helper"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Need is what a fault needs of an environment.
type Need struct {
	// Capability returns nil if a component's handle has the capability that the fault needs.
	Capability func(handle any) error
	Power      helper.Power // of its helper; "" if it needs none
	Features   helper.Features
	Limit      Limit // "" if it changes none
}

// Limit is a limit of a component that a fault lowers.
type Limit string

// The limits.
const (
	LimitCPU    Limit = "CPU"
	LimitMemory Limit = "memory"
	LimitPIDs   Limit = "PIDs"
)

// NeedOf is what the fault of a spec needs, with the settings of the spec. What it needs of
// its components, such as a certain file, is for the plan to find out.
func NeedOf(spec any) Need {
	_, spec, _ = Resolve("", spec, target.Selector{})
	switch spec := spec.(type) {
	case Carried:
		as := spec.carry()
		return Need{Capability: can[target.Attacher], Power: as.power, Features: as.needs}
	case *CPU:
		return Need{Capability: can[target.Limiter], Limit: LimitCPU}
	case *Memory:
		return Need{Capability: can[target.Limiter], Limit: LimitMemory}
	case *PIDs:
		return Need{Capability: can[target.Limiter], Limit: LimitPIDs}
	case *Process:
		return Need{Capability: can[target.Attacher], Power: helper.Process}
	case *File:
		return Need{Capability: can[target.Attacher], Power: helper.Files}
	case *Crash:
		return Need{Capability: can[target.Crasher], Power: helper.Host}
	case *Kill:
		return Need{Capability: can[target.Killer]}
	case *Stop, *Restart:
		return Need{Capability: can[target.Stopper]}
	case *Pause:
		return Need{Capability: can[target.Pauser]}
	case *Command:
		if spec.In == "component" {
			return Need{Capability: can[target.Execer]}
		}
	}
	return Need{Capability: func(any) error { return nil }}
}

func can[C any](handle any) error {
	_, err := target.As[C](handle)
	return err
}
