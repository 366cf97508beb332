package report

import (
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// VerdictSchema is the JSON Schema (draft 2020-12) of verdict.json, from the
// struct that is written.
func VerdictSchema() *jsonschema.Schema {
	r := &jsonschema.Reflector{
		ExpandedStruct: true, DoNotReference: true, Anonymous: true, AllowAdditionalProperties: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[verdict.Seconds]():
				return &jsonschema.Schema{Type: "number"}
			case reflect.TypeFor[*verdict.Seconds](), reflect.TypeFor[*float64]():
				return nullable(&jsonschema.Schema{Type: "number"})
			case reflect.TypeFor[*int]():
				return nullable(&jsonschema.Schema{Type: "integer"})
			case reflect.TypeFor[verdict.Outcome]():
				return &jsonschema.Schema{Type: "string", Enum: []any{
					verdict.Disproved, verdict.Degraded, verdict.Proven, verdict.Inconclusive, verdict.Aborted,
				}}
			}
			return nil
		},
	}
	s := r.Reflect(Report{})
	s.Title = "a gameday verdict, " + Schema
	for _, name := range []string{"fault_at", "revert_at", "writes", "journeys", "load"} {
		if property, ok := s.Properties.Get(name); ok {
			s.Properties.Set(name, nullable(property))
		}
	}
	return s
}

func nullable(s *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{s, {Type: "null"}}}
}
