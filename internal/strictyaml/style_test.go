package strictyaml_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

func TestScalarsAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	three := 3
	for text, want := range map[string]every{
		"s: 1":                {S: "1"},
		"s: 1.50":             {S: "1.50"},
		"s: true":             {S: "true"},
		"s: 0x10":             {S: "0x10"},
		"s: 2024-01-01":       {S: "2024-01-01"},
		"s: .inf":             {S: ".inf"},
		"s: .NaN":             {S: ".NaN"},
		"s: <<":               {S: "<<"},
		"s: 'a # b'":          {S: "a # b"},
		`s: "a\nb"`:           {S: "a\nb"},
		"s: |\n  a\n  b\n":    {S: "a\nb\n"},
		"s: >-\n  a\n  b\n":   {S: "a b"},
		"s: a # b":            {S: "a"},
		"s: ''":               {},
		"b: True":             {B: true},
		"b: false":            {},
		"i: '3'":              {I: 3},
		"i: -0":               {},
		"i: +5":               {I: 5},
		"i: 010":              {I: 10},
		"i8: -128":            {I8: -128},
		"u8: 255":             {U8: 255},
		"f: 1":                {F: 1},
		"f: '1.5'":            {F: 1.5},
		"d: 0":                {},
		"d: -5s":              {D: -5 * time.Second},
		"d: 1h30m":            {D: 90 * time.Minute},
		"p: 3":                {P: &three},
		"l: []":               {L: []int{}},
		"l:\n- 1\n- 2":        {L: []int{1, 2}},
		"ll: [[1], []]":       {LL: [][]int{{1}, {}}},
		"m: {}":               {M: map[string]int{}},
		"m:\n  'a b': 1":      {M: map[string]int{"a b": 1}},
		"ps: {key: k}":        {PS: &item{"k"}},
		"a: ~":                {},
		"a: {b: [1, 2.5, x]}": {A: map[string]any{"b": []any{uint64(1), 2.5, "x"}}},
		"a: [true, null]":     {A: []any{true, nil}},
		"{}":                  {},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, problems := places(t, text)
			if diff := cmp.Diff(want, got); problems != nil || diff != "" {
				t.Errorf("%q\n%s", problems, diff)
			}
		})
	}
}

// Anchors and aliases are refused everywhere, and merge keys and tags where a setting is
// expected, each at its place. Only a value of any shape, such as a request's body, may
// have merge keys and tags.
func TestAnchorsAliasesAndTags(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"s: &x a":                     "f:1:4: s: found an anchor or alias",
		"s: *x":                       "f:1:4: s: found an anchor or alias",
		"l: &x [1]":                   "f:1:4: l: found an anchor or alias",
		"l: [&x 1, 2]":                "f:1:5: l[0]: found an anchor or alias",
		"m: {a: &x 1}":                "f:1:8: m.a: found an anchor or alias",
		"st: {<<: {key: x}}":          `unknown key "<<"`,
		"st:\n  <<: {key: x}\n":       `f:2:3: unknown key "<<"`,
		"m: {<<: 1, b: &c 2}":         "f:1:15: m.b: found an anchor or alias",
		"s: !!str 1":                  `f:1:4: s: found "!!str"`,
		"s: !mine 1":                  `f:1:4: s: found "!mine"`,
		"a: *x":                       "f:1:4: a: found an anchor or alias",
		"a: {b: [1, *x]}":             "f:1:12: a: found an anchor or alias",
		"a: {b: &x 1, c: *x}":         "f:1:8: a: found an anchor or alias",
		"a: {<<: *x}":                 "f:1:9: a: found an anchor or alias",
		"a: {? &x b : 1}":             "f:1:7: a: found an anchor or alias",
		"a: {<<: {b: 1}, c: !!str 2}": "",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, problems := places(t, text)
			if want == "" && problems == nil {
				return
			}
			if want == "" || !strings.Contains(strings.Join(problems, "\n"), want) {
				t.Errorf("found %q, expected %q", problems, want)
			}
		})
	}
}

// A problem is one line, also where the library's message has a picture of the
// source.
func TestAProblemIsOneLine(t *testing.T) {
	t.Parallel()
	for text, at := range map[string]string{
		"a: *x": "f:1:4: ", "a: [1,\n  *x]": "f:2:3: ", "s: [": "f:1:4: ", "s: a: b": "f:1:4: ", "s: a\n i: 1": "f:1:4: ",
	} {
		if _, problems := places(t, text); len(problems) != 1 || !strings.HasPrefix(problems[0], at) {
			t.Errorf("%q: found %q, expected one line that begins with %q", text, problems, at)
		}
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"---\ns: a":                 "",
		"---\ns: a\n...\n":          "",
		"# one\ns: a # two":         "",
		"s: a\n---\ns: b":           "f:3:1: found a second document",
		"s: a\n---\n- b":            "f:3:1: found a second document",
		"s: a\n...\ns: b\n":         "f:3:1: found a second document",
		"s: a\n---\n":               "f:2:1: found a second document",
		"---\n---\n":                "f:1:1: the file is empty",
		"# only a comment\n":        "f:1:1: the file is empty",
		"   \n\n":                   "f:1:1: the file is empty",
		"\ts: a":                    "f:1:2: not valid YAML",
		"m:\n\ta: 1":                "f:2:1: not valid YAML",
		"s:\ta":                     "",
		" s: a\ni: 1":               "f:2:1: not valid YAML",
		"\ufeffs: a":                "",
		"s: a\ni: \x00":             "f:2:1: found a zero byte in this line",
		"\xff\xfes\x00:\x00":        "f:1:1: found a zero byte in this line",
		"{":                         "f:1:1: not valid YAML",
		"s: [\n  a\n  b\n":          "f:1:4: not valid YAML",
		"s: 'a":                     "f:1:4: not valid YAML",
		"s: \"a":                    "f:1:4: not valid YAML",
		"s: @a":                     "f:1:4: not valid YAML",
		"? [a]\n: b":                "f:2:1: not valid YAML",
		"? s\n: a":                  `f:1:1: unknown key "?"`,
		"s: a\r\nb: x\r\n":          "f:2:4: b:",
		"m:\r\n  a: x\r\n":          "f:2:6: m.a:",
		"s: a\rb: x":                "f:2:4: b:",
		"b: x\n\n\ni: y\n":          "f:1:4: b:",
		"  s: a\n  b: x\n":          "f:2:6: b:",
		"s: é\nb: x":                "f:2:4: b:",
		"{é: 1, bb: 2}":             `f:1:2: unknown key "é"`,
		"s: \u65e5\u672c # c\nb: x": "f:2:4: b:",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, problems := places(t, text)
			switch {
			case want == "" && problems != nil:
				t.Errorf("found %q, expected no problem", problems)
			case want != "" && (len(problems) == 0 || !strings.HasPrefix(problems[0], want)):
				t.Errorf("found %q, expected %q", problems, want)
			}
		})
	}
}

// A column counts characters, not bytes.
func TestColumnsCountCharacters(t *testing.T) {
	t.Parallel()
	_, problems := places(t, "{s: \u00e9\u00e9, b: x}")
	if len(problems) != 1 || !strings.HasPrefix(problems[0], "f:1:12: b:") {
		t.Errorf("%q", problems)
	}
}

func TestProblemOfAPath(t *testing.T) {
	t.Parallel()
	parse := func() *strictyaml.Document {
		d := strictyaml.Parse("f", []byte("st: {key: k}\nlm:\n  - {a: 1}\n  - {a: x}\n"))
		var e every
		d.Decode(&e)
		return d
	}
	for path, want := range map[string]strictyaml.Position{
		"":             {Line: 1, Column: 1},
		"st":           {Line: 1, Column: 5},
		"st.key":       {Line: 1, Column: 11},
		"st.other":     {Line: 1, Column: 5}, // the nearest around it
		"lm[0]":        {Line: 3, Column: 5},
		"lm[0].a":      {Line: 3, Column: 9},
		"lm[7].a.b":    {Line: 3, Column: 3},
		"nowhere.else": {Line: 1, Column: 1},
	} {
		d := parse()
		if got := d.At(path); got != want {
			t.Errorf("%s: found %v, expected %v", path, got, want)
		}
		d.Problem(path, "wrong: %d", 7)
		if last := d.Problems[len(d.Problems)-1]; last.Position != want || last.Text != "wrong: 7" {
			t.Errorf("%s: found %v, expected one at %v", path, last, want)
		}
	}
	// Where decoding has found the value itself wrong, nothing is added.
	d := parse()
	d.Problem("lm[1].a", "wrong")
	if len(d.Problems) != 1 || !d.Has("lm[1].a") || d.Has("lm[1].b") {
		t.Errorf("%v", d.Problems)
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	known := []string{"delay", "drop", "kill"}
	for word, want := range map[string]string{
		"dely": `did you mean "delay"`, "KILL": `did you mean "kill"`, "partition": "expected one of delay, drop, kill",
	} {
		if got := strictyaml.Suggest(word, known); !strings.Contains(got, want) {
			t.Errorf("%s: found %q, expected %q", word, got, want)
		}
	}
	if got := strictyaml.Suggest("x", nil); got == "" || strings.Contains(got, "one of") {
		t.Errorf("nothing to choose from: %q", got)
	}
	if got := strictyaml.Nearest("far", known); got != "" {
		t.Errorf("near to far: %q", got)
	}
}
