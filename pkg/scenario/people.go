package scenario

import (
	"net/url"
	"strings"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// People are those who take part in a game day.
type People struct {
	Facilitator string   `yaml:"facilitator,omitempty" json:"facilitator,omitempty" jsonschema_description:"Who leads the game day."`
	OnCall      string   `yaml:"on_call,omitempty" json:"on_call,omitempty" jsonschema_description:"Who responds to the failure, and recovers service if people do that."`
	Observers   []string `yaml:"observers,omitempty" json:"observers,omitempty" jsonschema_description:"Who watches and takes notes."`
}

// IsZero reports whether no person is named.
func (p *People) IsZero() bool {
	return p == nil || p.Facilitator == "" && p.OnCall == "" && len(p.Observers) == 0
}

// String is the people by what they do.
func (p *People) String() string {
	if p == nil {
		return ""
	}
	var all []string
	for _, one := range []struct{ role, name string }{
		{"facilitator", p.Facilitator}, {"on call", p.OnCall}, {"observers", strings.Join(p.Observers, ", ")},
	} {
		if one.name != "" {
			all = append(all, one.role+": "+one.name)
		}
	}
	return strings.Join(all, "; ")
}

// maxPerson is the longest name of a person, in bytes.
const maxPerson = 100

// checkPeople checks who takes part, and where their instructions are.
func (s *Scenario) checkPeople(doc *strictyaml.Document) {
	if s.People != nil {
		if s.People.IsZero() && !doc.Has("people.facilitator") && !doc.Has("people.on_call") && !doc.Has("people.observers[0]") {
			doc.Problem("people", "people: found no person, expected facilitator, on_call or observers")
		}
		checkPerson(doc, "people.facilitator", s.People.Facilitator)
		checkPerson(doc, "people.on_call", s.People.OnCall)
		for i, name := range s.People.Observers {
			checkPerson(doc, index("people.observers", i), name)
		}
	}
	if !doc.Has("runbook") {
		return
	}
	checkLine(doc, "runbook", s.Runbook)
	u, err := url.Parse(s.Runbook)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		doc.Problem("runbook", "runbook: expected a URL, such as https://wiki.example/runbooks/database")
	case u.User != nil:
		doc.Problem("runbook", "runbook: found a user in the URL, expected none: reports show it")
	}
}

func checkPerson(doc *strictyaml.Document, path, name string) {
	if !doc.Has(path) {
		return
	}
	checkLine(doc, path, name)
	if strings.TrimSpace(name) == "" || len(name) > maxPerson {
		doc.Problem(path, "%s: found %d characters, expected the name of a person, of up to %d", path, len(name), maxPerson)
	}
}
