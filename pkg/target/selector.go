package target

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
)

// Selector means components. Every field that is set must hold.
type Selector struct {
	Service string `json:"service,omitempty" yaml:"service,omitempty" jsonschema_description:"Components of this service (the compose service's name)."`
	Name    string `json:"name,omitempty" yaml:"name,omitempty" jsonschema_description:"The component with this name (the container's)."`
	Label   string `json:"label,omitempty" yaml:"label,omitempty" jsonschema_description:"Components with this label: key=value, or key alone for any value."`
	Zone    string `json:"zone,omitempty" yaml:"zone,omitempty" jsonschema_description:"Components in this zone (label gameday.zone)."`
	Role    string `json:"role,omitempty" yaml:"role,omitempty" jsonschema_description:"The component that holds this role of the environment when the fault is injected."`
	Percent int    `json:"percent,omitempty" yaml:"percent,omitempty" jsonschema:"minimum=1,maximum=100" jsonschema_description:"This percentage of them, rounded up, chosen at random."`
	Any     int    `json:"any,omitempty" yaml:"any,omitempty" jsonschema:"minimum=1" jsonschema_description:"This number of them, chosen at random (default: all of them)."`
}

// IsZero reports whether the selector means nothing in particular.
func (s Selector) IsZero() bool { return s == Selector{} }

// Match reports whether a component is meant. It knows nothing of roles and does
// not choose: see [Selector.Pick].
func (s Selector) Match(c Component) bool {
	key, value, hasValue := strings.Cut(s.Label, "=")
	label, labelled := c.Labels[key]
	return (s.Service == "" || s.Service == c.Service) &&
		(s.Name == "" || s.Name == c.Name) &&
		(s.Zone == "" || s.Zone == c.Zone) &&
		(s.Label == "" || labelled && (!hasValue || label == value))
}

// Pick chooses Any or Percent of the found components, or returns all of them.
// The order of the found ones is kept.
func (s Selector) Pick(found []Component, random *rand.Rand) []Component {
	n := len(found)
	if s.Percent > 0 {
		n = (len(found)*s.Percent + 99) / 100
	}
	if s.Any > 0 {
		n = min(n, s.Any)
	}
	if n == len(found) {
		return found
	}
	chosen := random.Perm(len(found))[:n]
	slices.Sort(chosen)
	picked := make([]Component, 0, n)
	for _, i := range chosen {
		picked = append(picked, found[i])
	}
	return picked
}

// String is the selector as a person reads it.
func (s Selector) String() string {
	var parts []string
	add := func(word, value string) {
		if value != "" {
			parts = append(parts, word+" "+value)
		}
	}
	add("service", s.Service)
	add("name", s.Name)
	add("label", s.Label)
	add("zone", s.Zone)
	add("role", s.Role)
	return strings.Join(parts, ", ")
}

// Role is held by one of several components, such as the primary of a database. It is
// resolved when it is needed: after a failover, another component holds it. Every check
// that is set must hold.
type Role struct {
	Among   Selector // the components that can hold the role
	Ask     Ask      // asks at the addresses of a component; nil if nothing is asked
	Command []string // run inside the holder, exits with code 0
	Label   string   // of the holder: key=value, or key alone
}

// Ask asks for a role at one address of a component, within ctx, and returns nil if what
// answers there holds it. Else the error says what it answered, in a few words. An Ask is
// called for several components at once.
type Ask func(ctx context.Context, address netip.Addr) error
