package scenario

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/gameday-dev/gameday/internal/kind"
	"github.com/gameday-dev/gameday/internal/strictyaml"
	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/probe"
	"github.com/gameday-dev/gameday/pkg/target"
)

// Schemas are the JSON Schemas (draft 2020-12) of the files that people write,
// by the kind of file. They come from the structs that files are decoded into.
func Schemas(kinds kind.Set[any], drivers target.Drivers) map[string]json.Marshaler {
	return map[string]json.Marshaler{
		"scenario":    schemaOf("a gameday scenario", Scenario{}, kinds, drivers),
		"journey":     schemaOf("a gameday journey", probe.Journey{}, kinds, drivers),
		"environment": schemaOf("gameday.yaml", Environments{}, kinds, drivers),
	}
}

func schemaOf(title string, of any, kinds kind.Set[any], drivers target.Drivers) *jsonschema.Schema {
	r := reflector()
	r.Mapper = func(t reflect.Type) *jsonschema.Schema {
		switch t {
		case reflect.TypeFor[Fault]():
			return faultSchema(kinds)
		case reflect.TypeFor[Environment]():
			return environmentSchema(drivers)
		}
		return mapped(t)
	}
	s := r.Reflect(of)
	s.Title = title
	return s
}

func reflector() *jsonschema.Reflector {
	return &jsonschema.Reflector{
		FieldNameTag:               "yaml",
		RequiredFromJSONSchemaTags: true,
		ExpandedStruct:             true,
		DoNotReference:             true,
		Anonymous:                  true,
	}
}

// mapped are the schemas of types that are written as texts.
func mapped(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`, Examples: []any{"500ms", "30s", "5m"}},
			{Const: 0},
		}}
	case reflect.TypeFor[probe.Rate]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[1-9][0-9]*/[smh]$`, Examples: []any{"50/s", "600/m"}}
	case reflect.TypeFor[unit.Ratio]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?%$`, Examples: []any{"99%", "99.9%"}},
			{Type: "number", ExclusiveMinimum: "0", Maximum: "1"},
		}}
	case reflect.TypeFor[unit.Size]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)? ?([kKmMgGtT](i?[bB])?)?$`, Examples: []any{"64MiB", "512k"}},
			{Type: "integer", Minimum: "0"},
		}}
	case reflect.TypeFor[unit.BitRate]():
		return &jsonschema.Schema{Type: "string", Pattern: `^[0-9]+(\.[0-9]+)?([kmg]?bit)$`, Examples: []any{"10mbit", "512kbit"}}
	case reflect.TypeFor[any]():
		return &jsonschema.Schema{}
	case reflect.TypeFor[probe.Status]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
			{Type: "integer", Minimum: "100", Maximum: "599"},
			{Type: "string", Pattern: `^([1-5][0-9][0-9]|[1-5]xx|[A-Z][A-Z0-9_]+)$`, Examples: []any{"2xx", "NOT_FOUND"}},
		}}
	}
	return short(t)
}

// short are the schemas of types that have a short form, too.
func short(t reflect.Type) *jsonschema.Schema {
	r := reflector()
	r.Mapper = func(inner reflect.Type) *jsonschema.Schema {
		if inner == t {
			return nil
		}
		return mapped(inner)
	}
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[strictyaml.Short]()):
		long := r.ReflectFromType(t)
		long.Version = ""
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, long}}
	case t.Implements(reflect.TypeFor[strictyaml.Several]()):
		item := r.ReflectFromType(t.Elem())
		item.Version = ""
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{item, {Type: "array", Items: item}}}
	}
	return nil
}

// faultSchema is an object with exactly one of the kinds for a key.
func faultSchema(kinds kind.Set[any]) *jsonschema.Schema {
	properties := jsonschema.NewProperties()
	for _, k := range kinds {
		r := reflector()
		r.Mapper = mapped
		spec := r.Reflect(k.New())
		spec.Version, spec.ID, spec.Description = "", "", k.Doc
		if spec.Properties == nil {
			spec.Properties = jsonschema.NewProperties()
		}
		selector := r.Reflect(target.Selector{})
		selector.Version, selector.Description = "", "The components to fault."
		spec.Properties.Set("target", selector)
		if _, free := k.New().(Targetless); !free {
			spec.Required = append(spec.Required, "target")
		}
		for _, moment := range []struct{ name, text string }{
			{"at", "When it starts, after the first fault (default: 0s)."},
			{"for", "How long it lasts (default: to the end of the watch)."},
		} {
			duration := mapped(reflect.TypeFor[time.Duration]())
			duration.Description = moment.text
			spec.Properties.Set(moment.name, duration)
		}
		properties.Set(k.Name, spec)
	}
	one := uint64(1)
	return &jsonschema.Schema{
		Type: "object", Properties: properties, AdditionalProperties: jsonschema.FalseSchema,
		MinProperties: &one, MaxProperties: &one,
	}
}

// Schema is the JSON Schema of a kind of file as indented JSON.
func Schema(of string, kinds kind.Set[any], drivers target.Drivers) ([]byte, error) {
	s, ok := Schemas(kinds, drivers)[of]
	if !ok {
		return nil, fmt.Errorf("there is no schema of %q: expected scenario, journey, environment or verdict", of)
	}
	return json.MarshalIndent(s, "", "  ")
}
