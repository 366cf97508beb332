package strictyaml_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

func TestSetValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, path, value string
		want              every
	}{
		"replaces a scalar":            {"d: 3s", "d", "5s", every{D: 5 * time.Second}},
		"adds a key":                   {"s: a", "d", "5s", every{S: "a", D: 5 * time.Second}},
		"adds to an empty mapping":     {"{}", "s", "a", every{S: "a"}},
		"text with a colon, quoted":    {"s: a", "s", `"a: b"`, every{S: "a: b"}},
		"text with spaces":             {"s: a", "s", "a b", every{S: "a b"}},
		"empty text":                   {"s: a", "s", "''", every{}},
		"a list replaces a list":       {"l: [1, 2]", "l", "[3]", every{L: []int{3}}},
		"a mapping joins a mapping":    {"m: {a: 1}", "m", "{b: 2}", every{M: map[string]int{"a": 1, "b": 2}}},
		"a mapping over a mapping":     {"mm: {a: {x: 1}}", "mm", "{a: {x: 2, y: 3}}", every{MM: map[string]map[string]int{"a": {"x": 2, "y": 3}}}},
		"block style":                  {"m:\n  a: 1\n  b: 2\n", "m.b", "3", every{M: map[string]int{"a": 1, "b": 3}}},
		"block style with one key":     {"m:\n  a: 1\n", "m.b", "3", every{M: map[string]int{"a": 1, "b": 3}}},
		"builds what is not there":     {"s: a", "mm.x.y", "3", every{S: "a", MM: map[string]map[string]int{"x": {"y": 3}}}},
		"a mapping in place of a text": {"m: 1", "m.a", "3", every{M: map[string]int{"a": 3}}},
		"a text in place of a mapping": {"s: {a: 1}", "s", "b", every{S: "b"}},
		"an item of a list":            {"lm: [{a: 1}, {a: 2}]", "lm[1].a", "7", every{LM: []map[string]int{{"a": 1}, {"a": 7}}}},
		"a new key of an item":         {"lm:\n  - a: 1\n", "lm[0].b", "7", every{LM: []map[string]int{{"a": 1, "b": 7}}}},
		"an item of a block list":      {"lm:\n- a: 1\n- a: 2\n", "lm[0].a", "7", every{LM: []map[string]int{{"a": 7}, {"a": 2}}}},
		"a key with an odd character":  {"m: {}", `m.a b"c`, "3", every{M: map[string]int{`a b"c`: 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := strictyaml.Parse("f", []byte(c.text))
			if err := d.Set(c.path, c.value); err != nil {
				t.Fatal(err)
			}
			var got every
			d.Decode(&got)
			if diff := cmp.Diff(c.want, got); d.Problems.Err() != nil || diff != "" {
				t.Errorf("%v\n%s", d.Problems, diff)
			}
		})
	}
}

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, path, value, want string }{
		"a value that is not YAML":     {"s: a", "s", "[}", "not valid YAML"},
		"two documents":                {"s: a", "s", "a}\n---\n{b: c", "not valid YAML"},
		"a file that is a list":        {"- a", "s", "b", "not a mapping"},
		"a file that is a text":        {"a", "s", "b", "not a mapping"},
		"an item itself":               {"l: [1]", "l[0]", "2", "a key of the item"},
		"an item that is not there":    {"lm: [{a: 1}]", "lm[1].a", "2", "lm has no item 1"},
		"an item far out of range":     {"lm: [{a: 1}]", "lm[99999999999999999999].a", "2", "lm has no item"},
		"a list that is not there":     {"s: a", "lm[0].a", "2", "no lm"},
		"a list in what is not there":  {"s: a", "m.lm[0].a", "2", "no m"},
		"an item of a mapping":         {"m: {a: 1}", "m[0].a", "2", "m has no item 0"},
		"a key of an item that is one": {"l: [1]", "l[0].a", "2", "not a mapping"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := strictyaml.Parse("f", []byte(c.text)).Set(c.path, c.value)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), c.path+"="+c.value) {
				t.Errorf("found %v, expected %q", err, c.want)
			}
		})
	}
}

// What is set is held to the same rules as what is written.
func TestSetIsChecked(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"zz": `unknown key "zz"`, "b": "b: found", "lm[0].a": "lm[0].a: found", "st.kei": `unknown key "kei"`} {
		d := strictyaml.Parse("f", []byte("lm: [{a: 1}]\nst: {key: k}"))
		if err := d.Set(path, "wrong"); err != nil {
			t.Fatal(err)
		}
		var e every
		d.Decode(&e)
		if err := d.Problems.Err(); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "f:") {
			t.Errorf("%s: found %v, expected %q", path, err, want)
		}
	}
}

// Of a file that is not YAML one thing is said, and not that nothing can be set in it.
func TestSetOfNothing(t *testing.T) {
	t.Parallel()
	d := strictyaml.Parse("f", []byte("["))
	if err := d.Set("s", "a"); err != nil || len(d.Problems) != 1 {
		t.Errorf("%v %v", err, d.Problems)
	}
}

// Whatever is set, the same text stands there when the file is decoded.
func TestSetIsSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z0-9 _./:#{}'"\[\]-]{0,20}`).Draw(t, "text")
		d := strictyaml.Parse("f", []byte("s: before\nmap: {}"))
		quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
		if err := d.Set("s", quoted); err != nil {
			t.Fatal(err)
		}
		var got struct {
			S   string            `yaml:"s"`
			Map map[string]string `yaml:"map"`
		}
		d.Decode(&got)
		if got.S != text {
			t.Errorf("set %q, found %q (%v)", text, got.S, d.Problems)
		}
	})
}
