package target

import (
	"time"

	"github.com/gameday-dev/gameday/pkg/helper"
)

// Diagnosis is what an environment runs on.
type Diagnosis struct {
	Engine  string // name, version and API, for people
	System  string // operating system, kernel and architecture, for people
	Address string // by which gameday reaches it
	// Outdated says which version is needed, if this one is too old for gameday.
	Outdated string
	Limits   Limitable
	Room     Room
	Ahead    Bounds // how far the environment's clock is ahead of gameday's
	// Handle is on no component. It is only for [As], which says what could be done to one.
	Handle Handle
}

// Limitable says which limits of components can be changed.
type Limitable struct{ CPU, Memory, PIDs bool }

// Room is the free disk of an environment, where it keeps images and containers.
type Room struct {
	Path string // there; "" if it is not known
	Free uint64 // bytes
	Why  error  // why Free cannot be found out
}

// Bounds are between what a clock difference lies: a question and its answer take time.
type Bounds struct {
	Lo, Hi time.Duration
	Known  bool
}

// Within narrows bounds to those of another measurement of the same.
func (b Bounds) Within(other Bounds) Bounds {
	if !b.Known {
		return other
	}
	if !other.Known {
		return b
	}
	return Bounds{max(b.Lo, other.Lo), min(b.Hi, other.Hi), true}
}

// Abilities are what helpers can do in an environment. An error says why not.
type Abilities struct {
	Image    string // of the helpers, and how it got there, for people
	Features map[helper.Features]error
	Powers   map[helper.Power]error
}

// Stock is what a lab needs of an environment and of this machine, and what there is of it.
type Stock struct {
	There, Missing []string // images
	Base           string   // the image that the missing ones are built on; "" if it must be pulled or made first
	Tool           string   // what brings a lab up, with its version
	NoTool         error    // why there is none
}
