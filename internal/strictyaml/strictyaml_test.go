package strictyaml_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gameday-dev/gameday/internal/strictyaml"
)

type file struct {
	Name  string            `yaml:"name" jsonschema:"required"`
	Wait  time.Duration     `yaml:"wait,omitempty"`
	Count int               `yaml:"count,omitempty" jsonschema:"minimum=1,maximum=9"`
	Share float64           `yaml:"share,omitempty"`
	On    bool              `yaml:"on,omitempty"`
	Mode  string            `yaml:"mode,omitempty" jsonschema:"enum=reuse,enum=fresh"`
	List  []item            `yaml:"list,omitempty"`
	Map   map[string]string `yaml:"map,omitempty"`
	Any   any               `yaml:"any,omitempty"`
	Maybe *time.Duration    `yaml:"maybe,omitempty"`
}

type item struct {
	Key string `yaml:"key" jsonschema:"required"`
}

func decode(t *testing.T, text string) (file, []string) {
	t.Helper()
	d := strictyaml.Parse("f.yaml", []byte(text))
	var f file
	d.Decode(&f)
	if err := d.Problems.Err(); err != nil {
		return f, strings.Split(err.Error(), "\n")
	}
	return f, nil
}

func TestDecode(t *testing.T) {
	t.Parallel()
	f, problems := decode(t, `
name: x
wait: 1m30s
count: 3
share: 0.5
on: true
mode: fresh
list: [{key: a}, {key: b}]
map: {k: v}
any: {deep: [1, two]}
maybe: 0
`)
	if problems != nil {
		t.Fatal(problems)
	}
	if f.Wait != 90*time.Second || f.Count != 3 || !f.On || f.List[1].Key != "b" || f.Map["k"] != "v" || f.Maybe == nil || *f.Maybe != 0 {
		t.Errorf("%+v", f)
	}
	if deep, ok := f.Any.(map[string]any)["deep"].([]any); !ok || len(deep) != 2 {
		t.Errorf("%#v", f.Any)
	}
}

func TestEveryProblemIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown key":   {"name: x\nconut: 3", `f.yaml:2:1: unknown key "conut": did you mean "count"?`},
		"far off key":   {"name: x\nzzzzzzz: 3", `f.yaml:2:1: unknown key "zzzzzzz": expected one of name, wait`},
		"missing key":   {"count: 3", `f.yaml:1:1: the file: missing required key "name"`},
		"missing inner": {"name: x\nlist:\n  - {}", `list[0]: missing required key "key"`},
		"twice":         {"name: x\nname: y", `f.yaml:2:1`},
		"duration":      {"name: x\nwait: 30", `f.yaml:2:7: wait: found "30", expected a duration with its unit`},
		"integer":       {"name: x\ncount: many", `f.yaml:2:8: count: found "many", expected a whole number`},
		"minimum":       {"name: x\ncount: 0", `count: found 0, expected at least 1`},
		"maximum":       {"name: x\ncount: 10", `count: found 10, expected at most 9`},
		"enum":          {"name: x\nmode: frsh", `mode: found "frsh", did you mean "fresh"?`},
		"boolean":       {"name: x\non: maybe", `expected true or false`},
		"list":          {"name: x\nlist: 3", `f.yaml:2:7: list: found "3", expected a list`},
		"mapping":       {"- a", `the file: found a list, expected a mapping`},
		"nothing":       {"name:", `name: found nothing, expected a string`},
		"alias":         {"name: &a x\nmode: *a", `not supported`},
		"two documents": {"name: x\n---\nname: y", `found a second document`},
		"empty":         {"", `the file is empty`},
		"not YAML":      {"name: [", `not valid YAML`},
	} {
		_, problems := decode(t, c.text)
		if !strings.Contains(strings.Join(problems, "\n"), c.want) {
			t.Errorf("%s: found %q, expected %q", name, problems, c.want)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	d := strictyaml.Parse("f.yaml", []byte("name: x\nmap: {a: b}\nwait: 3s"))
	for path, value := range map[string]string{"wait": "5s", "map.c": "d", "count": "4"} {
		if err := d.Set(path, value); err != nil {
			t.Fatal(err)
		}
	}
	var f file
	d.Decode(&f)
	if err := d.Problems.Err(); err != nil || f.Wait != 5*time.Second || f.Map["a"] != "b" || f.Map["c"] != "d" || f.Count != 4 {
		t.Errorf("%+v %v", f, err)
	}
	if err := d.Set("wait", "[}"); err == nil {
		t.Error("a value that is not YAML was set")
	}
}

// A path can lead into existing items of lists only.
func TestSetInLists(t *testing.T) {
	t.Parallel()
	const text = "load: [{rate: 1, inner: {a: 1}}, {rate: 2}]"
	for path, want := range map[string]string{
		"load[1].rate": "", "load[0].inner.a": "", "load[0].new": "",
		"load[2].rate": "load has no item 2", "load[0]": "expected a key of the item", "other[0].rate": "the file has no other", "load[0].rate[0].x": "rate has no item 0",
	} {
		d := strictyaml.Parse("f.yaml", []byte(text))
		err := d.Set(path, "7")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, expected %q", path, err, want)
		}
	}
}
