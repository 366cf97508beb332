package strictyaml_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// every is a struct with a field of every kind that files are made of.
type every struct {
	S  string                    `yaml:"s,omitempty"`
	B  bool                      `yaml:"b,omitempty"`
	I  int                       `yaml:"i,omitempty"`
	I8 int8                      `yaml:"i8,omitempty"`
	U  uint                      `yaml:"u,omitempty"`
	U8 uint8                     `yaml:"u8,omitempty"`
	UM uint16                    `yaml:"um,omitempty" jsonschema:"minimum=1"`
	F  float64                   `yaml:"f,omitempty"`
	D  time.Duration             `yaml:"d,omitempty"`
	P  *int                      `yaml:"p,omitempty" jsonschema:"minimum=3,maximum=5"`
	L  []int                     `yaml:"l,omitempty"`
	LL [][]int                   `yaml:"ll,omitempty"`
	M  map[string]int            `yaml:"m,omitempty"`
	MM map[string]map[string]int `yaml:"mm,omitempty"`
	LM []map[string]int          `yaml:"lm,omitempty"`
	ST item                      `yaml:"st,omitempty"`
	PS *item                     `yaml:"ps,omitempty"`
	A  any                       `yaml:"a,omitempty"`
}

// places decodes a text into every and returns the value with one line for
// each problem.
func places(t *testing.T, text string) (every, []string) {
	t.Helper()
	d := strictyaml.Parse("f", []byte(text))
	var e every
	d.Decode(&e)
	if err := d.Problems.Err(); err != nil {
		return e, strings.Split(err.Error(), "\n")
	}
	return e, nil
}

// A wrongKind is a text with one problem: where it is, the path that it names, and
// the words that it says about what was found.
type wrongKind struct{ text, at, path, found string }

// check holds a text against the one problem that it must have.
func (c wrongKind) check(t *testing.T) {
	t.Helper()
	_, problems := places(t, c.text)
	if len(problems) != 1 {
		t.Fatalf("%q: found %d problems, expected 1: %q", c.text, len(problems), problems)
	}
	if want := fmt.Sprintf("f:%s: %s: found %s", c.at, c.path, c.found); !strings.HasPrefix(problems[0], want) {
		t.Errorf("%q: found %q, expected it to begin with %q", c.text, problems[0], want)
	}
}

func TestWrongScalars(t *testing.T) {
	t.Parallel()
	for _, c := range []wrongKind{
		{"s: ~", "1:4", "s", "nothing"},
		{"s:", "1:4", "s", "nothing"},
		{"s: [a]", "1:4", "s", "a list"},
		{"s: {a: b}", "1:4", "s", "a mapping"},
		{"s:\n  a: b", "2:3", "s", "a mapping"},
		{"b: yes", "1:4", "b", `"yes"`},
		{"b: 'true'", "1:4", "b", `"true"`},
		{"b: 1", "1:4", "b", `"1"`},
		{"b: ~", "1:4", "b", "nothing"},
		{"i: 1.0", "1:4", "i", `"1.0"`},
		{"i: 0x10", "1:4", "i", `"0x10"`},
		{"i: 0o10", "1:4", "i", `"0o10"`},
		{"i: 1_000", "1:4", "i", `"1_000"`},
		{"i: 1e3", "1:4", "i", `"1e3"`},
		{"i: 9223372036854775808", "1:4", "i", `"9223372036854775808"`},
		{"i: [1]", "1:4", "i", "a list"},
		{"i8: 128", "1:5", "i8", `"128"`},
		{"i8: -129", "1:5", "i8", `"-129"`},
		{"u: -1", "1:4", "u", `"-1"`},
		{"u: 1.5", "1:4", "u", `"1.5"`},
		{"u8: 256", "1:5", "u8", `"256"`},
		{"um: 65536", "1:5", "um", `"65536"`},
		{"f: x", "1:4", "f", `"x"`},
		{"f: 1e400", "1:4", "f", `"1e400"`},
		{"f: .nan", "1:4", "f", `".nan"`},
		{"f: .inf", "1:4", "f", `".inf"`},
		{"d: 5", "1:4", "d", `"5"`},
		{"d: 1d", "1:4", "d", `"1d"`},
		{"d: ''", "1:4", "d", `""`},
		{"d: 999999999h", "1:4", "d", `"999999999h"`},
		{"d: ~", "1:4", "d", "nothing"},
		{"p: x", "1:4", "p", `"x"`},
		{"p: ~", "1:4", "p", "nothing"},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func TestWrongListsAndMappings(t *testing.T) {
	t.Parallel()
	for _, c := range []wrongKind{
		{"l: ~", "1:4", "l", "nothing"},
		{"l: 1", "1:4", "l", `"1"`},
		{"l: {a: 1}", "1:4", "l", "a mapping"},
		{"l: [1, x, 3]", "1:8", "l[1]", `"x"`},
		{"l:\n  - 1\n  - x\n", "3:5", "l[1]", `"x"`},
		{"l:\n- 1\n- [2]\n", "3:3", "l[1]", "a list"},
		{"ll: [[1], [x]]", "1:12", "ll[1][0]", `"x"`},
		{"ll: [[1], 2]", "1:11", "ll[1]", `"2"`},
		{"ll:\n- [1]\n- - 2\n  - y\n", "4:5", "ll[1][1]", `"y"`},
		{"m: ~", "1:4", "m", "nothing"},
		{"m: 1", "1:4", "m", `"1"`},
		{"m: [a]", "1:4", "m", "a list"},
		{"m: {a: x}", "1:8", "m.a", `"x"`},
		{"m:\n  a: x\n", "2:6", "m.a", `"x"`},
		{"m: {a: 1,\n  b: x}", "2:6", "m.b", `"x"`},
		{"mm: {a: 1}", "1:9", "mm.a", `"1"`},
		{"mm: {a: {b: x}}", "1:13", "mm.a.b", `"x"`},
		{"lm: [{a: x}]", "1:10", "lm[0].a", `"x"`},
		{"lm:\n  - a: 1\n    b: x\n", "3:8", "lm[0].b", `"x"`},
		{"st: {key: [x]}", "1:11", "st.key", "a list"},
		{"st: 1", "1:5", "st", `"1"`},
		{"st: []", "1:5", "st", "a list"},
		{"ps: ~", "1:5", "ps", "nothing"},
		{"ps: &x {key: y}", "1:5", "ps", "an anchor or alias"},
		{"- a", "1:1", "the file", "a list"},
		{"[]", "1:1", "the file", "a list"},
		{"a", "1:1", "the file", `"a"`},
		{"~", "1:1", "the file", "nothing"},
		{"|\n a", "1:1", "the file", `"|"`},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

// A required key is missed only in a mapping: what is none has that problem alone.
func TestOneProblemForWhatIsNoMapping(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"- a", "~", "3"} {
		if _, problems := decode(t, text); len(problems) != 1 {
			t.Errorf("%q: %q", text, problems)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"um: 0": "f:1:5: um: found 0, expected at least 1",
		"um: 1": "",
		"p: 2":  "f:1:4: p: found 2, expected at least 3",
		"p: 3":  "",
		"p: 5":  "",
		"p: 6":  "f:1:4: p: found 6, expected at most 5",
		"p: -1": "f:1:4: p: found -1, expected at least 3",
	} {
		if _, problems := places(t, text); strings.Join(problems, "\n") != want {
			t.Errorf("%q: found %q, expected %q", text, problems, want)
		}
	}
}

func TestUnknownAndMissingKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string // what each line begins with
	}{
		"at the top":         {"s: a\nbb: true", []string{`f:2:1: unknown key "bb": did you mean "b"`}},
		"flow":               {"{s: a, zz: x}", []string{`f:1:8: unknown key "zz"`}},
		"in a mapping":       {"st: {kei: 1}", []string{`f:1:5: st: missing required key "key"`, `f:1:6: unknown key "kei": did you mean "key"`}},
		"missing, empty":     {"st: {}", []string{`f:1:5: st: missing required key "key"`}},
		"missing, pointer":   {"ps: {}", []string{`f:1:5: ps: missing required key "key"`}},
		"quoted":             {"'zz': 1", []string{`f:1:1: unknown key "zz"`}},
		"number":             {"1: a", []string{`f:1:1: unknown key "1"`}},
		"null":               {"~: a", []string{`f:1:1: unknown key "~"`}},
		"far from all":       {"wholly: a", []string{`f:1:1: unknown key "wholly": expected one of s, b, i,`}},
		"upper case is near": {"MM: {}", []string{`f:1:1: unknown key "MM": did you mean "mm"`}},
		"case matters":       {"S: a", []string{`f:1:1: unknown key "S": did you mean "s"`}},
		"several":            {"l: [x]\nzz: 1\nb: 3", []string{"f:1:5: l[0]", `f:2:1: unknown key "zz"`, "f:3:4: b:"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, problems := places(t, c.text)
			if len(problems) != len(c.want) {
				t.Fatalf("found %q, expected %q", problems, c.want)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(problems[i], want) {
					t.Errorf("found %q, expected it to begin with %q", problems[i], want)
				}
			}
		})
	}
}

// The same key twice is a problem of its second place, whatever the style and
// the depth.
func TestKeyTwice(t *testing.T) {
	t.Parallel()
	for text, at := range map[string]string{
		"s: a\ns: b":             "f:2:1:",
		"s: a\n's': b":           "f:2:1:",
		"m: {a: 1, a: 2}":        "f:1:11:",
		"m:\n  a: 1\n  a: 2":     "f:3:3:",
		"lm: [{a: 1, \"a\": 2}]": "f:1:13:",
		"a: {x: 1, x: 2}":        "f:1:11:",
	} {
		if _, problems := places(t, text); len(problems) != 1 || !strings.HasPrefix(problems[0], at) {
			t.Errorf("%q: found %q, expected one at %q", text, problems, at)
		}
	}
}

// Problems come in the order of the file, whatever the order they were found in.
func TestProblemsAreSorted(t *testing.T) {
	t.Parallel()
	at := func(file string, line, column int) strictyaml.FileError {
		return strictyaml.FileError{File: file, Position: strictyaml.Position{Line: line, Column: column}, Text: "x"}
	}
	all := strictyaml.FileErrors{at("b", 1, 1), at("a", 10, 1), at("a", 2, 9), at("a", 2, 3)}
	want := "a:2:3: x\na:2:9: x\na:10:1: x\nb:1:1: x"
	if err := all.Err(); err == nil || err.Error() != want {
		t.Errorf("found %v, expected %s", err, want)
	}
	if err := (strictyaml.FileErrors{}).Err(); err != nil {
		t.Errorf("no problems are an error: %v", err)
	}
}

// What is right is filled although something else is wrong.
func TestTheRestIsFilled(t *testing.T) {
	t.Parallel()
	got, problems := places(t, "s: a\nb: maybe\nl: [1, x, 3]\nm: {a: 1, b: y}\nzz: 1\nd: 5s\n")
	if len(problems) != 4 {
		t.Errorf("found %q, expected 4 problems", problems)
	}
	want := every{S: "a", L: []int{1, 0, 3}, M: map[string]int{"a": 1, "b": 0}, D: 5 * time.Second}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
