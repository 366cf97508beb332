package scenario

import (
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/pkg/target"
)

// declared is an environment without its driver: the keys that all have.
type declared Environment

// DecodeYAML implements [strictyaml.Decodable]: one key is the kind of a driver,
// over the driver's own settings; the others are those of every environment.
func (e *Environment) DecodeYAML(d *strictyaml.Document, n strictyaml.Node) {
	drivers, _ := d.Context.(target.Drivers)
	common := strictyaml.Fields(reflect.TypeFor[declared]())
	known := drivers.Kinds()
	for _, f := range common {
		known = append(known, f.Key)
	}
	var own []strictyaml.Pair
	for _, p := range d.Pairs(n) {
		driver, err := drivers.Find(p.Key)
		switch {
		case err == nil && e.Kind != "":
			d.ProblemAt(p.At, "%s: found both %s and %s, expected one of them", n.Path, e.Kind, p.Key)
		case err == nil:
			e.Kind, e.Settings = driver.Kind, driver.New()
			d.DecodeNode(p.Value, e.Settings)
		case slices.Contains(known, p.Key):
			own = append(own, p)
		default:
			d.ProblemAt(p.At, "unknown key %q: %s", p.Key, strictyaml.Suggest(p.Key, known))
		}
	}
	d.DecodePairs(n.Path, own, (*declared)(e))
	if e.Kind == "" {
		d.Problem(n.Path, "%s: missing required key %q", n.Path, strings.Join(drivers.Kinds(), `" or "`))
	}
}

// MarshalYAML writes an environment as it is read.
func (e Environment) MarshalYAML() (any, error) {
	common, err := yaml.Marshal(declared(e))
	if err != nil {
		return nil, err
	}
	var keys yaml.MapSlice
	if err := yaml.Unmarshal(common, &keys); err != nil {
		return nil, err
	}
	if e.Settings == nil {
		return keys, nil
	}
	return append(yaml.MapSlice{{Key: e.Kind, Value: e.Settings}}, keys...), nil
}

// environmentSchema is the schema of an environment: with exactly one of the
// drivers for a key.
func environmentSchema(drivers target.Drivers) *jsonschema.Schema {
	r := reflector()
	r.Mapper = mapped
	s := r.Reflect(declared{})
	s.Version, s.ID = "", ""
	for _, driver := range drivers {
		settings := r.Reflect(driver.New())
		settings.Version, settings.ID, settings.Description = "", "", driver.Doc
		s.Properties.Set(driver.Kind, settings)
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Required: []string{driver.Kind}})
	}
	return s
}
