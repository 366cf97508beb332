package gate_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gameday-dev/gameday/pkg/gate"
)

func TestValuesAreCompared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		test   gate.Test
		values string // separated by spaces
		ok     bool
		says   string // why, or the error
	}{
		"equal":                  {gate.Test{Equals: uint64(2)}, "2", true, ""},
		"equal as numbers":       {gate.Test{Equals: uint64(2)}, "2.0", true, ""},
		"equal as texts":         {gate.Test{Equals: "streaming"}, "streaming streaming", true, ""},
		"true":                   {gate.Test{Equals: true}, "true", true, ""},
		"not equal":              {gate.Test{Equals: uint64(2)}, "1", false, `found "1", expected 2`},
		"one of them is not":     {gate.Test{Equals: "a"}, "a b", false, `found "b"`},
		"above":                  {gate.Test{Above: new(1.5)}, "1.6", true, ""},
		"not above":              {gate.Test{Above: new(1.5)}, "1.5", false, "more than 1.5"},
		"below":                  {gate.Test{Below: new(3.0)}, "2.9", true, ""},
		"not below":              {gate.Test{Below: new(3.0)}, "3", false, "less than 3"},
		"NaN is not below":       {gate.Test{Below: new(3.0)}, "NaN", false, "less than 3"},
		"NaN is not above":       {gate.Test{Above: new(math.Inf(-1))}, "NaN", false, "more than"},
		"between":                {gate.Test{Above: new(1.0), Below: new(3.0)}, "2", true, ""},
		"no number":              {gate.Test{Above: new(1.0)}, "many", false, "expected a number"},
		"a match":                {gate.Test{Matches: "^str"}, "streaming", true, ""},
		"no match":               {gate.Test{Matches: "^str"}, "catchup", false, "expected a match of ^str"},
		"no value, for anything": {gate.Test{Below: new(3.0)}, "", false, "there is no value"},
	} {
		ok, why, err := c.test.Holds(strings.Fields(c.values))
		if err != nil {
			why += err.Error()
		}
		if ok != c.ok || (why == "") != c.ok || !strings.Contains(why, c.says) {
			t.Errorf("%s: %v, %q", name, ok, why)
		}
	}
	for says, test := range map[string]gate.Test{
		"equals:": {Equals: []any{1}}, "matches:": {Matches: "["}, "above:": {Above: new(2.0), Below: new(1.0)}, "": {Equals: "x"},
	} {
		if err := test.Check(); (err == nil) != (says == "") || err != nil && !strings.HasPrefix(err.Error(), says) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	if exit, value, err := (gate.Command{"sh", "-c", "echo ' 2 '; exit 3"}).Run(t.Context()); exit != 3 || value != "2" || err != nil {
		t.Errorf("%d, %q, %v", exit, value, err)
	}
	if _, _, err := (gate.Command{"no-such-command", "hunter2"}).Run(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}
