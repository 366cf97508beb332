package scenario

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/target"
	"github.com/gameday-dev/gameday/pkg/target/docker"
)

// EnvironmentFile is the name of the file that declares environments.
const EnvironmentFile = "gameday.yaml"

// DefaultMaxTargets is how many components a run may touch at once where an
// environment says nothing.
const DefaultMaxTargets = 3

// Environments is a gameday.yaml.
type Environments struct {
	Version      int                    `yaml:"version" jsonschema:"required,enum=1" jsonschema_description:"The version of this format: 1."`
	Environments map[string]Environment `yaml:"environments" jsonschema:"required" jsonschema_description:"Environments by name."`
}

// Environment is where game days may happen, and what lies outside the fence.
type Environment struct {
	Docker     docker.Config          `yaml:"docker" jsonschema:"required" jsonschema_description:"The engine, and which of its containers may be touched."`
	Entry      string                 `yaml:"entry" jsonschema:"required" jsonschema_description:"Base URL of the journeys."`
	Roles      map[string]target.Role `yaml:"roles,omitempty" jsonschema_description:"Parts that one of several components plays, asked for at the moment of injection."`
	Protect    []target.Selector      `yaml:"protect,omitempty" jsonschema_description:"What must never be touched, beside what carries the label gameday.protect=true."`
	MaxTargets int                    `yaml:"max_targets,omitempty" jsonschema:"minimum=1" jsonschema_description:"How many components a run may touch; 3 where it is not set."`

	Name string `yaml:"-"` // its name
}

// LoadEnvironments reads a gameday.yaml.
func LoadEnvironments(file string, data []byte) (Environments, error) {
	doc := strictyaml.Parse(file, data)
	var e Environments
	doc.Decode(&e)
	if newer(doc, e.Version) {
		return e, doc.Problems.Err()
	}
	for _, name := range slices.Sorted(maps.Keys(e.Environments)) {
		env := e.Environments[name]
		env.Name = name
		env.check(doc, "environments."+name)
		if env.MaxTargets == 0 {
			env.MaxTargets = DefaultMaxTargets
		}
		e.Environments[name] = env
	}
	return e, doc.Problems.Err()
}

func (e Environment) check(doc *strictyaml.Document, path string) {
	if doc.Has(path+".docker") && e.Docker.Project == "" && len(e.Docker.Labels) == 0 {
		doc.Problem(path+".docker", "%s.docker has no fence: name the compose project (project:), or labels", path)
	}
	if e.Docker.Project != "" && len(e.Docker.Labels) > 0 {
		doc.Problem(path+".docker.labels", "%s.docker: found both project and labels, expected one of them", path)
	}
	if u, err := url.Parse(e.Entry); doc.Has(path+".entry") && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		doc.Problem(path+".entry", "%s.entry: found %q, expected a base URL such as https://staging.shop.example", path, e.Entry)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Roles)) {
		role := e.Roles[name]
		if role.HTTP == nil && role.Label == "" && len(role.Command) == 0 {
			doc.Problem(path+".roles."+name, "role %s has no check: expected http, command or label", name)
		}
		if role.Among.Role != "" {
			doc.Problem(path+".roles."+name+".among", "role %s is among another role: expected service, name, label or zone", name)
		}
	}
	for i, p := range e.Protect {
		if p.IsZero() || p.Role != "" || p.Any != 0 {
			doc.Problem(index(path+".protect", i), "%s: expected service, name, label or zone", index(path+".protect", i))
		}
	}
}

// CheckRoles holds the roles that a scenario asks for against those that its
// environment declares.
func (s Scenario) CheckRoles(env Environment) error {
	var errs []error
	for _, f := range s.Faults {
		if _, ok := env.Roles[f.Target.Role]; f.Target.Role != "" && !ok {
			known := slices.Sorted(maps.Keys(env.Roles))
			errs = append(errs, fmt.Errorf("%s: environment %s declares no role %q: %s", f.Where, env.Name, f.Target.Role, strictyaml.Suggest(f.Target.Role, known)))
		}
	}
	return errors.Join(errs...)
}
