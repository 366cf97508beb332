package register_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/register"
)

// A decision is added behind the others, whose text stays as people wrote it, whatever
// characters are in it.
func TestAppend(t *testing.T) {
	t.Parallel()
	hard := register.Decision{
		Component: `db "main": #1`, Environment: "lab/checkout", Decision: register.Accept, Owner: "Ada\tO'Brien: é\u202e", RTO: 4 * time.Hour,
		Reason: "- not a list\nand a second line", Review: register.Date{Time: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)},
		Cost: &register.Cost{HourDown: 1000.5, Failures: 0.1, Currency: "€"},
	}
	first, err := register.Append(nil, hard)
	if err != nil {
		t.Fatal(err)
	}
	edited := "# Decided in the review of May.\n" + string(first) + "  # and one more:\n"
	second, err := register.Append([]byte(edited), register.Decision{Component: "lb", Environment: "lab/checkout", Decision: register.Fix})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(second), edited) {
		t.Errorf("the text before has changed:\n%s", second)
	}
	got, err := register.Load("spofs.yaml", second)
	if err != nil || len(got.SPOFs) != 2 {
		t.Fatalf("%v\n%s", err, second)
	}
	got.SPOFs[0].Where = ""
	if diff := cmp.Diff(hard, got.SPOFs[0]); diff != "" {
		t.Errorf("%s\n%s", diff, second)
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	d := register.Decision{Component: "db", Environment: "a", Decision: register.Fix}
	once, err := register.Append(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text, want string
		d          register.Decision
	}{
		"a decided component":      {string(once), "spofs.yaml:3:5: db in a has a decision: edit it there", d},
		"a broken file":            {"version: 1\nspofs: [", "not valid YAML", d},
		"a newer file":             {"version: 9\nspofs: []", "use a newer gameday", d},
		"a decision that is none":  {"", "decision", register.Decision{Component: "db", Environment: "a", Decision: "later"}},
		"a control character":      {"", `owner: found "Ada\x1b", expected a text without control characters`, register.Decision{Component: "db", Environment: "a", Decision: register.Fix, Owner: "Ada\x1b"}},
		"another style of writing": {"version: 1\nspofs:\n- {component: lb, environment: a, decision: fix}\n", "add a decision on db", d},
	} {
		if after, err := register.Append([]byte(c.text), c.d); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q\n%s", name, err, c.want, after)
		}
	}
}
