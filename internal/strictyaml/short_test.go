package strictyaml_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// where is a struct that is often one text.
type where struct {
	Path string `yaml:"path"`
	Port int    `yaml:"port"`
}

func (w *where) Short(text string) { w.Path = text }

// codes is a list that often has one item.
type codes []string

func (codes) Several() {}

func TestShortForms(t *testing.T) {
	t.Parallel()
	type file struct {
		Where where            `yaml:"where"`
		Far   *where           `yaml:"far"`
		Named map[string]where `yaml:"named"`
		Codes codes            `yaml:"codes"`
	}
	for text, want := range map[string]struct {
		file    file
		problem string
	}{
		"where: /a":                      {file: file{Where: where{Path: "/a"}}},
		"where: {path: /a, port: 7}":     {file: file{Where: where{"/a", 7}}},
		"far: /a":                        {file: file{Far: &where{Path: "/a"}}},
		"named: {x: $.id}":               {file: file{Named: map[string]where{"x": {Path: "$.id"}}}},
		"where: {pth: /a}":               {problem: `f.yaml:1:9: unknown key "pth": did you mean "path"?`},
		"where: [/a]":                    {problem: "f.yaml:1:8: where: found a list, expected a mapping"},
		"codes: 200":                     {file: file{Codes: codes{"200"}}},
		"codes: [200, 2xx]":              {file: file{Codes: codes{"200", "2xx"}}},
		"codes: {a: b}":                  {file: file{Codes: codes{""}}, problem: "f.yaml:1:8: codes: found a mapping, expected a string"},
		"codes: [[200]]":                 {file: file{Codes: codes{""}}, problem: "f.yaml:1:9: codes[0]: found a list, expected a string"},
		"named: {x: {path: a, port: b}}": {file: file{Named: map[string]where{"x": {Path: "a"}}}, problem: `f.yaml:1:28: named.x.port: found "b", expected a whole number`},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			doc := strictyaml.Parse("f.yaml", []byte(text))
			var found file
			doc.Decode(&found)
			problem := ""
			if err := doc.Problems.Err(); err != nil {
				problem = err.Error()
			}
			if problem != want.problem {
				t.Errorf("found problem %q, expected %q", problem, want.problem)
			}
			if diff := cmp.Diff(want.file, found); diff != "" {
				t.Error(diff)
			}
		})
	}
}
