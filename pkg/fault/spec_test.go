package fault_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/gameday-dev/gameday/internal/unit"
	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/journal"
	"github.com/gameday-dev/gameday/pkg/target"
)

// fill gives a value any content that a file can give it.
func fill(t *rapid.T, v reflect.Value) {
	switch v.Interface().(type) {
	case unit.Ratio:
		v.SetFloat(float64(rapid.IntRange(1, 10_000).Draw(t, "ratio")) / 10_000) // in hundredths of a percent
		return
	case unit.BitRate:
		v.SetUint(rapid.Uint64Range(1, 1e12).Draw(t, "rate"))
		return
	case unit.Size:
		v.SetUint(rapid.Uint64Range(0, 1<<50).Draw(t, "size"))
		return
	}
	switch v.Kind() { //nolint:exhaustive // the kinds that specs are made of
	case reflect.Struct:
		for _, field := range reflect.VisibleFields(v.Type()) {
			if field.IsExported() && !field.Anonymous {
				fill(t, v.FieldByIndex(field.Index))
			}
		}
	case reflect.Slice:
		if n := rapid.IntRange(0, 3).Draw(t, "length"); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(t, v.Index(i))
			}
		}
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64Range(-1e9, 1e9).Draw(t, "number"))
	default:
		if v.CanUint() {
			v.SetUint(rapid.Uint64().Draw(t, "count") >> (64 - v.Type().Bits()))
			return
		}
		v.SetInt(rapid.Int64().Draw(t, "count"))
	}
}

// Whatever the settings of a kind are, its entry in the journal gives them back.
func TestEverySpecSurvivesTheJournal(t *testing.T) {
	t.Parallel()
	for _, k := range fault.Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				kind, _ := fault.Specs().Find(k.Name) // what a scenario fills
				spec := kind.New()
				fill(t, reflect.ValueOf(spec).Elem())
				f, ok := fault.Of(spec)
				if !ok {
					t.Fatalf("%T is no fault", spec)
				}
				e, err := fault.Entry("1", k.Name, f, target.Component{ID: "id"}, nil)
				if err != nil {
					t.Fatal(err)
				}
				line, err := json.Marshal(e)
				if err != nil {
					t.Fatal(err)
				}
				var read journal.Entry
				if err := json.Unmarshal(line, &read); err != nil {
					t.Fatal(err)
				}
				again, err := fault.Decode(read)
				if err != nil {
					t.Fatalf("%v\n%s", err, line)
				}
				if !reflect.DeepEqual(f, again) {
					t.Fatalf("%s\n%s", line, cmp.Diff(f, again, cmp.Exporter(func(reflect.Type) bool { return true })))
				}
			})
		})
	}
}

func TestOfWhatIsNoFault(t *testing.T) {
	t.Parallel()
	for _, spec := range []any{nil, 3, struct{}{}, fault.Kill{}} {
		if f, ok := fault.Of(spec); ok {
			t.Errorf("%T is %T", spec, f)
		}
	}
}

func TestKinds(t *testing.T) {
	t.Parallel()
	notes, seen := fault.Notes(), map[string]bool{}
	for _, k := range fault.Specs() {
		if seen[k.Name] {
			t.Errorf("%s is there twice", k.Name)
		}
		seen[k.Name] = true
		if !strings.HasPrefix(notes[k.Name].Example, k.Name+": {") {
			t.Errorf("%s: its example is %q", k.Name, notes[k.Name].Example)
		}
	}
	for name := range notes {
		if !seen[name] {
			t.Errorf("a note on %s, which is no kind", name)
		}
	}
}

func TestAZoneStandsForItsComponents(t *testing.T) {
	t.Parallel()
	for by, want := range map[string]string{"": "kill", "kill": "kill", "isolate": "isolate"} {
		name, spec, at := fault.Resolve("zone", &fault.Zone{Name: "a", By: by}, target.Selector{Service: "db"})
		if _, ok := fault.Of(spec); !ok || name != want || at != (target.Selector{Service: "db", Zone: "a"}) {
			t.Errorf("by %q: %s %T %v", by, name, spec, at)
		}
	}
	kill := &fault.Kill{}
	if name, spec, at := fault.Resolve("kill", kill, target.Selector{Service: "db"}); name != "kill" || spec != kill || at.Zone != "" {
		t.Errorf("%s %v %v", name, spec, at)
	}
}

// What a kind's own check refuses, and the setting that it names.
func TestChecks(t *testing.T) {
	t.Parallel()
	long := fault.MaxDelay + time.Second
	for _, c := range []struct {
		spec  fault.Checker
		names string // "" if it is right
	}{
		{&fault.Bandwidth{Rate: 8_000}, ""},
		{&fault.Bandwidth{Rate: 7_999}, "rate"},
		{&fault.Command{Mend: []string{"x"}}, "inject"},
		{&fault.Command{Break: []string{""}, Mend: []string{"x"}}, "inject"},
		{&fault.Command{Break: []string{"x"}}, "undo"},
		{&fault.Command{Break: []string{"x"}, Mend: []string{""}}, "undo"},
		{&fault.Command{Break: []string{"x"}, Mend: []string{"x"}, Timeout: -1}, "timeout"},
		{&fault.Command{Break: []string{"x"}, Mend: []string{"x"}, In: "pod"}, "in"},
		{&fault.Command{Break: []string{"x"}, Mend: []string{"x"}, In: "host"}, ""},
		{&fault.Connections{}, "max"},
		{&fault.Connections{Max: 1, Ports: []uint16{0}}, "ports"},
		{&fault.Corrupt{Share: 0.1, Traffic: fault.Traffic{Protocol: "tpc"}}, "protocol"},
		{&fault.CPU{Cores: 0.01}, ""},
		{&fault.CPU{Cores: 0.009}, "cores"},
		{&fault.CPU{Cores: -1}, "cores"},
		{&fault.Delay{}, "by"},
		{&fault.Delay{By: -1}, "by"},
		{&fault.Delay{By: fault.MaxDelay}, ""},
		{&fault.Delay{By: long}, "by"},
		{&fault.Delay{By: 1, Jitter: 2}, "jitter"},
		{&fault.Delay{By: 1, Jitter: -1}, "jitter"},
		{&fault.Delay{By: 1, Via: "tc"}, "via"},
		{&fault.Delay{By: 1, Via: "netem"}, ""},
		{&fault.Delay{By: 1, Via: "netem", Traffic: fault.Traffic{Direction: fault.Out}}, ""},
		{&fault.Delay{By: 1, Via: "netem", Traffic: fault.Traffic{Direction: fault.In}}, "via"},
		{&fault.Delay{By: 1, Via: "netem", Traffic: fault.Traffic{Ports: []uint16{1}}}, "via"},
		{&fault.Delay{By: 1, Via: "netem", Traffic: fault.Traffic{Protocol: "tcp"}}, "via"},
		{&fault.Delay{By: 1, Via: "netem", Traffic: fault.Traffic{Peer: target.Selector{Zone: "a"}}}, "via"},
		{&fault.DNS{Answer: "none"}, "answer"},
		{&fault.Drop{Traffic: fault.Traffic{Protocol: "icmp", Ports: []uint16{1}}}, "ports"},
		{&fault.Drop{Traffic: fault.Traffic{Direction: "up"}}, "direction"},
		{&fault.Duplicate{Traffic: fault.Traffic{Ports: []uint16{0}}}, "ports"},
		{&fault.File{Path: "x", Do: "remove"}, "path"},
		{&fault.File{Path: "/x", Do: "delete"}, "do"},
		{&fault.File{Path: "/x", Do: "chmod"}, "mode"},
		{&fault.File{Path: "/x", Do: "chmod", Mode: "0899"}, "mode"},
		{&fault.File{Path: "/x", Do: "chmod", Mode: "17777"}, "mode"},
		{&fault.File{Path: "/x", Do: "chmod", Mode: "0000"}, ""},
		{&fault.File{Path: "/x", Do: "remove", Mode: "0000"}, "mode"},
		{&fault.File{Path: "/x", Do: "remove", Content: "y"}, "content"},
		{&fault.Fill{Path: "data"}, "path"},
		{&fault.Hang{}, "process"},
		{&fault.Isolate{}, ""},
		{&fault.Manual{Undo: "x"}, "undo"},
		{&fault.Manual{Do: "x"}, "undo"},
		{&fault.Manual{Do: "x", Undo: "y", Timeout: -1}, "timeout"},
		{&fault.Memory{Limit: 6 << 20}, ""},
		{&fault.Memory{Limit: 6<<20 - 1}, "limit"},
		{&fault.Partition{}, "from"},
		{&fault.Partition{From: target.Selector{Service: "a"}, Direction: "up"}, "direction"},
		{&fault.PIDs{}, "max"},
		{&fault.PIDs{Max: -1}, "max"},
		{&fault.Process{Name: "x", Signal: "STOP"}, "signal"},
		{&fault.Process{Signal: "HUP"}, "process"},
		{&fault.Process{Name: "x", Signal: "USR2"}, ""},
		{&fault.ReadOnly{Path: "data"}, "path"},
		{&fault.ReadOnly{Path: "/./"}, "path"},
		{&fault.Reject{With: "tcp-reset"}, "with"},
		{&fault.Reject{With: "reset", Traffic: fault.Traffic{Protocol: "udp"}}, "with"},
		{&fault.Reject{With: "reset", Traffic: fault.Traffic{Protocol: "tcp"}}, ""},
		{&fault.Reject{With: "icmp", Traffic: fault.Traffic{Protocol: "udp"}}, ""},
		{&fault.Reorder{}, "by"},
		{&fault.Reorder{By: long}, "by"},
		{&fault.Reorder{By: 1, Traffic: fault.Traffic{Direction: "up"}}, "direction"},
		{&fault.Zone{}, "name"},
		{&fault.Zone{Name: "a", By: "drop"}, "by"},
	} {
		err := c.spec.Check()
		if (err == nil) != (c.names == "") || err != nil && !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: found %v, expected a problem of %q", c.spec, err, c.names)
		}
	}
}
