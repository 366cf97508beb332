package fault_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/fault"
	"github.com/gameday-dev/gameday/pkg/target"
)

// The list of kinds is the table of contents: alphabetical, each once, with a
// note.
func TestTheListOfKinds(t *testing.T) {
	t.Parallel()
	for what, names := range map[string][]string{"kinds": fault.Kinds().Names(), "specs": fault.Specs().Names()} {
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Errorf("%s are not in their order, or one is there twice: %v", what, names)
		}
	}
	notes := fault.Notes()
	for _, k := range fault.Specs() {
		n, ok := notes[k.Name]
		if !ok || n.How == "" || n.Undone == "" || !strings.HasPrefix(n.Example, k.Name+": ") || k.Doc == "" {
			t.Errorf("%s: %q, %+v", k.Name, k.Doc, n)
		}
		delete(notes, k.Name)
	}
	if len(notes) > 0 {
		t.Errorf("notes on kinds that are none: %v", notes)
	}
}

// Each spec is a fault, or stands for one of a kind that there is; a fault's spec
// makes the same fault again.
func TestSpecsAndFaults(t *testing.T) {
	t.Parallel()
	for _, k := range fault.Specs() {
		spec := k.New()
		name, resolved, _ := fault.Resolve(k.Name, spec, target.Selector{Service: "db"})
		f, ok := fault.Of(resolved)
		known, found := fault.Kinds().Find(name)
		if !ok || !found || reflect.TypeOf(known.New()) != reflect.TypeOf(f) {
			t.Errorf("%s resolves to %s, %T, %v", k.Name, name, f, ok)
		}
		if _, expands := spec.(fault.Expander); expands {
			if _, ok := fault.Of(spec); ok || name == k.Name {
				t.Errorf("%s stands for another kind, and is a fault itself", k.Name)
			}
			continue
		}
		if name != k.Name || !reflect.DeepEqual(resolved, spec) {
			t.Errorf("%s became %s", k.Name, name)
		}
		// On disk a fault is its spec.
		a, err := json.Marshal(f)
		b, err2 := json.Marshal(spec)
		if err != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s is written as %s, and its spec as %s (%v, %v)", k.Name, a, b, err, err2)
		}
	}
	if f, ok := fault.Of("rubbish"); ok {
		t.Errorf("rubbish is %T", f)
	}
}

// A zone is one fault on each of its components, whatever else narrows them down.
func TestAZoneStandsForOthers(t *testing.T) {
	t.Parallel()
	for by, want := range map[string]any{"": new(fault.Kill), "kill": new(fault.Kill), "isolate": new(fault.Isolate)} {
		z := &fault.Zone{Name: "a", By: by}
		if err := z.Check(); err != nil {
			t.Error(err)
		}
		name, spec, at := fault.Resolve("zone", z, target.Selector{Service: "app"})
		if !reflect.DeepEqual(spec, want) || !reflect.DeepEqual(at, target.Selector{Service: "app", Zone: "a"}) || name == "zone" {
			t.Errorf("by %q: %s %T %+v", by, name, spec, at)
		}
	}
}

// What is wrong with settings is said with the setting and what was expected.
func TestSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]fault.Checker{
		`signal: found "STOP", expected one of HUP, INT, KILL, QUIT, TERM, USR1, USR2`:                                    &fault.Process{Name: "x", Signal: "STOP"},
		"process: expected the name of a program":                                                                         &fault.Process{Signal: "TERM"},
		"cores: found 0, expected 0.01 to 10000":                                                                          &fault.CPU{},
		"cores: found 1e+300, expected 0.01 to 10000":                                                                     &fault.CPU{Cores: 1e300},
		"limit: expected 6MiB or more, the minimum of the engine":                                                         &fault.Memory{Limit: 1 << 20},
		"max: expected 1 or more":                                                                                         &fault.PIDs{},
		"name: expected the name of a zone":                                                                               &fault.Zone{},
		"max: found 4194304, expected less than 4194304, the most that a kernel can have":                                 &fault.PIDs{Max: 4194304},
		"share: found 100%, which leaves no packet to overtake: expected less":                                            &fault.Reorder{Share: 1, By: 1},
		"from: found any or percent, which would not choose among the components there: name them by name, label or zone": &fault.Partition{From: target.Selector{Service: "app", Any: 1}},
		"peer: found any or percent, which would not choose among the components there: name them by name, label or zone": &fault.Drop{Traffic: fault.Traffic{Peer: target.Selector{Percent: 50}}},
		`by: found "fire", expected kill or isolate`:                                                                      &fault.Zone{Name: "a", By: "fire"},
		"rate: expected at least 8kbit":                                                                                   &fault.Bandwidth{Rate: 7_999},
		"by: found 0s, expected more than 0 and at most 1m0s":                                                             &fault.Delay{},
		`via: found "tc", expected userspace or netem`:                                                                    &fault.Delay{By: 1, Via: "tc"},
	} {
		if err := c.Check(); err == nil || err.Error() != want {
			t.Errorf("%v, expected %s", err, want)
		}
	}
	for _, c := range []fault.Checker{
		&fault.Process{Name: "x"}, &fault.Process{Name: "x", Signal: "KILL"}, &fault.CPU{Cores: 0.01}, &fault.Memory{Limit: 6 << 20}, &fault.PIDs{Max: 1},
		&fault.Bandwidth{Rate: 8_000}, &fault.Delay{By: 1, Via: "netem"},
	} {
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", fmt.Sprintf("%T", c), err)
		}
	}
}
