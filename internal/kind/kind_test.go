package kind_test

import (
	"testing"

	"github.com/gameday-dev/gameday/internal/kind"
)

func TestSpecsMakeWhatTheKindsMake(t *testing.T) {
	t.Parallel()
	set := kind.Set[*int]{{Name: "one", Doc: "a number", New: func() *int { return new(1) }}}
	specs := kind.Specs(set)
	k, ok := specs.Find("one")
	if !ok || *k.New().(*int) != 1 || k.Doc != "a number" || specs.String() != "one" {
		t.Errorf("%+v", specs)
	}
	if _, ok := specs.Find("two"); ok {
		t.Error("found what is not there")
	}
}
