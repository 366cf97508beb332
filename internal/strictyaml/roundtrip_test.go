package strictyaml_test

import (
	"encoding"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

// written is a struct as files are made of them: with texts of its own kinds,
// lists and mappings of structs, and what may be left out.
type written struct {
	Name  string            `yaml:"name" jsonschema:"required"`
	On    bool              `yaml:"on,omitempty"`
	Count int64             `yaml:"count,omitempty"`
	Port  uint16            `yaml:"port,omitempty"`
	Share float64           `yaml:"share,omitempty"`
	Wait  time.Duration     `yaml:"wait,omitempty"`
	Code  code              `yaml:"code,omitempty"`
	Words []string          `yaml:"words,omitempty"`
	Items []item            `yaml:"items,omitempty"`
	Map   map[string]string `yaml:"map,omitempty"`
	Deep  map[string]item   `yaml:"deep,omitempty"`
	Maybe *time.Duration    `yaml:"maybe,omitempty"`
	Inner *written          `yaml:"inner,omitempty"`
}

// code is a text that decodes itself.
type code string

var (
	_ encoding.TextUnmarshaler = (*code)(nil)
	_ encoding.TextMarshaler   = code("")
)

func (c *code) UnmarshalText(text []byte) error {
	inner, ok := strings.CutPrefix(string(text), "code-")
	if !ok {
		return errors.New("expected a code such as code-a")
	}
	*c = code(inner)
	return nil
}

func (c code) MarshalText() ([]byte, error) { return []byte("code-" + string(c)), nil }

// texts are texts that YAML can take for something else, and any others.
func texts() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", "true", "no", "null", "~", "1", "1.5", "0x10", "- a", "a: b", "a # b", "#", "*x", "&x", "!t", "|", ">", "'", `"`, "{", "[", "@", "%", "?", "---", "...", ".inf", "5s", "2024-01-01", " a ", "<<"}),
		rapid.StringMatching(`[a-zA-Z0-9 _.,:;/#{}'"\[\]&*!|>%@-]{0,12}`),
		rapid.StringMatching(`[a-zäéß日本☃]{1,8}`),
	)
}

func values(depth int) *rapid.Generator[written] {
	return rapid.Custom(func(t *rapid.T) written {
		w := written{
			Name:  texts().Draw(t, "name"),
			On:    rapid.Bool().Draw(t, "on"),
			Count: rapid.Int64().Draw(t, "count"),
			Port:  rapid.Uint16().Draw(t, "port"),
			Share: rapid.Float64Range(-1e6, 1e6).Draw(t, "share"),
			Wait:  time.Duration(rapid.Int64Range(-int64(time.Hour), int64(strictyaml.MaxDuration)).Draw(t, "wait")),
			Code:  code(rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "code")),
			Words: some(rapid.SliceOfN(texts(), 0, 3).Draw(t, "words")),
			Map:   rapid.MapOfN(rapid.StringMatching(`[a-z][a-z0-9-]{0,5}`), texts(), 0, 3).Draw(t, "map"),
		}
		for _, key := range rapid.SliceOfN(texts(), 0, 3).Draw(t, "items") {
			w.Items = append(w.Items, item{key})
		}
		for key, value := range w.Map {
			if w.Deep == nil {
				w.Deep = map[string]item{}
			}
			w.Deep[key] = item{value}
		}
		if len(w.Map) == 0 {
			w.Map = nil
		}
		if rapid.Bool().Draw(t, "maybe") {
			w.Maybe = &w.Wait
		}
		if depth > 0 && rapid.Bool().Draw(t, "inner") {
			inner := values(depth-1).Draw(t, "value")
			w.Inner = &inner
		}
		return w
	})
}

// some is a list, or none where it is empty: a file leaves it out.
func some(all []string) []string {
	if len(all) == 0 {
		return nil
	}
	return all
}

// What the library writes of a struct is read strictly, and is the same.
func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := values(2).Draw(t, "value")
		data, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		d := strictyaml.Parse("f", data)
		var got written
		d.Decode(&got)
		if err := d.Problems.Err(); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s\n%s", diff, data)
		}
	})
}

// A text that decodes itself says what is wrong, at its place.
func TestTextUnmarshalers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"name: x\ncode: code-a": "", "name: x\ncode: a": `f:2:7: code: found "a", expected a code`, "name: x\ncode: [a]": "f:2:7: code: found a list", "name: x\ncode: 3": `f:2:7: code: found "3"`,
	} {
		d := strictyaml.Parse("f", []byte(text))
		var w written
		d.Decode(&w)
		err := d.Problems.Err()
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: found %v, expected %q", text, err, want)
		}
	}
}

// FuzzDecode: whatever is in a file, every problem has the file's name and a place
// in it, is one line, and is told once.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"s: a\nl: [1, x]\nm: {a: 1}\nzz: 3", "lm:\n  - a: x\n    b: 2\n  - 3\n", "st: {}\nps: ~", "s: [", "- a", "s: !!str 1", "a: {b: [1, 2.5, x]}",
		"s: a\n---\ns: b", "\ts: a", "s: |\n  a\n", "? a\n: b", "s: a\r\nb: x\r\n", "'s': \"a\\n\"",
		"a: {b: &x 1, c: *x}", "a: &a {v: *a}", "a: {<<: {b: 1}}", "a: !!set {x, y}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := strictyaml.Parse("f", []byte(text))
		var e every
		d.Decode(&e)
		seen := map[strictyaml.FileError]bool{}
		for _, p := range d.Problems {
			if p.Line < 1 || p.Column < 1 || p.Line > strings.Count(strings.ReplaceAll(text, "\r", "\n"), "\n")+1 || p.File != "f" || p.Text == "" {
				t.Errorf("%q: no place in it: %+v", text, p)
			}
			if seen[p] {
				t.Errorf("%q: told twice: %v", text, p)
			}
			seen[p] = true
		}
	})
}
