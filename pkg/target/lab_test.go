package target_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gameday-dev/gameday/pkg/target"
)

func TestParseLab(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		lab     target.Lab
		written string
	}{
		"checkout":                    {target.Lab{Name: "checkout"}, "checkout"},
		"checkout-ha+one-lb":          {target.Lab{Name: "checkout-ha", With: []string{"one-lb"}}, "checkout-ha+one-lb"},
		"checkout-ha+one-nat+one-dns": {target.Lab{Name: "checkout-ha", With: []string{"one-dns", "one-nat"}}, "checkout-ha+one-dns+one-nat"},
		"checkout-ha+one-lb+one-lb":   {target.Lab{Name: "checkout-ha", With: []string{"one-lb"}}, "checkout-ha+one-lb"},
	} {
		got := target.ParseLab(text)
		if diff := cmp.Diff(want.lab, got); diff != "" || got.String() != want.written {
			t.Errorf("%s is %s\n%s", text, got, diff)
		}
		if again := target.ParseLab(got.String()); !cmp.Equal(again, got) {
			t.Errorf("%s becomes %s when it is read again", got, again)
		}
	}
}

// Only the names of labs mean a lab.
func TestLabOf(t *testing.T) {
	t.Parallel()
	for environment, want := range map[string]target.Lab{"staging": {}, "lab": {}, "lab/checkout+weak": {Name: "checkout", With: []string{"weak"}}} {
		if got, ok := target.LabOf(environment); !cmp.Equal(got, want) || ok != (want.Name != "") || got.IsZero() == ok {
			t.Errorf("%s: %+v %t", environment, got, ok)
		}
	}
}

// A lab that is up is not taken for another variant of itself.
func TestLabStateRefusal(t *testing.T) {
	t.Parallel()
	up := target.LabState{Exists: true, With: []string{"one-lb"}}
	if err := up.Refusal(target.ParseLab("x+one-lb")); err != nil {
		t.Error(err)
	}
	if err := up.Refusal(target.ParseLab("x")); err == nil || err.Error() != "lab x+one-lb is up, not x: run gameday lab down x first" {
		t.Error(err)
	}
	if err := (target.LabState{}).Refusal(target.ParseLab("x+one-lb")); err != nil {
		t.Error(err)
	}
}
