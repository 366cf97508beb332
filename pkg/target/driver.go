package target

import (
	"context"
	"fmt"
	"strings"
)

// Driver is one kind of environment, as a value. The rest of gameday knows Docker, and any
// other kind, only through its driver. To add a driver, write a package beside
// pkg/target/docker and add it to the list in cmd/gameday/drivers.go.
type Driver struct {
	// Kind is the driver's key in gameday.yaml and in journals: docker.
	Kind string
	Doc  string // one sentence for people
	// New returns a pointer to empty settings, for a decoder to fill.
	New func() Settings
	// Open reaches the environment that settings describe. The caller closes it.
	Open func(ctx context.Context, settings Settings, options Options) (Site, error)
	// Labs are the bundled environments that this driver can bring up; nil if it
	// has none.
	Labs Labs
	// Discover finds what runs and could be an environment, for gameday init. It touches
	// nothing; nil if the driver cannot.
	Discover func(ctx context.Context) ([]Discovered, error)
}

// Discovered is what could be an environment.
type Discovered struct {
	Kind     string // of the driver
	Name     string // as its people call it: of a compose project
	Settings Settings
	Services []DiscoveredService // those that run, by name
}

// DiscoveredService is one service of it.
type DiscoveredService struct {
	Name       string
	Image      string
	Components int
	Zones      []string
	// Roles are roles that labels declare: the label, such as gameday.role=primary.
	Roles []string
	// Published are the addresses at which this machine reaches it, as HOST:PORT.
	Published []string
}

// Settings are a driver's part of gameday.yaml: its exported fields, with yaml,
// json and jsonschema tags.
type Settings interface {
	// Check reports what the fields alone do not show to be wrong, with the key
	// that is wrong, or "".
	Check(problem func(key, text string))
	// Fence is the part of the environment that may be touched, in words.
	Fence() string
	// Pin returns the settings with all that the surroundings choose (variables,
	// current contexts) written down, so that they mean the same in any process.
	Pin() (Settings, error)
}

// Options are what an environment knows of its components beside the driver's
// own settings.
type Options struct {
	Roles   map[string]Role
	Protect []Selector
}

// Site is an environment that a driver has opened.
type Site interface {
	Environment
	// ID is what a lock is about: the engine or cluster, and the fence on it. Two
	// sites with the same ID are the same place, whatever they are called.
	ID() string
	// Close ends the helpers of this process and closes the environment.
	Close() error
}

// Drivers are the kinds of environments that this gameday can reach.
type Drivers []Driver

// Find returns the driver of a kind.
func (d Drivers) Find(kind string) (Driver, error) {
	for _, one := range d {
		if one.Kind == kind {
			return one, nil
		}
	}
	return Driver{}, fmt.Errorf("unknown kind of environment %q: this gameday has %s", kind, strings.Join(d.Kinds(), ", "))
}

// Kinds are the names of the drivers, in their order.
func (d Drivers) Kinds() []string {
	kinds := make([]string, len(d))
	for i, one := range d {
		kinds[i] = one.Kind
	}
	return kinds
}
