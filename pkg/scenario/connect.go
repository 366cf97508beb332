package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/probe"
)

// connectInside is how users from inside connect.
func (e Environment) connectInside() *probe.Connect {
	if e.Inside.Connect != nil {
		return e.Inside.Connect
	}
	return e.Connect.From()
}

// ReadFiles reads the files that the environment names: for the connections of users, and
// for its roles.
func (e Environment) ReadFiles(beside Beside) error {
	if err := e.Connect.Read(beside); err != nil {
		return fmt.Errorf("environment %s: connect.%w", e.Name, err)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Roles)) {
		if err := e.Roles[name].read(beside); err != nil {
			return fmt.Errorf("environment %s: roles.%s.%w", e.Name, name, err)
		}
	}
	if e.Inside == nil {
		return nil
	}
	if err := e.Inside.Connect.Read(beside); err != nil {
		return fmt.Errorf("environment %s: inside.connect.%w", e.Name, err)
	}
	return nil
}

// Connections is what a plan and a report state about how users of a scenario connect.
func (e Environment) Connections(loads []JourneyLoad) (all []string) {
	for _, l := range loads {
		way := e.Way(l)
		facts := way.Facts()
		if fact := unresolved(l, way); fact != "" {
			facts = append(facts, fact)
		}
		for _, fact := range facts {
			if e.Comes(l) == FromInside {
				fact = "inside: " + fact
			}
			if !slices.Contains(all, fact) {
				all = append(all, fact)
			}
		}
	}
	return all
}

// checkConnect checks how users connect, from outside and from inside.
func (e Environment) checkConnect(doc *strictyaml.Document, path string) {
	check := func(c *probe.Connect, at, entry string) {
		if c == nil {
			return
		}
		c.Check(entry, func(key, format string, args ...any) {
			doc.Problem(at+"."+key, "%s.%s: %s", at, key, fmt.Sprintf(format, args...))
		})
	}
	check(e.Connect, path+".connect", e.Entry)
	if e.Inside == nil {
		return
	}
	checkBase(doc, path+".inside.entry", probe.CheckEntry(e.Inside.Entry))
	at := path + ".inside.connect"
	check(e.Inside.Connect, at, cmp.Or(e.Inside.Entry, e.Entry))
	if c := e.connectInside(); c != nil && c.Insecure && e.Inside.CA != "" {
		doc.Problem(path+".inside.ca", "%s.inside.ca: any certificate is trusted (insecure: true), so it would not be looked at: remove one", path)
	}
	c := e.Inside.Connect
	if c == nil {
		return
	}
	if c.CA != "" && e.Inside.CA != "" {
		doc.Problem(at+".ca", "%s.ca: inside.ca has certificates, too: remove one", at)
	}
	if c.Source != "" {
		doc.Problem(at+".source", "%s.source: the network gives users there their address: remove it", at)
	}
}
