package report

import (
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/gameday-dev/gameday/pkg/verdict"
)

// VerdictSchema is the JSON Schema (draft 2020-12) of verdict.json, generated from
// the struct that is written.
func VerdictSchema() *jsonschema.Schema {
	r := &jsonschema.Reflector{
		ExpandedStruct: true, DoNotReference: true, Anonymous: true, AllowAdditionalProperties: true,
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[verdict.Seconds]():
				return &jsonschema.Schema{Type: "number"}
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
	allowNull(s, reflect.TypeFor[Report]())
	return s
}

// allowNull allows null for every field that encoding/json can write as null: a nil
// pointer, slice or map without omitempty. The reflector looks through pointers and
// does not know.
func allowNull(s *jsonschema.Schema, t reflect.Type) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Slice && s.Items != nil:
		allowNull(s.Items, t.Elem())
	case t.Kind() == reflect.Struct && s.Properties != nil:
		for _, f := range reflect.VisibleFields(t) {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			property, ok := s.Properties.Get(name)
			if !ok {
				continue
			}
			allowNull(property, f.Type)
			k := f.Type.Kind()
			if options == "" && (k == reflect.Pointer || k == reflect.Slice || k == reflect.Map) {
				s.Properties.Set(name, &jsonschema.Schema{AnyOf: []*jsonschema.Schema{property, {Type: "null"}}})
			}
		}
	}
}
